"""What Forge foretold about memory, and what happened: judged from a pasted log."""
