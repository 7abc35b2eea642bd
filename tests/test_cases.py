"""Every check owns at least one case in which it fires and one in which it stays quiet; all of them hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgedoctor import catalogue, signature, testing
from forgedoctor.check import Check
from forgedoctor_checks.call import answers
from forgedoctor_checks.log import machine, web

CASES = Path(__file__).parent / "cases"
CHECKS = {one.id: one for one in catalogue.load().checks}
FILES = sorted(path for path in CASES.glob("*/*") if path.suffix in (".json", ".txt"))
SIGNATURES = [*answers.SIGNATURES, *machine.SIGNATURES, *web.SIGNATURES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    assert path.parent.name in CHECKS, "a folder of cases for a check that does not exist"
    assert testing.problem(CHECKS[path.parent.name], path) == ""


@pytest.mark.parametrize("id", sorted(CHECKS))
def test_every_check_has_both_kinds(id: str) -> None:
    names = [path.name for path in (CASES / id).glob("*")]
    signed = {one.id for one in SIGNATURES}
    assert any(name.startswith(("fires_", "log_")) for name in names) or id in signed, f"tests/cases/{id}/fires_*.json"
    assert any(name.startswith("quiet_") for name in names) or id in signed, f"tests/cases/{id}/quiet_*.json"


def _alone(one: signature.Signature) -> Check:
    return signature.as_check(one, __name__)


@pytest.mark.parametrize("one", SIGNATURES, ids=lambda one: f"{one.group}-{one.id}")
def test_signature(one: signature.Signature) -> None:
    assert one.examples and one.near_misses, "an entry needs an example and a near miss"
    for text in one.examples:
        assert testing.judged(_alone(one), {"given": {"text": text}}).findings, f"must fire on: {text}"
    for text in one.near_misses:
        assert not testing.judged(_alone(one), {"given": {"text": text}}).findings, f"must stay quiet on: {text}"
