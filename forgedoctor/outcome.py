"""What became of each check in one examination."""

from __future__ import annotations

import enum

import msgspec

from forgedoctor.case import Case
from forgedoctor.check import Check, Confidence, Evidence, Finding, Fix, Severity, Verdict
from forgedoctor.message import Message
from forgedoctor.target import Target


class Status(str, enum.Enum):
    """One word for the outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    CRASHED = "crashed"


class Outcome(msgspec.Struct):
    """One check's outcome. ``by`` names the cause that a blocked check follows from; ``ms`` its duration."""

    check: Check
    status: Status
    findings: list[Finding] = []
    verdicts: list[Verdict] = []
    reason: Message | None = None
    settle: Message | None = None
    by: str = ""
    ms: float = 0.0


class Ranked(msgspec.Struct, frozen=True):
    """A finding with all that its check says of it; ``explained_by`` is empty for a cause."""

    check: str
    severity: Severity
    confidence: Confidence
    summary: Message
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]
    explains: tuple[str, ...]
    explained_by: str = ""


class Examination(msgspec.Struct):
    """Everything that one examination found: the facts, the outcomes, the findings in order, the questions answered."""

    target: Target
    case: Case
    outcomes: list[Outcome]
    findings: list[Ranked]
    notes: list[Message] = []
    collected: dict[str, float] = {}
    cancelled: bool = False
    partial: bool = False
    seconds: float = 0.0

    @property
    def verdicts(self) -> list[Verdict]:
        """The answers that checks gave, in the order of the checks."""
        return [verdict for outcome in self.outcomes for verdict in outcome.verdicts]
