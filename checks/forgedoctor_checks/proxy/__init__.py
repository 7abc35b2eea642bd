"""Proxy settings and names that break localhost."""
