"""What reach reports, as data: the JSON of both sides. Fields are only ever added within a schema version."""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMA_VERSION = "1.0"
REACHED, NOT_REACHED, USAGE, NOTHING_JUDGED, CANCELLED = 0, 1, 2, 3, 130


class ReachCause(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would look like this, with how sure it is and what would settle it."""

    id: str
    meaning: str
    confidence: str
    settle: str = ""


class ReachVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One visitor: addresses, ``what`` it sent, its ``origin`` and the same in words, what it said of itself."""

    at: float
    peer: str
    peer_port: int
    local: str
    interface: str
    family: str
    what: str
    origin: str
    outside: bool
    way: str
    host: str = ""
    path: str = ""
    agent: str = ""
    proxy: str = ""


class ListenerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of waiting. ``verdict``: reached, unproved, nobody, closed (Forge would listen for itself only), taken,
    or cannot-listen. ``visits``: the first 200; ``counts``: all of them, by origin and by what they were.
    """

    kind: str = "reach-listener"
    schema_version: str = SCHEMA_VERSION
    tool: dict[str, str] = {}
    verdict: str
    summary: str
    exit_code: int
    cancelled: bool = False
    host: str
    port: int
    listening: list[str] = []
    offered: list[dict[str, str]] = []
    withheld: list[dict[str, str]] = []
    visits: list[ReachVisit] = []
    counts: dict[str, dict[str, int]] = {}
    notes: list[str] = []
    next: list[str] = []
    seconds: float = 0.0
    language: str = "en"


class ReachAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One address that was tried: its ``symptom``, who ``answered`` (forge, reach, nginx, other or empty), what it
    means. ``detail``: the system's words, or the program's name.
    """

    address: str
    family: str
    place: str
    symptom: str
    answered: str = ""
    elapsed: float = 0.0
    detail: str = ""
    summary: str = ""
    causes: list[ReachCause] = []
    caveats: list[str] = []
    look: list[dict[str, str]] = []
    reply: dict[str, Any] = {}


class ClientReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a client saw. ``verdict``: reached, itself (an own address: proves nothing), not-forge (something else is
    there) or not-reached.
    """

    kind: str = "reach-client"
    schema_version: str = SCHEMA_VERSION
    tool: dict[str, str] = {}
    verdict: str
    summary: str
    exit_code: int
    url: str
    attempts: list[ReachAttempt] = []
    notes: list[str] = []
    next: list[str] = []
    seconds: float = 0.0
    language: str = "en"
