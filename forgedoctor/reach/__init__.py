"""Reach: can another machine get to this port, and what does it mean when a client cannot?"""
