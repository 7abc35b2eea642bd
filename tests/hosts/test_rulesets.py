"""Rulesets judged without a packet, and then by packets: what the program says of each must be what happened.

Each ruleset of ``rulesets/`` is loaded into a namespace, real clients connect to real listeners through it, and three
things are compared: the verdict of ``forgedoctor firewall evaluate`` on the listings, the reading of what the client
saw, and what happened. Wrong is never allowed; undecided only where the rules alone do not tell.
"""

from __future__ import annotations

import os
import subprocess
import uuid

import pytest

from forgedoctor.check import LIKELY
from forgedoctor.reach.meaning import read
from forgedoctor.reach.symptom import Symptom, kind_of
from tests.hosts import loaders
from tests.hosts.netns import Host, Hosts, why_not
from tests.hosts.rulesets import FOLDER, Probe, Ruleset, every
from tests.hosts.rulesets_measure import Bench, Measured, Outcome

pytestmark = pytest.mark.real
RULESETS = every()
by_ruleset = pytest.mark.parametrize("ruleset", RULESETS, ids=[one.id for one in RULESETS])

# What rules do to a connection that was open without them: the causes of which one must be read from the symptom.
BY_RULES = {
    "refused": {"firewall-rejects"},
    "timeout": {"firewall-drops", "reply-lost"},
    "host-unreachable": {"firewall-forbids", "firewall-answers", "icmpv6-dropped"},
    "net-unreachable": {"firewall-answers"},
    "prohibited": {"firewall-forbids"},
    "protocol-unreachable": {"firewall-answers"},
    "silent": {"begun-only"},
}
BY_LISTENERS = {"nothing-listens", "loopback-only", "container-loopback", "ipv4-only"}


@by_ruleset
def test_the_verdict_is_what_happened(ruleset: Ruleset, measured: Measured, bench: Bench) -> None:
    said = bench.evaluated(ruleset)
    assert set(said) == set(measured.outcomes)
    wrong = _disagreements(said, measured, undecided_too=not ruleset.undecidable)
    assert not wrong, f"{ruleset.shows}\n{wrong}"
    if ruleset.undecidable:
        reasons = [str(row["because"]) for row in said.values() if row["verdict"] == "undecided"]
        assert reasons, "no probe is undecided"
        assert any(ruleset.undecidable in reason for reason in reasons), reasons


@by_ruleset
def test_a_part_of_the_listings_makes_no_wrong_verdict(ruleset: Ruleset, measured: Measured, bench: Bench) -> None:
    """Each engine's rules in one form only, as people paste them: less may be known, nothing wrong."""
    for part in bench.parts(ruleset):
        wrong = _disagreements(bench.evaluated_in_part(ruleset, part), measured, undecided_too=False)
        assert not wrong, f"{ruleset.shows}\n{part}\n{wrong}"


@by_ruleset
def test_the_true_cause_is_read_from_the_symptom(ruleset: Ruleset, measured: Measured) -> None:
    for probe in ruleset.probes:
        before, after = measured.before[probe.name], measured.outcomes[probe.name]
        if after.verdict == "open":
            continue
        symptom = _symptom(probe, after)
        rated = {one.id: one.confidence for one in read(symptom, probe.dst, probe.dport).causes}
        true = BY_RULES[symptom.kind] if before.verdict == "open" else BY_RULES[symptom.kind] | BY_LISTENERS
        assert true & set(rated), f"{probe.name}: {after} is read as {list(rated)}"
        if before.verdict == after.verdict == "refused":
            assert rated["nothing-listens"] is LIKELY, probe.name


def test_rules_are_refused_outside_of_a_namespace_made_for_them() -> None:
    if reason := why_not():
        pytest.skip(reason)
    name = f"fd-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    subprocess.run(["ip", "netns", "attach", name, str(os.getpid())], check=True)
    try:
        with pytest.raises(loaders.Refused, match="no rule is loaded there"):
            loaders.namespace(Host(name))
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    with Hosts() as net:
        done = net.server.run(["sh", "-c", loaders.GUARD], env={"TEST_NAMESPACE": "net:[1]"})
    assert done.returncode == 97 and "refused" in done.stderr


def test_every_file_is_a_ruleset() -> None:
    assert {one.path for one in RULESETS} == {path for path in FOLDER.rglob("*") if path.is_file()}


def _disagreements(said: dict[str, dict[str, object]], measured: Measured, *, undecided_too: bool) -> str:
    """The probes whose verdict is not what happened, a line each."""
    allowed = set() if undecided_too else {"undecided"}
    return "\n".join(
        f"{name}: {said[name]['verdict']}, in truth {outcome.verdict} ({outcome.symptom}): {said[name]['because']}"
        for name, outcome in measured.outcomes.items()
        if said[name]["verdict"] not in {outcome.verdict, *allowed}
    )


def _symptom(probe: Probe, outcome: Outcome) -> Symptom:
    stage, word = ("read", "timeout") if outcome.symptom == "silent" else ("connect", outcome.symptom)
    outcome_word = {"timeout": "timeout", "ECONNREFUSED": "refused"}.get(word, "unreachable")
    kind, error = kind_of(outcome_word, stage, f"{word}: ")
    near = probe.src.rsplit(".", 1)[0] == probe.dst.rsplit(".", 1)[0] or ":" in probe.src
    return Symptom(
        kind=kind,
        family="ipv6" if ":" in probe.dst else "ipv4",
        elapsed=outcome.seconds,
        place="lan" if near else "private",
        client="linux",
        error=error,
    )
