"""The programs on the cards by name: NVML knows their pids only."""

from __future__ import annotations

from typing import Any

import msgspec

from forgedoctor.fact import Unavailable
from forgedoctor.facts import _psutil
from forgedoctor.facts._gpu_types import Card, GpuProcess

_MOST = 100


def named(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """The cards, with the name, command and parent of their processes. Only for pids of this namespace."""
    if not any(one.processes for one in cards):
        return cards
    try:
        ps = _psutil.load()
    except Unavailable:
        return cards
    return tuple(_with_names(ps, one) for one in cards)


def _with_names(ps: Any, card: Card) -> Card:
    if not card.processes:
        return card
    told = tuple(_described(ps, one) for one in card.processes[:_MOST])
    return msgspec.structs.replace(card, processes=told)


def _described(ps: Any, one: GpuProcess) -> GpuProcess:
    process = _psutil.attempt(lambda: ps.Process(one.pid), None)
    if process is None:
        return one
    command = _psutil.attempt(process.cmdline, None) or []
    return msgspec.structs.replace(
        one,
        name=_psutil.attempt(process.name, "") or "",
        command=" ".join(command)[:300],
        parent=_psutil.attempt(process.ppid, None),
    )
