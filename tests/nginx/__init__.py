"""nginx in front of Forge."""
