"""torch as installed: whether it can run on the card, and whether what hangs on it fits."""
