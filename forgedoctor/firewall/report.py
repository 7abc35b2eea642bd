"""The decisions in words and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from forgedoctor.firewall import decision
from forgedoctor.firewall.evaluate import Answer
from forgedoctor.firewall.model import Ruleset
from forgedoctor.message import Message, t
from forgedoctor.report.text import harmless

SCHEMA_VERSION = 1
_LABEL, _WIDTH = 14, 100


class Report(NamedTuple):
    """What was asked and found; ``problems``: files that could not be read, in sentences."""

    answers: tuple[Answer, ...]
    rulesets: tuple[Ruleset, ...]
    problems: tuple[Message, ...]
    host_known: bool

    def notes(self) -> list[Message]:
        """What was assumed, and what of the listings was not understood."""
        found = [note for answer in self.answers for note in answer.notes]
        if not self.host_known and self.rulesets:
            found.append(
                t("Nothing is known of the host: the address asked for is taken to be its own, the client to be on its "
                  "network, and a server to listen on that port (--host FILE says otherwise).")
            )  # fmt: skip
        found += [problem for ruleset in self.rulesets for problem in ruleset.problems]
        return list({str(one): one for one in found}.values())


def status(report: Report) -> int:
    """0: all can connect; 1: some cannot; 3: it could not be judged."""
    verdicts = [one.decision.verdict for one in report.answers]
    if decision.REFUSED in verdicts or decision.FILTERED in verdicts:
        return 1
    return 0 if verdicts and decision.UNDECIDED not in verdicts else 3


def as_json(report: Report, language: str) -> str:
    """One JSON object; its fields are described in docs/firewall.md."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "probes": [_row(one, language) for one in report.answers],
        "listings": [{"source": one.source, "kind": one.kind, "cut": one.cut} for one in report.rulesets if one.source],
        "notes": [one.text(language) for one in report.notes()],
        "problems": [one.text(language) for one in report.problems],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _row(answer: Answer, language: str) -> dict[str, Any]:
    found, probe = answer.decision, answer.probe
    return {
        "name": probe.name,
        "iif": probe.iif or None,
        "src": probe.src or None,
        "dst": probe.dst or None,
        "dport": probe.dport,
        "verdict": found.verdict,
        "because": [one.text(language) for one in found.because],
        "rule": found.rule,
        "where": found.where,
        "manager": found.manager,
        "settle": found.settle.text(language) if found.settle else None,
        "notes": [one.text(language) for one in answer.notes],
    }


def as_text(report: Report, language: str) -> str:
    """For people: a paragraph for each probe, the verdict first."""
    lines: list[str] = []
    for answer in report.answers:
        lines += [*_paragraph(answer, language), ""]
    for problem in report.problems:
        lines += _wrapped(None, f"! {problem.text(language)}")
    for note in report.notes():
        lines += _wrapped(None, f"- {note.text(language)}")
    return "\n".join(lines).rstrip() + "\n"


def _paragraph(answer: Answer, language: str) -> Iterator[str]:
    found = answer.decision
    yield from _wrapped(
        None, f"{answer.probe.name}: {_HEADS[found.verdict].text(language)}  ({_asked(answer, language)})"
    )
    for label, text in _details(answer):
        words = text.text(language) if isinstance(text, Message) else text
        yield from _wrapped(label.text(language), words)


def _details(answer: Answer) -> Iterator[tuple[Message, Message | str]]:
    found = answer.decision
    for place, reason in enumerate(found.because):
        yield t("because") if place == 0 else _NONE, reason
    if found.rule:
        yield t("rule"), found.rule
    if found.where:
        yield t("where"), found.where
    if found.manager:
        yield t("kept by"), found.manager
    if found.settle:
        yield t("to settle"), found.settle


_NONE = Message("")
_HEADS = {
    decision.OPEN: t("open: the client can connect"),
    decision.REFUSED: t("refused: the client is turned away at once"),
    decision.FILTERED: t("filtered: the client gets no answer, or one that says unreachable"),
    decision.UNDECIDED: t("undecided: the rules alone do not say"),
}


def _asked(answer: Answer, language: str) -> str:
    probe = answer.probe
    source = probe.src or t("a client").text(language)
    target = f"[{probe.dst}]" if ":" in probe.dst else probe.dst or t("this host").text(language)
    way = f", {probe.iif}" if probe.iif else ""
    return f"{source} -> {target} : {probe.dport}{way}"


def _wrapped(label: str | None, text: str) -> list[str]:
    """Lines of a text, with a label before it unless that is None; control characters are made visible."""
    text = " ".join(harmless(text).split())
    if label is None:
        return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    lead = f"    {label}".ljust(_LABEL - 1) + " "
    return textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * _LABEL, break_on_hyphens=False)
