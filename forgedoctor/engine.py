"""The engine: which facts do the checks need, collect them at once, run the checks, rank what they say."""

from __future__ import annotations

import contextlib
import io
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from forgedoctor.case import Case
from forgedoctor.check import Check, Finding, NotApplicable, Undecided, Verdict, needs_of
from forgedoctor.fact import Collector, Fact, Missing, State, Unavailable, collector_for, name_of
from forgedoctor.facts import Host, Install, Launch, pasted
from forgedoctor.message import t
from forgedoctor.outcome import Examination, Outcome, Status
from forgedoctor.ranking import rank
from forgedoctor.target import Target

RUN_LIMIT = 5.0  # a whole run may take this many probe time-outs: 10 s with the default of 2 s
BUILT_IN = (pasted,)  # modules whose import registers collectors of facts that other modules define
GENERATE_LIMIT = 65.0  # seconds more when one image was asked for: the first one loads the model
CHECK_LIMIT = 2.0  # seconds that one check may think before it is left behind
Progress = Callable[[str], None]


def run(
    target: Target, checks: Sequence[Check], *, case: Case | None = None, progress: Progress | None = None
) -> Examination:
    """Collect the facts that the checks need, run the checks, rank the findings.

    ``case``: facts that are known already (a saved case); only the others are collected. A collector that fails or is
    late leaves its fact missing, a check that fails or hangs is ``crashed``; neither stops the rest. On Ctrl-C the
    checks judge what has been collected by then and the examination says ``cancelled``.
    """
    began = time.monotonic()
    case = case or Case()
    result = Examination(target=target, case=case, outcomes=[], findings=[])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):  # whatever a plugin prints, standard output stays ours
        try:
            collection = Collection(target, case, progress or (lambda name: None))
            collection.gather(_facts_of(checks))
            result.collected = collection.took
        except KeyboardInterrupt:
            result.cancelled = True
        result.outcomes = run_checks(checks, case)
    if printed.getvalue().strip():
        result.notes.append(t("a plugin printed {size} characters; they are left out", size=len(printed.getvalue())))
    result.findings = rank(result.outcomes)
    result.seconds = time.monotonic() - began
    return result


def _facts_of(checks: Sequence[Check]) -> list[type]:
    wanted: dict[type, None] = {}
    for check in checks:
        with contextlib.suppress(Exception):  # a check with broken needs is reported when it is run
            wanted.update(dict.fromkeys(need.fact for way in (check, *check.ways) for need in way.needs))
    wanted.update(dict.fromkeys((Launch, Host, Install)))  # what the report's head shows
    return list(wanted)


class Collection:
    """One gathering of facts: every collector in a thread of its own as soon as what it needs is there.

    A thread that is late is abandoned (daemon), never waited for: NVML, name look-ups and psutil may block for good.
    """

    def __init__(self, target: Target, case: Case, progress: Progress) -> None:
        self.target, self.case, self.progress = target, case, progress
        self.took: dict[str, float] = {}
        self._waiting: dict[type, tuple[Collector, tuple[Any, ...]]] = {}
        self._running: dict[type, float] = {}
        self._done: queue.SimpleQueue[tuple[type, Fact | Missing, float]] = queue.SimpleQueue()

    def gather(self, facts: Sequence[type]) -> None:
        """Collect those facts and what their collectors need."""
        for fact in facts:
            self._want(fact)
        end = time.monotonic() + RUN_LIMIT * self.target.timeout + (GENERATE_LIMIT if self.target.generate else 0)
        try:
            while self._waiting or self._running:
                self._start_ready()
                self._take(end)
        finally:
            for fact in (*self._running, *self._waiting):
                self.case.put(fact, _late(fact))

    def _want(self, fact: type) -> None:
        if not isinstance(self.case.look(fact), Missing) or fact in self._waiting:
            return
        found = collector_for(fact, self.target.scope)
        if found is None:
            return
        needs = tuple(need for need in needs_of(found.collect) if need.fact is not Target)
        self._waiting[fact] = (found, needs)
        for need in needs:
            self._want(need.fact)

    def _start_ready(self) -> None:
        for fact, (found, needs) in list(self._waiting.items()):
            if any(need.fact in self._waiting or need.fact in self._running for need in needs):
                continue
            del self._waiting[fact]
            missing = next(
                (self.case.look(n.fact) for n in needs if not n.optional and self.case.get(n.fact) is None), None
            )
            if isinstance(missing, Missing):
                self.case.put(fact, missing)
                continue
            # A network collector keeps to the probe time-out itself; its budget only catches one that does not.
            extra = GENERATE_LIMIT if self.target.generate and found.budget >= 10 else 0.0
            self._running[fact] = time.monotonic() + found.budget + extra
            self.progress(name_of(fact))
            threading.Thread(target=self._collect, args=(found,), daemon=True, name=name_of(fact)).start()

    def _collect(self, found: Collector) -> None:
        began = time.monotonic()
        value: Fact | Missing
        try:
            known = {
                n.name: self.target if n.fact is Target else self.case.get(n.fact) for n in needs_of(found.collect)
            }
            value = found.collect(**known)
        except Unavailable as why:
            value = why.missing
        except PermissionError as error:
            value = Missing(State.DENIED, t("{what} may not be read", what=error.filename or name_of(found.fact)))
        except Exception as error:  # a collector's fault loses its fact, not the report
            why_text = f"{type(error).__name__}: {error}"
            value = Missing(
                State.ABSENT, t("collecting {fact} failed: {why}", fact=name_of(found.fact), why=why_text[:300])
            )
        self._done.put((found.fact, value, time.monotonic() - began))

    def _take(self, end: float) -> None:
        """Wait for the next collector, and give up those whose time is over."""
        if not self._running:
            return
        until = min([*self._running.values(), end])
        try:
            fact, value, took = self._done.get(timeout=max(0.0, until - time.monotonic()) + 0.001)
        except queue.Empty:
            for fact in [one for one, limit in self._running.items() if time.monotonic() >= min(limit, end)]:
                del self._running[fact]
                self.case.put(fact, _late(fact))
            return
        if fact in self._running:
            del self._running[fact]
            self.case.put(fact, value)
            self.took[name_of(fact)] = round(took * 1000, 1)


def _late(fact: type) -> Missing:
    return Missing(
        State.TIMEOUT,
        t("{fact} did not answer in time", fact=name_of(fact).replace("_", " ")),
        t("allow more time with --timeout"),
    )


def run_checks(checks: Sequence[Check], case: Case) -> list[Outcome]:
    """Run the checks one after the other in a thread that is left behind if one of them hangs."""
    outcomes: list[Outcome] = []
    todo = list(checks)
    while todo:
        done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        batch = list(todo)
        threading.Thread(target=lambda b=batch, d=done: [d.put(judge(one, case)) for one in b], daemon=True).start()
        for check in batch:
            todo.pop(0)
            try:
                outcomes.append(done.get(timeout=CHECK_LIMIT))
            except queue.Empty:
                outcomes.append(Outcome(check, Status.CRASHED, reason=t("the check did not finish in time")))
                break
    return outcomes


def judge(check: Check, case: Case) -> Outcome:
    """The outcome of one check on a case."""
    began = time.perf_counter()
    outcome = _judge(check, case)
    for way in check.ways:
        outcome = _joined(outcome, _judge(way, case))
    outcome.ms = round((time.perf_counter() - began) * 1000, 2)
    return outcome


def _joined(first: Outcome, other: Outcome) -> Outcome:
    """One outcome of two ways to know the same cause: what was found counts, then what was judged."""
    order = [Status.FAILED, Status.CRASHED, Status.PASSED, Status.UNKNOWN, Status.SKIPPED]
    best = min(first, other, key=lambda one: order.index(one.status))
    found = first.findings + other.findings
    if first.findings and other.findings:
        found = [_one(first.findings[0], other.findings[0], first.check), *first.findings[1:], *other.findings[1:]]
    return Outcome(
        first.check,
        best.status,
        findings=found,
        verdicts=first.verdicts + other.verdicts,
        reason=best.reason,
        settle=best.settle,
    )


def _one(first: Finding, other: Finding, check: Check) -> Finding:
    """One finding of two that tell the same cause: the first one's words and fixes, the evidence of both."""
    evidence = {str(one.text): one for one in (*first.evidence, *other.evidence)}
    worst = min(first.severity or check.severity, other.severity or check.severity, key=lambda one: one.rank)
    best = min(first.confidence, other.confidence, key=lambda one: one.rank)
    return msgspec.structs.replace(
        first,
        evidence=tuple(evidence.values()),
        severity=worst,
        confidence=best,
        explains=(*first.explains, *other.explains),
    )


def _judge(check: Check, case: Case) -> Outcome:
    try:
        facts: dict[str, Any] = {}
        for need in check.needs:
            value = case.look(need.fact)
            if isinstance(value, Missing) and not need.optional:
                status = Status.UNKNOWN if value.sought else Status.SKIPPED
                return Outcome(check, status, reason=value.reason, settle=value.settle)
            facts[need.name] = None if isinstance(value, Missing) else value
        skipped = _does_not_apply(check, case)
        if skipped:
            return skipped
        said = list(_bounded(check(**facts)))
        findings = [one for one in said if isinstance(one, Finding)]
        verdicts = [one for one in said if isinstance(one, Verdict)]
        return Outcome(check, Status.FAILED if findings else Status.PASSED, findings=findings, verdicts=verdicts)
    except NotApplicable as why:
        return Outcome(check, Status.SKIPPED, reason=why.reason)
    except Undecided as why:
        return Outcome(check, Status.UNKNOWN, reason=why.reason, settle=why.settle)
    except Exception as error:  # a check's fault is reported, never fatal
        text = f"{type(error).__name__}: {error}"[:300]
        return Outcome(check, Status.CRASHED, reason=t("the check itself failed: {why}", why=text))


def _bounded(findings: Iterator[Finding | Verdict]) -> Iterator[Finding | Verdict]:
    for number, finding in enumerate(findings):
        if not isinstance(finding, (Finding, Verdict)):
            raise TypeError(f"a check must yield Finding, not {type(finding).__name__}")
        msgspec.convert(msgspec.to_builtins(finding), type(finding))  # a plugin's wrong types would break the report
        if number == 1000:
            raise ValueError("the check never stops finding")
        yield finding


def _does_not_apply(check: Check, case: Case) -> Outcome | None:
    launch, host = case.get(Launch), case.get(Host)
    if check.forks and launch and launch.fork_known and launch.effective.fork not in check.forks:
        return Outcome(check, Status.SKIPPED, reason=t("not for {fork}", fork=launch.effective.fork))
    if check.systems and host and host.system and host.system not in check.systems:
        return Outcome(check, Status.SKIPPED, reason=t("not for {system}", system=host.system))
    return None
