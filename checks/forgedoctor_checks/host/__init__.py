"""Whether this machine has the memory and the disks that Forge needs."""
