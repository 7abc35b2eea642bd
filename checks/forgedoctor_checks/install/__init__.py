"""The Forge on disk and its packages."""
