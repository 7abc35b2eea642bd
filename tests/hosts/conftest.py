"""Fixtures of the tests with real packets: why they cannot run here, and the bench that measures rulesets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import loaders
from tests.hosts.netns import why_not
from tests.hosts.rulesets import Ruleset
from tests.hosts.rulesets_measure import Bench, Measured, sweep


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Measures every ruleset of the selected tests, from the first one's start on."""
    sweep()
    made = Bench(tmp_path_factory.mktemp("rulesets"))
    wanted = [item.callspec.params.get("ruleset") for item in request.session.items if hasattr(item, "callspec")]
    made.begin(one for one in wanted if isinstance(one, Ruleset) and not loaders.missing(one.kind))
    yield made
    made.close()


@pytest.fixture
def measured(ruleset: Ruleset, request: pytest.FixtureRequest) -> Measured:
    """What really happened under the test's ruleset."""
    if reason := why_not():
        pytest.skip(reason)
    if absent := loaders.missing(ruleset.kind):
        pytest.skip(f"not installed: {', '.join(absent)}")
    bench: Bench = request.getfixturevalue("bench")
    return bench.of(ruleset)
