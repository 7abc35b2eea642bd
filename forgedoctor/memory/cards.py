"""A graphics card by its name, for a card that one does not have.

Source: the table of :mod:`forgedoctor.gpu.cards`; the size of an AMD, Intel or Apple card must be in the name.
"""

from __future__ import annotations

import re

from forgedoctor.gpu import cards
from forgedoctor.memory.dtypes import Card

_SIZE = re.compile(r"(?<![a-z0-9.])(\d{1,3})\s*(?:gib|gb|g)\b", re.I)
_VENDORS = (
    ("amd", r"\b(amd|radeon|rx|instinct|mi\d+)\b"),
    ("intel", r"\b(intel|arc)\b"),
    ("apple", r"\b(apple|m[1-5])\b"),
)
MODERN = (8, 6)  # what a card of which only the size is told counts as


def card_named(text: str) -> tuple[Card, tuple[float, ...]] | None:
    """The card that a name means, and the sizes in MiB that it may have where the name does not tell; None if unknown.

    Of several sizes the smallest is taken. ``RTX 3060 12GB``, ``NVIDIA GeForce RTX 4070 Ti``, ``4090``,
    ``RX 6800 XT 16GB``. A size alone (``8GB``) is a present-day NVIDIA card of that size.
    """
    text = text[:200]
    size = _SIZE.search(text)
    gib = float(size[1]) if size else 0.0
    known = cards.find(text) or cards.find(_SIZE.sub("", text))
    if known:
        sizes = (gib,) if gib else tuple(float(one) for one in known.gib)
        if not sizes:
            return None
        total = min(sizes) * 1024
        name = known.name if len(sizes) == 1 and gib == 0 else f"{known.name} {min(sizes):.0f}GB"
        return Card(name=name, total_mib=total, capability=known.capability), tuple(one * 1024 for one in sizes)
    vendor = next((name for name, pattern in _VENDORS if re.search(pattern, text, re.I)), "")
    rest = re.sub(r"[^a-z0-9]", "", _SIZE.sub("", text).lower())
    if not gib or (rest and not vendor):
        return None
    capability = None if vendor else MODERN
    return Card(name=text.strip(), total_mib=gib * 1024, vendor=vendor or "nvidia", capability=capability), (
        gib * 1024,
    )


def near(text: str) -> tuple[str, ...]:
    """Names that are spelt alike, the likeliest first."""
    import difflib

    names = {one.name.lower(): one.name for one in cards.models()}
    return tuple(names[one] for one in difflib.get_close_matches(text.lower()[:200], names, n=3, cutoff=0.6))
