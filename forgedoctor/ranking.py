"""One likely cause first: order the findings, and fold what follows from a cause under it."""

from __future__ import annotations

from forgedoctor.outcome import Outcome, Ranked, Status


def rank(outcomes: list[Outcome]) -> list[Ranked]:
    """The findings, causes first (severity, then how specific the evidence is), each followed by its consequences.

    Also settles the outcomes: a check whose findings follow from a cause, or that could not tell because of it, is
    ``blocked`` by that cause.
    """
    findings = [_complete(outcome, index) for outcome in outcomes for index in range(len(outcome.findings))]
    causes = _explanations(findings)
    for outcome in outcomes:
        by = causes.get(outcome.check.id, "")
        if by and outcome.status in (Status.FAILED, Status.UNKNOWN):
            outcome.status, outcome.by = Status.BLOCKED, by
    ordered: list[Ranked] = []
    for cause in sorted((one for one in findings if one.check not in causes), key=_urgency):
        ordered.append(cause)
        if any(one.check == cause.check for one in ordered[:-1]):
            continue
        ordered.extend(_folded(cause.check, findings, causes))
    return ordered


def _complete(outcome: Outcome, index: int) -> Ranked:
    check, finding = outcome.check, outcome.findings[index]
    return Ranked(
        check=check.id,
        severity=finding.severity or check.severity,
        confidence=finding.confidence,
        summary=finding.summary,
        evidence=tuple(finding.evidence),
        fixes=tuple(finding.fixes),
        explains=tuple(dict.fromkeys((*finding.explains, *check.explains))),
    )


def _urgency(finding: Ranked) -> tuple[int, int, int, str]:
    return finding.severity.rank, finding.confidence.rank, -len(finding.explains), finding.check


def _explanations(findings: list[Ranked]) -> dict[str, str]:
    """Which check is explained by which cause: the most urgent one, never in a circle, followed to its root.

    Only an error explains an error: a hint does not hide what stops the program.
    """
    present = {finding.check: finding for finding in sorted(findings, key=_urgency, reverse=True)}
    by: dict[str, str] = {}
    for finding in sorted(findings, key=_urgency):
        for other in finding.explains:
            worse = other in present and present[other].severity.rank < finding.severity.rank
            if other != finding.check and other not in by and not worse and _root(finding.check, by) != other:
                by[other] = finding.check
    return {check: _root(cause, by) for check, cause in by.items()}


def _root(check: str, by: dict[str, str]) -> str:
    while check in by:
        check = by[check]
    return check


def _folded(cause: str, findings: list[Ranked], causes: dict[str, str]) -> list[Ranked]:
    import msgspec

    follow = [one for one in findings if causes.get(one.check) == cause]
    return [msgspec.structs.replace(one, explained_by=cause) for one in sorted(follow, key=_urgency)]
