"""The Python way in: one call, one report."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor import catalogue, engine
from forgedoctor.case import Case
from forgedoctor.message import ENGLISH
from forgedoctor.outcome import Examination
from forgedoctor.redact import Redactor, encodable, foreign_texts
from forgedoctor.report.build import build
from forgedoctor.report.document import Report
from forgedoctor.target import SCOPES, Target


def examine(
    target: Target,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = "error",
    language: str = ENGLISH,
    case: Case | None = None,
    progress: engine.Progress | None = None,
) -> Report:
    """Examine a target and return the report, secrets already replaced.

    ``select`` and ``ignore`` take ids and groups of checks; an unknown one raises
    :class:`forgedoctor.catalogue.UnknownName`. ``case`` holds facts that are known already.
    """
    return report_of(
        examination(target, select=select, ignore=ignore, case=case, progress=progress),
        fail_on=fail_on,
        language=language,
    )


def examination(
    target: Target,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    case: Case | None = None,
    progress: engine.Progress | None = None,
) -> Examination:
    """The same, before it is put into words: facts, outcomes and ranked findings."""
    if target.scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}")
    found = catalogue.load()
    checks = catalogue.select(found.checks, select, ignore)
    result = engine.run(target, checks, case=case, progress=progress)
    result.notes.extend(found.faults)
    result.partial = len(checks) < len(found.checks)
    return result


def redactor_for(result: Examination) -> Redactor:
    """A redactor that knows the secrets of an examination and of this machine."""
    redactor = Redactor.of_this_machine()
    redactor.scan_case(result.case)
    if result.target.credentials:
        redactor.learn(result.target.credentials, "login")
    redactor.scan_words(result.target.argv or ())
    redactor.scan(" ".join(result.target.argv or ())[:20_000])
    redactor.scan_address(result.target.url)
    return redactor


def report_of(result: Examination, *, fail_on: str = "error", language: str = ENGLISH) -> Report:
    """The report of an examination, redacted."""
    import msgspec

    report = build(result, fail_on=fail_on, language=language)
    redactor = redactor_for(result)
    plain = msgspec.to_builtins(report)
    clean = redactor.clean_value(plain)
    redactor.verify(foreign_texts(clean))
    if result.target.scope == "args" and report.launch:
        # The answer to "what does this mean?" repeats the values that were typed in this very command; nothing of the
        # machine is among them. Sentences stay redacted all the same.
        clean["launch"]["effective"]["options"] = encodable(plain["launch"]["effective"]["options"])
    return msgspec.convert(clean, Report)
