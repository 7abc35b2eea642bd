"""Model files: what their headers tell. Nothing of a file beyond its header is read, and nothing is unpickled."""
