"""The built-in checks: a plugin like anyone else's, found through the same entry point. One file a check."""
