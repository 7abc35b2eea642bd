"""The way of a connection through a host's rules: the client's SYN in, the answer out, and what follows it.

Each packet meets the hooks in the kernel's order. What the rules leave open is tried in every way, and every outcome
that comes up is kept: only where all agree the question is decided.
"""

from __future__ import annotations

from forgedoctor.firewall import decision, replies
from forgedoctor.firewall.host_view import NOT_LOOPBACK, is_loopback
from forgedoctor.firewall.passage import ARRIVES, At, Outcome, Passage
from forgedoctor.firewall.trail import Base, Fork, chose
from forgedoctor.firewall.walk import DROP, REJECT, End

__all__ = ["Outcome", "Path"]

TO_SERVER = ("syn", "ack")


class Path(Passage):
    """What becomes of the packets of a connection between and after the hooks."""

    def _stopped(self, here: At, end: End, base: Base) -> None:
        """A rule dropped or rejected the packet, or could not be followed."""
        kind = end.packet.kind()
        at = here._replace(packet=end.packet, trail=end.trail)
        if end.kind not in (DROP, REJECT):
            self._end(decision.UNDECIDED, end.what, at, end.place)
        elif end.kind == DROP or kind not in TO_SERVER:
            self._end(decision.FILTERED, "dropped", at, end.place)
        elif not replies.refuses(end.what):
            self._end(decision.FILTERED, "rejected", at, end.place, end.what)
        elif base.table.family in ("netdev", "bridge"):
            self._end(decision.REFUSED, "rejected", at, end.place, end.what)
        else:
            trail = end.trail
            if kind == "ack" and not replies.resets(end.what):
                # The client is connected by then, and whether it hears of the error is its program's matter.
                fork = Fork("client", "client", end.place)
                self._end(
                    decision.FILTERED, "rejected", at._replace(trail=chose(trail, fork, "no")), end.place, end.what
                )
                trail = chose(trail, fork, "yes")
            self._work.append(At("output", replies.rejection(end.packet, end.what), trail, end.place))

    # -- between the hooks -------------------------------------------------------------------------------------

    def _route(self, here: At) -> None:
        """After prerouting: for this host, or for another?"""
        packet = here.packet
        family = packet.family()
        target = packet.target()
        if packet.kind() in ("nd", "arp") or packet.values.get("_local"):
            local: bool | None = True
        elif packet.kind() not in TO_SERVER:
            local = bool(packet.values.get("_looped"))
        else:
            local = self.host.is_local(family, target)
        fork = Fork("destination", "local")
        if local is not False:
            trail = here.trail if local else chose(here.trail, fork, "yes")
            stray = isinstance(target, int) and family == "ip" and is_loopback(family, target)
            if stray and packet.kind() == "syn" and packet["iifname"] != "lo":
                fork_lo = Fork("route_localnet", "localnet")
                at = here._replace(trail=chose(trail, fork_lo, "no"))
                self._end(decision.FILTERED, "localnet", at)
                trail = chose(trail, fork_lo, "yes")
            self._work.append(here._replace(stage="input", trail=trail))
        if local is not True:
            trail = here.trail if local is False else chose(here.trail, fork, "no")
            self._forwarded(here._replace(trail=trail))

    def _forwarded(self, here: At) -> None:
        packet = here.packet
        family = packet.family()
        trail = here.trail
        if packet.kind() == "syn":
            forwards = self.host.forwards if family == "ip" or self.host.forwards is False else None
            fork = Fork("forwarding", "forwarding6" if family == "ip6" else "forwarding")
            if forwards is not True:
                at = here._replace(trail=trail if forwards is False else chose(trail, fork, "no"))
                self._end(decision.FILTERED, "not-forwarded", at)
            if forwards is False:
                return
            trail = trail if forwards else chose(trail, fork, "yes")
        towards = packet.values.get("_iif") if packet.kind() not in TO_SERVER else NOT_LOOPBACK
        out = self.host.out(family, packet.target(), towards)
        self._work.append(here._replace(stage="forward", packet=packet.put({"oifname": out}), trail=trail))

    def _delivered(self, here: At) -> None:
        """After input: whoever listens on this host answers."""
        packet = here.packet
        if packet.kind() == "nd":
            self._work.append(At("output", replies.advertisement(packet), here.trail, here.allowed))
        elif packet.kind() == "ack" and replies.astray(packet):
            self._work.append(At("output", replies.to_stray(packet), here.trail, here.allowed))
        elif packet.kind() == "ack":
            self._work.append(At("output", replies.data(packet), here.trail, here.allowed))
        elif packet.kind() not in TO_SERVER:
            self._client(here)
        else:
            listens = self.host.listens(packet.family(), packet.target(), packet["tcp dport"])
            self._answered(here, listens, "output", "listener")

    def _answered(self, here: At, listens: bool | None, stage: str, how: str) -> None:
        fork = Fork("listener", how)
        for kind, answer in (("synack", True), ("rst", False)):
            if listens is None or listens is answer:
                trail = here.trail if listens is not None else chose(here.trail, fork, "yes" if answer else "no")
                reply = replies.answer(here.packet, kind)
                if stage == ARRIVES:
                    reply = reply.put({"iifname": here.packet["oifname"], "oifname": ""})
                self._work.append(At(stage, reply, trail, here.allowed))

    def _away(self, here: At) -> None:
        """Out of an interface: to the client, or to whoever is behind this host."""
        packet, kind = here.packet, here.packet.kind()
        if packet.values.get("oifname") == "lo" and not packet.values.get("_looped"):
            self._work.append(here._replace(stage=ARRIVES, packet=replies.looped(packet), steps=None, order=0))
        elif kind == "syn":
            listens = self.host.listens_behind(packet.family(), packet.target(), packet["tcp dport"])
            self._answered(here, listens, ARRIVES, "behind")
        elif kind == "ack":
            reply = replies.data(packet).put({"iifname": packet["oifname"], "oifname": ""})
            self._work.append(At(ARRIVES, reply, here.trail, here.allowed))
        elif kind in ("nd", "arp"):
            self._end("passed", "passed", here)
        else:
            self._client(here)

    def _client(self, here: At) -> None:
        """A packet reaches the client."""
        packet, kind = here.packet, here.packet.kind()
        if replies.strange(packet):
            self._end(decision.FILTERED, "untranslated", here)
        elif kind == "synack":
            stage = "output" if packet.values["_iif"] == "lo" else ARRIVES
            self._work.append(At(stage, replies.acknowledgement(packet), here.trail, here.allowed))
        elif kind == "data":
            self._end(decision.OPEN, "open", here, here.allowed)
        else:
            why = "closed" if packet.values.get("_closed") else "stray" if packet.values.get("_stray") else "rejected"
            self._end(decision.REFUSED, why, here, here.allowed, str(packet.values.get("_what", "")))
