"""nginx, or another proxy, in front of Forge."""
