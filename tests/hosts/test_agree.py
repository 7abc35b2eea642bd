"""The evaluator against the kernel: random rulesets are loaded between namespaces and real connections are tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.hosts.agree import Agreement, Case, Result, case
from tests.hosts.netns import why_not

pytestmark = pytest.mark.real
SEEDS = {
    "nft": range(700, 712),
    "iptables-nft": range(700, 706),
    "iptables-legacy": range(700, 704),
    "mixed": range(700, 706),
}
CASES = [(kind, seed) for kind, seeds in SEEDS.items() for seed in seeds]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Agreement]:
    if reason := why_not():
        pytest.skip(reason)
    with Agreement() as made:
        yield made


def agree(hosts: Agreement, one: Case) -> Result:
    absent = [tool[0] for tool, _ in one.loads if not shutil.which(tool[0])]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    return hosts.compare(one)


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_no_verdict_is_wrong(hosts: Agreement, kind: str, seed: int) -> None:
    result = agree(hosts, case(kind, seed))
    assert not result.refused, result.refused
    assert not result.wrong, "\n\n".join(map(str, result.wrong))
    assert len(result.undecided) < result.probes
