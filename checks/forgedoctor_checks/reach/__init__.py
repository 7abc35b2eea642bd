"""Who can reach it."""
