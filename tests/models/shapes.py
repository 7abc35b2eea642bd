"""Building blocks of state dicts: names and shapes."""

from __future__ import annotations

Shapes = dict[str, tuple[int, ...]]


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def linear(name: str, rows: int, columns: int, *, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (rows, columns)} | ({f"{name}.bias": (rows,)} if bias else {})


def conv(name: str, rows: int, columns: int, size: int = 3) -> Shapes:
    return {f"{name}.weight": (rows, columns, size, size), f"{name}.bias": (rows,)}


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
