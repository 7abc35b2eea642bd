"""Named locations (``@forge``): which blocks hand requests to them.

Source: nginx.org, try_files and error_page; measured with nginx 1.22.1: the address stays as it is, and a body whose
length is told is measured by the block that jumps, not by the named one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from forgedoctor.proxies.statements import Statement

MOST = 20  # blocks that jump to one name
_JUMPS = ("try_files", "error_page")
Scope = TypeVar("Scope")
Jumps = dict[str, list[Scope]]


def is_named(one: Statement) -> bool:
    """Whether a statement is a named location."""
    return one.name == "location" and one.block is not None and len(one.args) == 1 and one.args[0].startswith("@")


def target(one: Statement) -> str:
    """The named location that a statement hands requests to; empty where it is none."""
    return one.args[-1] if one.name in _JUMPS and len(one.args) > 1 and one.args[-1].startswith("@") else ""


def note(jumps: dict[str, list[Scope]], statements: Sequence[Statement], scope: Scope) -> None:
    """Remember that the block with these statements and this scope jumps."""
    for one in statements:
        name = target(one)
        known = jumps.setdefault(name, []) if name else []
        if name and len(known) < MOST and scope not in known:
            known.append(scope)


def ordered(blocks: Sequence[Statement]) -> list[Statement]:
    """Named locations, each after those that jump to it; where they jump in a circle, or are many, as written."""
    left = list(blocks)
    found: list[Statement] = []
    while left and len(blocks) <= MOST:
        wanted = {target(inner) for one in left for inner in one.block or () if target(inner) != one.args[0]}
        free = [one for one in left if one.args[0] not in wanted]
        if not free:
            break
        found += free
        left = [one for one in left if one.args[0] in wanted]
    return found + left
