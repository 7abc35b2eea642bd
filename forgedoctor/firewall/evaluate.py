"""What a packet filter does with new connections: listings, a host and probes in, a decision for each probe out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from forgedoctor.firewall import decision, explain
from forgedoctor.firewall.assemble import Assembled, Reading, assemble
from forgedoctor.firewall.decision import Decision
from forgedoctor.firewall.host_view import HostView
from forgedoctor.firewall.judge import Judge
from forgedoctor.firewall.model import Ruleset
from forgedoctor.firewall.path import Outcome
from forgedoctor.firewall.probes import Probe
from forgedoctor.message import Message, t


class Answer(NamedTuple):
    """The decision for one probe; ``notes``: what was taken for granted."""

    probe: Probe
    decision: Decision
    notes: tuple[Message, ...] = ()


def evaluate(rulesets: Sequence[Ruleset], probes: Sequence[Probe], host: HostView | None = None) -> list[Answer]:
    """Judge each probe against the listings of one machine.

    Without ``host`` a plain one is taken: the address asked for is its own, clients are on its network, and somebody
    listens on the port.
    """
    together = assemble(rulesets)
    view = host or HostView()
    judges = [_Judged(reading, Judge(reading.rulesets, view)) for reading in together.readings]
    return [Answer(probe, _decide(together, judges, probe), together.notes) for probe in probes]


class _Judged(NamedTuple):
    reading: Reading
    judge: Judge

    def decide(self, probe: Probe) -> Decision:
        """The decision of one reading; from a cut listing only what no missing rule could change."""
        self.judge.walker.states = 0
        outcomes = self.judge.outcomes(probe)
        found = explain.decided(outcomes)
        if not self.reading.cut or found.verdict == decision.UNDECIDED or self._stands(outcomes):
            return found
        cut = next(each.source for each in self.reading.rulesets if each.cut)
        because = t(
            "The listing {source} ends in the middle: rules that are missing there may change this.", source=cut
        )
        return msgspec.structs.replace(
            found, verdict=decision.UNDECIDED, because=(because, *found.because), settle=explain.WHOLE
        )

    @staticmethod
    def _stands(outcomes: list[Outcome]) -> bool:
        """Whether it is stopped for good before any translation, so that what is missing cannot change it."""
        for one in outcomes:
            chain = one.place.table.chains.get(one.place.chain) if one.place else None
            early = chain and (chain.hook == "ingress" or (chain.hook == "prerouting" and chain.priority < -100))
            if not early or one.verdict != decision.FILTERED:
                return False
        return True


def _decide(together: Assembled, judges: list[_Judged], probe: Probe) -> Decision:
    if not judges and together.unseen:
        asked = t("Give the output of: sudo {command}", command=together.unseen.command)
        return Decision(verdict=decision.UNDECIDED, because=(together.unseen.why,), settle=asked)
    if not judges:
        because = t("No rules were given that could be read.")
        return Decision(verdict=decision.UNDECIDED, because=(because,), settle=explain.WHOLE)
    missing = together.missing.get(probe.which())
    if missing:
        asked = t("Give the output of: sudo {command}", command=missing.command)
        return Decision(verdict=decision.UNDECIDED, because=(missing.why,), settle=asked)
    found = combined([each.decide(probe) for each in judges])
    if together.unseen and found.verdict == decision.OPEN:
        asked = t("Give the output of: sudo {command}", command=together.unseen.command)
        reasons = (together.unseen.why, *found.because)
        return msgspec.structs.replace(found, verdict=decision.UNDECIDED, because=reasons, settle=asked)
    if together.manager and found.manager:
        return msgspec.structs.replace(found, manager=together.manager)
    return found


def combined(decisions: Sequence[Decision]) -> Decision:
    """One decision of several readings of the same rules: they agree, or one of them knows."""
    known = [one for one in decisions if one.verdict != decision.UNDECIDED]
    if not known:
        return decisions[0]
    if len({one.verdict for one in known}) == 1:
        return known[0]
    words = [explain.word(one.verdict) for one in known]
    because = t("Two listings of the same rules contradict each other: one says {one}, another {other}.",
                one=words[0], other=next(word for word in words if word != words[0]))  # fmt: skip
    reasons = (because, *(reason for one in known for reason in one.because))
    return Decision(verdict=decision.UNDECIDED, because=reasons, settle=t("Take the listings anew, at the same time."))
