"""Checks of what Forge's memory manager will do with the chosen model on this card."""
