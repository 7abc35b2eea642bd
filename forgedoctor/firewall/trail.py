"""Where a walk is, and the choices it took where the rules alone did not decide."""

from __future__ import annotations

from typing import NamedTuple

from forgedoctor.firewall.model import Chain, Rule, Table


class Place(NamedTuple):
    """A rule, or (``rule`` None) the policy of a chain."""

    table: Table
    chain: str
    rule: Rule | None
    source: str

    def where(self) -> str:
        """``file:line, table inet filter, chain input``."""
        parts = []
        if self.source or (self.rule and self.rule.line):
            parts.append(f"{self.source}:{self.rule.line}" if self.rule and self.rule.line else self.source)
        parts.append(f"table {self.table.family} {self.table.name}, chain {self.chain}")
        return ", ".join(parts)

    def text(self) -> str:
        """The rule as it is written."""
        return self.rule.text if self.rule else ""


class Fork(NamedTuple):
    """Something that the rules do not decide; ``construct`` names it. ``how``: a key of :data:`explain.SETTLES`."""

    construct: str
    how: str
    place: Place | None = None


class Choice(NamedTuple):
    """One answer to a fork, after those before."""

    before: Choice | None
    fork: Fork
    answer: str
    depth: int


Trail = Choice | None


def chose(trail: Trail, fork: Fork, answer: str) -> Choice:
    """The trail with one more choice."""
    return Choice(trail, fork, answer, trail.depth + 1 if trail else 1)


def parting(one: Trail, other: Trail) -> tuple[Choice | None, Choice | None]:
    """The choices where two trails part: the answers differ there and nowhere before."""
    mine, theirs = _listed(one), _listed(other)
    for left, right in zip(mine, theirs, strict=False):
        if left is not right:
            return left, right
    shared = min(len(mine), len(theirs))
    return (mine[shared] if len(mine) > shared else None), (theirs[shared] if len(theirs) > shared else None)


def _listed(trail: Trail) -> list[Choice]:
    found = []
    while trail:
        found.append(trail)
        trail = trail.before
    return found[::-1]


class Base(NamedTuple):
    """A base chain of a hook, with the table it is in and the listing that shows it."""

    table: Table
    chain: Chain
    source: str
    listing: int
    order: int
