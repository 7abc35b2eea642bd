"""``endpoint-unreachable`` says what a symptom means, in the order that fits it, and claims no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgedoctor import catalogue, testing

CASES = Path(__file__).resolve().parents[1] / "cases" / "endpoint-unreachable"
CHECK = next(one for one in catalogue.load().checks if one.id == "endpoint-unreachable")


def told(name: str) -> tuple[list[str], list[str]]:
    """The fixes and the evidence of a case's finding."""
    (finding,) = testing.judged(CHECK, testing.read(CASES / f"{name}.json")).findings
    return [str(one.title) for one in finding.fixes], [str(one.text) for one in finding.evidence]


@pytest.mark.parametrize(("name", "first"), [
    ("fires_no_neighbour", "No machine answers at that address"),
    ("fires_no_route", "A firewall there or on the way"),  # the same error at once
    ("fires_forbidden_ipv6", "A firewall there or on the way"),
    ("fires_security_product", "A security program on this machine"),
    ("fires_in_container", "127.0.0.1 in a container"),
    ("fires_refused_there", "Nothing listens there"),
    ("fires_timeout", "A firewall drops the packets"),
    ("fires_unknown_name", "The name is not known here"),
])  # fmt: skip
def test_the_likeliest_cause_comes_first(name: str, first: str) -> None:
    fixes, _ = told(name)
    assert fixes[0].startswith(first)


def test_an_own_address_is_said_to_prove_nothing() -> None:
    fixes, evidence = told("fires_own_address")
    assert any("proves nothing about other machines" in one for one in evidence)
    assert not any("forgedoctor reach --port" in one for one in fixes)


def test_another_machine_is_told_to_listen() -> None:
    for name in ("fires_refused_there", "fires_timeout", "fires_no_neighbour"):
        assert "forgedoctor reach --port 7860" in told(name)[0][-1]
    assert any("were waited" in one for one in told("fires_timeout")[1])
