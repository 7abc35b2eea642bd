"""One likely cause first; what follows from it is folded under it."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Check, Confidence, Finding, Severity, check, t
from forgedoctor.outcome import Outcome, Status
from forgedoctor.ranking import rank


def outcome(
    id: str, severity: Severity = ERROR, explains: tuple[str, ...] = (), confidence: Confidence = LIKELY
) -> Outcome:
    @check(id, severity=severity, group="test", explains=explains)
    def judge() -> Iterator[Finding]:
        """Judge."""
        yield Finding(t("x"))

    assert isinstance(judge, Check)
    return Outcome(judge, Status.FAILED, findings=[Finding(t(id), confidence=confidence)])


def order(*outcomes: Outcome) -> list[tuple[str, str]]:
    return [(one.check, one.explained_by) for one in rank(list(outcomes))]


def test_errors_before_warnings_before_hints() -> None:
    assert order(outcome("c", INFO), outcome("b", WARNING), outcome("a", ERROR)) == [("a", ""), ("b", ""), ("c", "")]


def test_the_more_specific_evidence_first() -> None:
    assert order(outcome("a"), outcome("b", confidence=CERTAIN))[0] == ("b", "")


def test_a_consequence_is_folded_under_its_cause() -> None:
    cause, symptom = outcome("port", explains=("refused",)), outcome("refused")
    assert order(symptom, cause) == [("port", ""), ("refused", "port")]
    assert symptom.status is Status.BLOCKED and symptom.by == "port"


def test_a_chain_of_causes_ends_at_its_root() -> None:
    chain = [outcome("a", explains=("b",)), outcome("b", explains=("c",)), outcome("c")]
    assert order(*chain) == [("a", ""), ("b", "a"), ("c", "a")]


def test_an_undecided_check_that_follows_from_a_cause_is_blocked() -> None:
    waiting = outcome("b")
    waiting.status, waiting.findings = Status.UNKNOWN, []
    order(outcome("a", explains=("b",)), waiting)
    assert waiting.status is Status.BLOCKED


def test_a_hint_never_hides_an_error() -> None:
    assert order(outcome("hint", INFO, explains=("broken",)), outcome("broken", ERROR))[0] == ("broken", "")


def test_a_circle_of_explanations_loses_nothing() -> None:
    found = order(outcome("a", explains=("b",)), outcome("b", explains=("a",)))
    assert sorted(name for name, _ in found) == ["a", "b"]


names = st.sampled_from("abcdef")


@given(st.dictionaries(names, st.tuples(st.sampled_from(list(Severity)), st.lists(names, max_size=4)), min_size=1))
def test_every_finding_is_shown_once_and_a_cause_stands_first(drawn: dict[str, tuple[Severity, list[str]]]) -> None:
    outcomes = [outcome(id, severity, tuple(explains)) for id, (severity, explains) in drawn.items()]
    found = rank(outcomes)
    assert sorted(one.check for one in found) == sorted(drawn)
    assert found[0].explained_by == ""
    causes = {one.check for one in found if not one.explained_by}
    assert all(one.explained_by in causes for one in found if one.explained_by)
