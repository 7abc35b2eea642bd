"""Whether a network is closed only because it counts as public: the checks of both causes ask this."""

from __future__ import annotations

from forgedoctor.facts import WindowsNetwork
from forgedoctor.firewall.decision import OPEN
from forgedoctor.firewall.windows import evaluate
from forgedoctor_checks.reach._windows import Way, closed_by_default


def only_for_private(network: WindowsNetwork, way: Way, port: int) -> str:
    """The rule that would let others in if this public network were a private one; empty where there is none."""
    if way.network.category != "public" or not way.network.interface or not closed_by_default(way):
        return ""
    decisions = [evaluate(network, program=one, port=port, category="private") for one in network.programs or ("",)]
    opens = all(one.verdict == OPEN for one in decisions)
    return next((one.rule for one in decisions if one.rule), "") if opens else ""
