"""Model files: whole or broken, of which family, and in the right place."""
