"""Sizes, times and rates as nginx writes them."""

from __future__ import annotations

import re

_TIME = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y)?")
_SECONDS = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
_RATE = re.compile(r"rate=(\d+)r/([sm])")


def size(text: str) -> int | None:
    """Bytes of ``1m``, ``20M``, ``512k``, ``0``; None for what is no size (a variable). Source: nginx.org, units."""
    match = re.fullmatch(r"(\d{1,15})([kKmMgG]?)", text)
    if not match:
        return None
    return int(match[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[match[2].lower()]


def seconds(text: str) -> float | None:
    """Seconds of ``60``, ``60s``, ``1m30s``, ``500ms``; None for what is no time. Source: nginx.org, units."""
    words = text.replace(" ", "")
    if not words or len(words) > 60 or not re.fullmatch(rf"(?:{_TIME.pattern})+", words):
        return None
    return sum(int(match[1]) * _SECONDS[match[2] or ""] for match in _TIME.finditer(words))


def rate(text: str) -> float | None:
    """Requests a second of ``rate=5r/s`` or ``rate=30r/m``; None where none is written."""
    match = _RATE.fullmatch(text)
    return int(match[1]) / (60 if match[2] == "m" else 1) if match else None
