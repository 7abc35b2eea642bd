"""Whether the port can be had."""
