"""Which card a CUDA program gets as its first device, as far as that can be known without asking CUDA.

CUDA counts cards from the fastest to the slowest by a rule of its own, NVML and nvidia-smi by their place on the PCI
bus; CUDA_DEVICE_ORDER=PCI_BUS_ID makes CUDA count so too. CUDA_VISIBLE_DEVICES hides all but those it lists, in its
order, by number or by the beginning of a UUID; at the first entry that is none CUDA stops reading, and an entry that is
repeated leaves no card at all. Source: CUDA C++ Programming Guide, CUDA environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

_NUMBER = re.compile(r"\s*([+-]?\d+)")


class Seen(NamedTuple):
    """A card as NVML counts it; ``slices`` are the UUIDs of its MIG instances."""

    number: int
    name: str
    uuid: str
    slices: tuple[str, ...] = ()


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. ``outcome``: card (``index``, NVML's number), alike (one of several of the same model), none (no card
    is left) or unknown. ``why``: only, uuid, pci-order, alike, by-speed; of none: no-cards, hidden, not-a-number,
    no-such-number, no-such-uuid, ambiguous, repeated. ``entry``: what decided, as written."""

    outcome: str
    why: str
    index: int | None = None
    entry: str = ""


def pick(cards: Sequence[Seen], visible: str | None, pci_order: bool, ordinal: int = 0) -> Pick:
    """The card that CUDA calls ``ordinal``. ``visible``: the value of CUDA_VISIBLE_DEVICES, None where it is unset."""
    if not cards:
        return Pick(outcome="none", why="no-cards")
    if visible is None:
        return _numbered(cards, ordinal, str(ordinal), pci_order)
    entries = _valid(cards, visible)
    if isinstance(entries, Pick):
        return entries
    if ordinal >= len(entries):
        return Pick(outcome="none", why="no-such-number", entry=str(ordinal))
    entry = entries[ordinal]
    if _NUMBER.match(entry):
        return _numbered(cards, _number(entry), entry, pci_order)
    return Pick(outcome="card", why="uuid", index=_by_uuid(cards, entry)[0].number, entry=entry)


def _valid(cards: Sequence[Seen], visible: str) -> list[str] | Pick:
    """The entries up to the first that is none; why none is left, where the first is none or one is repeated."""
    found: list[str] = []
    for entry in (word.strip() for word in visible.split(",")):
        wrong = _wrong(cards, entry)
        if wrong:
            if found:
                break
            return Pick(outcome="none", why=wrong, entry=entry)
        if entry in found:
            return Pick(outcome="none", why="repeated", entry=entry)
        found.append(entry)
    return found


def _wrong(cards: Sequence[Seen], entry: str) -> str:
    if entry.upper().startswith(("GPU-", "MIG-")):
        found = _by_uuid(cards, entry)
        return "" if len(found) == 1 else "ambiguous" if found else "no-such-uuid"
    if not _NUMBER.match(entry):
        return "hidden" if not entry or entry.lower() in ("none", "void", "nodevfiles") else "not-a-number"
    number = _number(entry)
    return "hidden" if number < 0 else "no-such-number" if number >= len(cards) else ""


def _number(entry: str) -> int:
    found = _NUMBER.match(entry[:20])
    return int(found[1]) if found else -1


def _by_uuid(cards: Sequence[Seen], entry: str) -> list[Seen]:
    start = entry.lower()
    return [one for one in cards if any(uuid.lower().startswith(start) for uuid in (one.uuid, *one.slices))]


def _numbered(cards: Sequence[Seen], number: int, entry: str, pci_order: bool) -> Pick:
    if number >= len(cards):
        return Pick(outcome="none", why="no-such-number", entry=entry)
    if len(cards) == 1:
        return Pick(outcome="card", why="only", index=cards[0].number, entry=entry)
    if pci_order:
        return Pick(outcome="card", why="pci-order", index=cards[number].number, entry=entry)
    alike = len({one.name for one in cards}) == 1
    return Pick(outcome="alike" if alike else "unknown", why="alike" if alike else "by-speed", entry=entry)
