"""What a fact is, how one is collected, and how not knowing is said.

A fact is a frozen record of what was observed, never a verdict. A collector is a function that returns one; its
parameters' types name the facts it needs itself (and :class:`~forgedoctor.target.Target`, what to look at).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from forgedoctor.message import Message, t


class State(str, enum.Enum):
    """Why a fact is not known."""

    ABSENT = "absent"
    DENIED = "denied"
    TIMEOUT = "timeout"


class Missing(msgspec.Struct, frozen=True):
    """A fact that is not known: why, and what would settle it.

    ``sought`` is false where nobody looked, because this kind of examination does not (a pasted text holds no
    socket table): the checks that need it are then skipped rather than undecided.
    """

    state: State
    reason: Message
    settle: Message | None = None
    sought: bool = True


class Unavailable(Exception):  # an observation, not an error
    """Raised by a collector that cannot have its fact."""

    def __init__(
        self, reason: Message, *, state: State = State.ABSENT, settle: Message | None = None, sought: bool = True
    ) -> None:
        super().__init__(str(reason))
        self.missing = Missing(state, reason, settle, sought)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all facts. ``source`` says where it was seen, for people: a command, a file, an address."""

    source: str = ""


def name_of(fact: type) -> str:
    """The fact's name in reports and bundles: ``LaunchFiles`` is ``launch_files``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", fact.__name__).lower()


class Collector:
    """How one fact is had in some kinds of examination."""

    registered: ClassVar[list[Collector]] = []

    def __init__(self, collect: Callable[..., Any], fact: type, scopes: Sequence[str], budget: float) -> None:
        self.collect, self.fact, self.scopes, self.budget = collect, fact, frozenset(scopes), budget

    def __repr__(self) -> str:
        return f"<collector of {self.fact.__name__} for {', '.join(sorted(self.scopes))}>"


FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def collector(fact: type, *, scopes: Sequence[str], budget: float = 2.0) -> Callable[[FunctionT], FunctionT]:
    """Register a function as the way to a fact.

    ``scopes``: the kinds of examination it serves (see :data:`forgedoctor.target.SCOPES`). ``budget``: seconds of
    its own after which the engine stops waiting; a network probe takes the target's time-out instead.
    """

    def register(function: FunctionT) -> FunctionT:
        Collector.registered.append(Collector(function, fact, scopes, budget))
        return function

    return register


def collector_for(fact: type, scope: str) -> Collector | None:
    """The collector of a fact in a kind of examination; the one registered last wins, so a plugin can replace."""
    for candidate in reversed(Collector.registered):
        if candidate.fact is fact and scope in candidate.scopes:
            return candidate
    return None


def not_sought(fact: type) -> Missing:
    """What is said of a fact that this kind of examination does not look for."""
    return Missing(State.ABSENT, t("{fact} was not looked at", fact=name_of(fact).replace("_", " ")), sought=False)
