"""Causes known by what the programs print."""
