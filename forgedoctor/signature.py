"""Causes that are known by what programs print or answer: data, made into checks.

A signature says what must appear (a log line, or an HTTP exchange), what must not, what is taken out of it, and how it
is told. Its examples must fire and its near misses must stay quiet; one test runs them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from forgedoctor.check import Check, Confidence, Evidence, Finding, Fix, NotApplicable, Severity, plain, t
from forgedoctor.facts import Exchange, Exchanges, Transcript
from forgedoctor.message import Message


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP exchange to look for. Regular expressions; empty ones match all. ``statuses`` empty: any, or none."""

    method: str = ""
    path: str = ""
    statuses: tuple[int, ...] = ()
    body: str = ""

    def matches(self, one: Exchange) -> re.Match[str] | None:
        """The match that holds what is extracted: the body's where a body is asked for, else the path's."""
        if self.statuses and one.status not in self.statuses:
            return None
        if self.method and not _compiled(self.method).fullmatch(one.method):
            return None
        path = _compiled(self.path).search(one.path)
        if path is None:
            return None
        return _compiled(self.body).search(one.body or one.detail) if self.body else path


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One cause.

    ``lines``: any of these expressions in a line of the text; ``also``: each of these somewhere in it; ``unless``: none
    of these anywhere. ``answers``: or any of these exchanges. Named groups become parameters of ``summary``.
    ``page`` is the documentation, first line first; empty where another check of that id has it.
    """

    id: str
    severity: Severity
    group: str
    summary: Message
    page: str = ""
    lines: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    fixes: tuple[Message, ...] = ()
    explains: tuple[str, ...] = ()
    confidence: Confidence = Confidence.LIKELY
    examples: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


def as_check(signature: Signature, origin: str) -> Check:
    """The check that judges by a signature; ``origin`` is the module that holds it."""

    def judge(transcript: Transcript | None, exchanges: Exchanges | None) -> Iterator[Finding]:
        if transcript is None and exchanges is None:
            raise NotApplicable(t("no text and no answer was seen"))
        yield from findings(signature, transcript, exchanges)

    judge.__doc__ = signature.page
    judge.__module__ = origin
    return Check(
        judge,
        id=signature.id,
        severity=signature.severity,
        group=signature.group,
        explains=signature.explains,
    )


def findings(signature: Signature, transcript: Transcript | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """At most one finding: the first evidence that fits, with up to three pieces of it."""
    whole = transcript.text if transcript else ""
    told = _anywhere(signature.lines, whole)  # first: names of cards, in the conditions, are slow to look for
    if not told and not (exchanges and signature.answers):
        return
    if _anywhere(signature.unless, whole) or not all(_anywhere((one,), whole) for one in signature.also):
        return
    evidence: list[Evidence] = []
    params: dict[str, Any] = {}
    for line in transcript.lines if transcript and told else ():
        match = next((m for m in (_compiled(one).search(line.text[:4000]) for one in signature.lines) if m), None)
        if match:
            evidence.append(Evidence(plain(line.text.strip()[:300]), line.where))
            params = params or _groups(match)
    for one in exchanges.exchanges if exchanges else ():
        match = next((m for m in (answer.matches(one) for answer in signature.answers) if m), None)
        if match:
            said = f"{one.method} {one.path} -> {one.status}" + (
                f" {one.detail or one.body}"[:200] if one.body or one.detail else ""
            )
            evidence.append(Evidence(plain(said), one.where))
            params = params or _groups(match)
    if evidence:
        yield Finding(
            Message(signature.summary.template, {**signature.summary.params, **params}),
            evidence=_distinct(evidence)[:3],
            fixes=[
                Fix(title=Message(text.template, {**text.params, **params}), safety="needs-person")
                for text in signature.fixes
            ],
            confidence=signature.confidence,
            severity=signature.severity,
            explains=signature.explains,
        )


def _anywhere(patterns: Sequence[str], text: str) -> bool:
    return any(_compiled(pattern).search(text) for pattern in patterns)


def _groups(match: re.Match[str]) -> dict[str, Any]:
    return {name: value for name, value in match.groupdict().items() if value is not None}


def _distinct(evidence: list[Evidence]) -> list[Evidence]:
    seen: dict[str, Evidence] = {}
    for one in evidence:
        seen.setdefault(str(one.text), one)
    return list(seen.values())
