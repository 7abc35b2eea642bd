"""What the flags make Forge do."""
