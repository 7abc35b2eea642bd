"""A QR code for a terminal: two rows of squares in one line of half blocks, or plain ASCII."""

from __future__ import annotations

_QUIET = 2  # squares around the code; scanners manage with less than the four of ISO 18004
# Light squares are drawn, dark ones left out: most terminals are dark, and with colours it holds on any.
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def drawn(text: str, *, ascii_only: bool = False, color: bool = False, columns: int = 80) -> list[str]:
    """The lines of a QR code of a short text; none where it does not fit into that many columns."""
    import segno

    made = segno.make(text, error="l", micro=False)
    light = [[not dark for dark in row] for row in made.matrix_iter(scale=1, border=_QUIET)]
    lines = _wide(light) if ascii_only else _compact(light)
    if not lines or max(map(len, lines)) >= columns:
        return []
    return [f"\x1b[97;40m{line}\x1b[0m" for line in lines] if color else lines


def _compact(light: list[list[bool]]) -> list[str]:
    rows = [*light, [False] * len(light[0])] if len(light) % 2 else light
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_HALVES[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs]


def _wide(light: list[list[bool]]) -> list[str]:
    return ["".join("##" if one else "  " for one in row) for row in light]
