"""Judge one probe against listings that are all in force at once."""

from __future__ import annotations

from forgedoctor.firewall import explain, neighbours
from forgedoctor.firewall.decision import Decision
from forgedoctor.firewall.hooks import Hooks
from forgedoctor.firewall.host_view import NOT_LOOPBACK, HostView, is_loopback
from forgedoctor.firewall.model import Ruleset
from forgedoctor.firewall.packet import Packet, syn
from forgedoctor.firewall.passage import ARRIVES
from forgedoctor.firewall.path import Outcome, Path
from forgedoctor.firewall.probes import Probe, network
from forgedoctor.firewall.values import Value
from forgedoctor.firewall.walk import Walker


class Judge:
    """Evaluates probes; what was prepared for one (sorted sets, orders of chains) serves the next."""

    def __init__(self, rulesets: tuple[Ruleset, ...], host: HostView) -> None:
        self.host, self.hooks, self.walker = host, Hooks(rulesets), Walker()

    def decide(self, probe: Probe) -> Decision:
        """What becomes of the connection."""
        self.walker.states = 0
        outcomes = self.outcomes(probe)
        return explain.decided(outcomes)

    def outcomes(self, probe: Probe) -> list[Outcome]:
        """Every way it may end."""
        first = self._first(probe)
        path = Path(self.hooks, self.host, self.walker)
        lost, always = neighbours.blocked(path, first)
        if always:
            return lost
        return lost + path.follow(first, "output" if first["oifname"] == "lo" else ARRIVES)

    def _first(self, probe: Probe) -> Packet:
        """The client's SYN."""
        family = probe.which()
        source, target = _value(probe.src), _value(probe.dst)
        if isinstance(target, int):
            self.host.assume(family, target)
        values = syn(family, source, target, probe.dport, self._interface(family, source, probe.iif))
        if self._is_self(family, source, probe.iif):
            values |= {"iifname": "", "oifname": "lo", "_iif": "lo"}
        return Packet(values, self.host)

    def _is_self(self, family: str, source: Value, interface: str) -> bool:
        if interface not in ("", "lo"):
            return False
        own = isinstance(source, int) and (is_loopback(family, source) or (family, source) in self.host.local)
        return own or interface == "lo"

    def _interface(self, family: str, source: Value, named: str) -> Value:
        """The interface asked for; else the one that leads to the client; else any but the loopback."""
        if named:
            return named
        found = self.host.route(family, source)
        return found.device if found and not found.hops else NOT_LOOPBACK


def _value(text: str) -> Value:
    parsed = network(text)
    return parsed[1] if parsed else None
