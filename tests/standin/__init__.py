"""A stand-in for Forge and its relatives: real processes on loopback that answer as the real ones did."""
