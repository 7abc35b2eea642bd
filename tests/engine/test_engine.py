"""The engine: facts are collected at once and within their time, a fault costs only itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from forgedoctor import engine
from forgedoctor.case import Case
from forgedoctor.check import ERROR, INFO, Check, Finding, NotApplicable, Undecided, Verdict, check, t
from forgedoctor.fact import Collector, Fact, State, Unavailable, collector
from forgedoctor.outcome import Outcome, Status
from forgedoctor.target import Target

LIVE = Target(scope="live", timeout=0.3)


class Apple(Fact, frozen=True, kw_only=True):
    color: str = "red"


class Pie(Fact, frozen=True, kw_only=True):
    of: str = ""


@pytest.fixture(autouse=True)
def _own_collectors() -> Iterator[None]:
    before = list(Collector.registered)
    yield
    Collector.registered[:] = before


@check("eats-pie", severity=ERROR, group="test")
def eats_pie(pie: Pie) -> Iterator[Finding]:
    """Eats."""
    yield Finding(t("ate {of}", of=pie.of))


def run(*checks: Check, case: Case | None = None) -> dict[str, Outcome]:
    return {one.check.id: one for one in engine.run(LIVE, checks, case=case).outcomes}


def test_a_collector_gets_the_facts_it_asks_for_first() -> None:
    @collector(Pie, scopes=["live"])
    def bake(apple: Apple) -> Pie:
        return Pie(of=f"{apple.color} apples")

    @collector(Apple, scopes=["live"])
    def pick() -> Apple:
        return Apple(color="green")

    assert [str(one.summary) for one in run(eats_pie)["eats-pie"].findings] == ["ate green apples"]


def test_collectors_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=2)

    @collector(Apple, scopes=["live"])
    def pick() -> Apple:
        meeting.wait()
        return Apple()

    @collector(Pie, scopes=["live"])
    def bake() -> Pie:
        meeting.wait()
        return Pie(of="stones")

    @check("needs-both", severity=ERROR, group="test")
    def needs_both(pie: Pie, apple: Apple) -> Iterator[Finding]:
        """Both."""
        yield Finding(t("both"))

    assert run(needs_both)["needs-both"].status is Status.FAILED


def test_a_hanging_collector_is_left_behind_and_the_rest_is_judged() -> None:
    release = threading.Event()

    @collector(Pie, scopes=["live"], budget=0.1)
    def bake() -> Pie:
        release.wait(20)
        return Pie(of="late")

    @collector(Apple, scopes=["live"])
    def pick() -> Apple:
        return Apple()

    @check("likes-apples", severity=INFO, group="test")
    def likes_apples(apple: Apple) -> Iterator[Finding]:
        """Likes."""
        yield Finding(t("apple"))

    outcomes = run(eats_pie, likes_apples)
    release.set()
    assert outcomes["eats-pie"].status is Status.UNKNOWN
    assert "in time" in str(outcomes["eats-pie"].reason)
    assert outcomes["likes-apples"].status is Status.FAILED


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable(t("no oven"), settle=t("buy one")), "no oven"),
        (Unavailable(t("locked"), state=State.DENIED), "locked"),
        (PermissionError(13, "Permission denied", "/proc/1/x"), "/proc/1/x"),
        (RuntimeError("boom"), "boom"),
    ],
)
def test_a_failing_collector_leaves_its_fact_unknown_with_the_reason(error: Exception, said: str) -> None:
    @collector(Pie, scopes=["live"])
    def bake() -> Pie:
        raise error

    outcome = run(eats_pie)["eats-pie"]
    assert outcome.status is Status.UNKNOWN
    assert said in str(outcome.reason)


def test_what_nobody_looks_for_is_skipped_not_unknown() -> None:
    assert run(eats_pie)["eats-pie"].status is Status.SKIPPED


def test_known_facts_are_not_collected_again() -> None:
    @collector(Pie, scopes=["live"])
    def bake() -> Pie:
        raise AssertionError("must not be asked")

    assert run(eats_pie, case=Case(Pie(of="plums")))["eats-pie"].status is Status.FAILED


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Undecided("cannot tell", "ask"), Status.UNKNOWN),
        (NotApplicable("not here"), Status.SKIPPED),
        (ValueError("bug"), Status.CRASHED),
    ],
)
def test_what_a_check_may_raise(error: Exception, status: Status) -> None:
    @check("raises", severity=ERROR, group="test")
    def raises(pie: Pie) -> Iterator[Finding]:
        """Raises."""
        raise error
        yield

    assert run(raises, eats_pie, case=Case(Pie()))["raises"].status is status


def test_a_check_that_hangs_is_crashed_and_the_next_ones_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHECK_LIMIT", 0.2)

    @check("a-hangs", severity=ERROR, group="test")
    def hangs(pie: Pie) -> Iterator[Finding]:
        """Hangs."""
        time.sleep(5)
        yield Finding(t("never"))

    outcomes = run(hangs, eats_pie, case=Case(Pie()))
    assert outcomes["a-hangs"].status is Status.CRASHED
    assert outcomes["eats-pie"].status is Status.FAILED


def test_a_check_that_yields_nonsense_or_never_ends_is_crashed() -> None:
    @check("nonsense", severity=ERROR, group="test")
    def nonsense(pie: Pie) -> Iterator[Finding]:
        """Nonsense."""
        yield "not a finding"  # type: ignore[misc]

    @check("endless", severity=ERROR, group="test")
    def endless(pie: Pie) -> Iterator[Finding]:
        """Endless."""
        while True:
            yield Finding(t("again"))

    outcomes = run(nonsense, endless, case=Case(Pie()))
    assert {one.status for one in outcomes.values()} == {Status.CRASHED}


def test_what_a_plugin_prints_does_not_reach_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    @check("prints", severity=ERROR, group="test")
    def prints(pie: Pie) -> Iterator[Finding]:
        """Prints."""
        print("hello from a plugin")
        yield Finding(t("x"))

    result = engine.run(LIVE, [prints], case=Case(Pie()))
    assert capsys.readouterr().out == ""
    assert "printed" in str(result.notes[0])


def test_ctrl_c_keeps_what_was_collected() -> None:
    @collector(Apple, scopes=["live"])
    def pick() -> Apple:
        return Apple()

    def progress(name: str) -> None:
        if name == "pie":
            time.sleep(0.1)  # the apple is picked by now
            raise KeyboardInterrupt

    @collector(Pie, scopes=["live"])
    def bake(apple: Apple) -> Pie:
        return Pie()

    @check("likes-apples", severity=INFO, group="test")
    def likes_apples(apple: Apple) -> Iterator[Finding]:
        """Likes."""
        yield Finding(t("apple"))

    result = engine.run(LIVE, [eats_pie, likes_apples], progress=progress)
    assert result.cancelled
    assert {one.check.id: one.status for one in result.outcomes} == {
        "eats-pie": Status.UNKNOWN,
        "likes-apples": Status.FAILED,
    }


def test_a_check_may_answer_a_question_without_finding_anything() -> None:
    @check("answers", severity=INFO, group="test")
    def answers() -> Iterator[Verdict]:
        """Answers."""
        yield Verdict(question="other-devices", answer="no", summary=t("Nobody gets in."), by="some-cause")

    outcome = engine.judge(answers, Case())
    assert outcome.status is Status.PASSED
    assert [one.answer for one in outcome.verdicts] == ["no"]
