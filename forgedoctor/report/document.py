"""The report as outsiders see it: the contract behind ``--format json`` and every renderer.

Within schema version 1 fields are only added. Sentences stand ready to read (``summary``, ``text``, ``title``) and
again as ``message`` (English template and parameters), so that a saved report can be shown in another language.
"""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMA_VERSION = "1.1"


class Text(msgspec.Struct, frozen=True):
    """A sentence's English template and its parameters."""

    template: str
    params: dict[str, Any] = {}


class ReportEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was observed, and where."""

    text: str
    source: str = ""
    message: Text | None = None


class ReportStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``kind`` is shell (``command``, ``interpreter``), edit (``file``, ``line``, ``before``, ``after``), flag
    (``add``, ``drop``) or manual (``text``)."""

    kind: str
    command: str = ""
    interpreter: str = ""
    file: str = ""
    line: int = 0
    before: str = ""
    after: str = ""
    add: list[str] = []
    drop: list[str] = []
    text: str = ""
    message: Text | None = None


class ReportFix(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: steps as data, and whether it needs administrator rights, how safe it is, how it is undone.

    ``undo_command``: true where ``undo`` is to be pasted, a command a line.
    """

    title: str
    steps: list[ReportStep] = []
    safety: str = "changes-behaviour"
    needs_admin: bool = False
    undo: str = ""
    undo_command: bool = False
    message: Text | None = None


class ReportFinding(msgspec.Struct, frozen=True, kw_only=True):
    """``explained_by`` names the finding that this one follows from; empty for a cause."""

    check: str
    severity: str
    confidence: str
    summary: str
    evidence: list[ReportEvidence] = []
    fixes: list[ReportFix] = []
    explains: list[str] = []
    explained_by: str = ""
    message: Text | None = None


class ReportVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question: ``question`` (``other-devices``: do others on the network reach it), ``answer`` yes,
    no, partly or unknown; ``by`` names the check that tells what is in the way, ``settle`` what would prove it."""

    question: str
    answer: str
    summary: str
    evidence: list[ReportEvidence] = []
    by: str = ""
    settle: str = ""
    message: Text | None = None


class ReportCheck(msgspec.Struct, frozen=True, kw_only=True):
    """``status``: passed, failed, unknown, skipped, blocked (``by`` which cause) or crashed."""

    check: str
    status: str
    group: str = ""
    reason: str = ""
    settle: str = ""
    by: str = ""
    duration_ms: float = 0.0


class ReportUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be known, why, what would settle it, and the checks that wait for it."""

    reason: str
    settle: str = ""
    checks: list[str] = []


class ReportTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What was examined."""

    scope: str
    description: str
    found: bool
    fork: str = ""
    version: str = ""
    directory: str = ""
    url: str = ""
    system: str = ""
    running: bool = False
    pid: int | None = None


class ReportLaunch(msgspec.Struct, frozen=True, kw_only=True):
    """The launch: where its flags were seen and what they do (``effective``)."""

    origin: str = ""
    running: bool = False
    effective: dict[str, Any] = {}


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by status and severity; ``headline`` is the one sentence; ``judged`` is false when nothing could be."""

    headline: str
    judged: bool
    exit_code: int = 0
    errors: int = 0
    warnings: int = 0
    infos: int = 0
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    blocked: int = 0
    crashed: int = 0


class ReportTool(msgspec.Struct, frozen=True, kw_only=True):
    """Who made the report."""

    name: str = "forgedoctor"
    version: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One examination, ready to be shown.

    ``findings`` hold the causes, ranked. In a pasted text, where the question is what went wrong, what is only worth
    knowing about the command line stands apart, in ``advice``. ``verdicts`` answer questions that are asked of every
    examination.
    """

    schema_version: str = SCHEMA_VERSION
    tool: ReportTool
    target: ReportTarget
    summary: ReportSummary
    findings: list[ReportFinding] = []
    advice: list[ReportFinding] = []
    verdicts: list[ReportVerdict] = []
    checks: list[ReportCheck] = []
    unknown: list[ReportUnknown] = []
    launch: ReportLaunch | None = None
    notes: list[str] = []
    collected_ms: dict[str, float] = {}
    duration_ms: float = 0.0
    cancelled: bool = False
    language: str = "en"


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    made = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"forgedoctor report {SCHEMA_VERSION}",
    } | made
