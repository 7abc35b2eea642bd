"""What a stranger could do."""
