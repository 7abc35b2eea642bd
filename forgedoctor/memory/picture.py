"""The phases as bars, in ASCII: reads well at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.memory.peak import Phase

NUMBER = 7
LABEL = 15


def bars(phases: Sequence[Phase], labels: Sequence[str], limit: float | None, width: int = 80) -> list[str]:
    """A bar for each phase that is on the card: # weights, + computing, ! beyond what is free, | what is free.

    ``labels``: what to call each phase. ``limit``: MiB free on the card; None where no card is known. No line is longer
    than ``width``.
    """
    top = max([one.peak_mib for one in phases] + [limit or 0.0, 1.0])
    label = max(LABEL, *(_columns(one) for one in labels)) if labels else LABEL
    room = max(10, width - 3 - label - NUMBER - 4)
    lines = []
    for phase, said in zip(phases, labels, strict=True):
        start = f"   {said}{' ' * (label - _columns(said))}{phase.peak_mib:>{NUMBER}.0f} "
        lines.append(start + _bar(phase, limit, top, room))
    return lines


def _bar(phase: Phase, limit: float | None, top: float, room: int) -> str:
    weights = round(phase.weights_mib / top * room)
    end = round(phase.peak_mib / top * room)
    if phase.peak_mib > 0:
        end = max(end, 1)
    mark = round(limit / top * room) if limit else room
    cells = []
    for column in range(room):
        if column >= end:
            cells.append("." if column < mark else " ")
        elif column >= mark:
            cells.append("!")
        else:
            cells.append("#" if column < weights else "+")
    bar = "".join(cells)
    return f"{bar[:mark]}|{bar[mark:]}".rstrip()


def _columns(text: str) -> int:
    """Columns that a text takes on a terminal: two for a Chinese character."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
