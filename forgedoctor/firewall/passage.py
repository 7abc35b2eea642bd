"""How a packet passes the hooks: their chains in the kernel's order, translation, and what the rules leave open."""

from __future__ import annotations

from typing import NamedTuple

from forgedoctor.firewall import decision, nat
from forgedoctor.firewall.hooks import Hooks, Order, Step, learnt_device
from forgedoctor.firewall.host_view import HostView
from forgedoctor.firewall.packet import TRACKED, Packet
from forgedoctor.firewall.tracking import tracked
from forgedoctor.firewall.trail import Base, Fork, Place, Trail, chose
from forgedoctor.firewall.walk import ACCEPT, MOST_STATES, End, Walker

ARRIVES = "bridge-prerouting"  # where a packet comes in
MOST_VISITS = 5_000
_SIDES = {
    ("prerouting", "original"): "to", ("output", "original"): "to",
    ("input", "original"): "from", ("postrouting", "original"): "from",
    ("prerouting", "reply"): "from", ("output", "reply"): "from",
    ("input", "reply"): "to", ("postrouting", "reply"): "to",
}  # fmt: skip


_NEXT = {
    "bridge-prerouting": "bridge-input", "bridge-input": "ingress",
    "ingress": "prerouting", "prerouting": "route", "input": "delivered", "forward": "postrouting",
    "output": "postrouting", "postrouting": "bridge-output",
    "bridge-output": "bridge-postrouting", "bridge-postrouting": "egress", "egress": "away",
    "arp-ingress": "arp-input", "arp-input": "away", "arp-output": "arp-egress", "arp-egress": "away",
}  # fmt: skip


class Outcome(NamedTuple):
    """One way it may end. ``verdict``: open, refused, filtered, undecided (or ``passed``, for neighbours);
    ``why``: a key of :mod:`explain`; ``place``: the deciding rule; ``kind``: the packet it befell."""

    verdict: str
    why: str
    place: Place | None
    trail: Trail
    kind: str = ""
    detail: str = ""


class At(NamedTuple):
    """Where a packet is: at a hook, with the steps still to do. ``allowed``: the last rule that let it through."""

    stage: str
    packet: Packet
    trail: Trail
    allowed: Place | None = None
    steps: tuple[Step, ...] | None = None
    order: int = 0


class Passage:
    """Follows packets through the hooks of one host; what is between the hooks is :class:`path.Path`'s."""

    def __init__(self, hooks: Hooks, host: HostView, walker: Walker) -> None:
        self.hooks, self.host, self.walker = hooks, host, walker
        self.outcomes: list[Outcome] = []
        self._work: list[At] = []
        self._seen: set[tuple[object, ...]] = set()

    def follow(self, packet: Packet, stage: str = ARRIVES) -> list[Outcome]:
        """Every outcome of a packet that begins there."""
        self.outcomes, self._work, self._seen = [], [At(stage, packet, None)], set()
        while self._work:
            here = self._work.pop()
            if len(self._seen) > MOST_VISITS or self.walker.states > MOST_STATES:
                self._end(decision.UNDECIDED, "size", here)
                break
            self._visit(here)
        return self.outcomes

    def _visit(self, here: At) -> None:
        head = len(here.steps[0].chains) if here.steps else 0
        key = (here.stage, here.order, -1 if here.steps is None else len(here.steps), head, here.packet.key)
        if key in self._seen:
            return
        self._seen.add(key)
        if here.steps:
            self._step(here)
        elif here.steps is None and here.stage in _NEXT:
            self._enter(here)
        elif here.stage in _NEXT:
            packet = _out_of_bridge(here.packet) if here.packet.values.get("_bridge") else here.packet
            self._work.append(here._replace(stage=_NEXT[here.stage], packet=packet, steps=None, order=0))
        else:
            getattr(self, f"_{here.stage}")(here)

    # -- hooks -------------------------------------------------------------------------------------------------

    def _enter(self, here: At) -> None:
        """Come to a hook: find its chains, in each order they may have."""
        hook = here.stage.removeprefix("arp-").removeprefix("bridge-")
        if hook in ("ingress", "egress"):
            self._device(here, hook)
            return
        if here.stage.startswith("bridge-"):
            self._bridge(here, hook)
            return
        self._ordered(here, self.hooks.orders(hook, here.packet.family()))

    def _bridge(self, here: At, hook: str) -> None:
        """The chains of the bridge family, where the interface is a bridge; there they see its ports."""
        field = "iifname" if hook in ("prerouting", "input") else "oifname"
        name = here.packet[field]
        orders = self.hooks.orders(hook, "bridge")
        bridged = self.host.is_bridge(name) if any(orders) else False
        fork = Fork("bridge", "bridge", _first_place(orders[0]))
        if bridged is not True:
            way = here.trail if bridged is False else chose(here.trail, fork, "no")
            self._work.append(here._replace(steps=(), trail=way))
        if bridged is not False:
            way = here.trail if bridged else chose(here.trail, fork, "yes")
            self._ordered(here._replace(packet=_into_bridge(here.packet, field), trail=way), orders)

    def _ordered(self, here: At, orders: tuple[Order, ...]) -> None:
        if len(orders) == 1:
            self._work.append(here._replace(steps=orders[0]))
            return
        fork = Fork(here.stage, "order", _first_place(orders[0]))
        for number, order in enumerate(orders):
            way = chose(here.trail, fork, str(number))
            self._work.append(here._replace(steps=order, order=number, trail=way))

    def _device(self, here: At, hook: str) -> None:
        """The chains of the interface, those of which it is not known included both ways."""
        field = "iifname" if hook == "ingress" else "oifname"
        found = self.hooks.devices(hook, here.packet, here.packet[field])
        ways: list[tuple[tuple[Step, ...], Packet, Trail]] = [((), here.packet, here.trail)]
        for base, attached in found:
            step = Step("filter", 0, (base,))
            if attached:
                ways = [((*steps, step), packet, trail) for steps, packet, trail in ways]
                continue
            fork = Fork(base.chain.name, "device", Place(base.table, base.chain.name, None, base.source))
            ways = [
                ((*steps, step) if on else steps, learnt_device(base, packet, field, on), chose(trail, fork, answer))
                for steps, packet, trail in ways[:64]
                for on, answer in ((True, "yes"), (False, "no"))
            ]
        for number, (steps, packet, trail) in enumerate(ways):
            self._work.append(here._replace(steps=steps, packet=packet, trail=trail, order=number))

    def _step(self, here: At) -> None:
        assert here.steps
        step, rest = here.steps[0], here.steps[1:]
        if step.kind == "track":
            self._work.append(here._replace(packet=tracked(here.packet), steps=rest))
        elif step.kind == "nat":
            self._nat(here, step, rest)
        else:
            self._chain(here, step.chains[0], rest)

    def _chain(self, here: At, base: Base, rest: tuple[Step, ...]) -> None:
        if base.table.dormant is None:
            here = self._asleep(here, base, rest)
            if here.packet.values[_dormant(base)] == "yes":
                return
        for end in self.walker.chain(base, here.packet, here.trail):
            if end.kind == ACCEPT:
                let_in = here.stage in ("input", "forward") and end.packet.kind() == "syn" and end.place.rule
                allowed = end.place if let_in else here.allowed
                self._work.append(here._replace(packet=end.packet, trail=end.trail, allowed=allowed, steps=rest))
            else:
                self._stopped(here, end, base)

    def _asleep(self, here: At, base: Base, rest: tuple[Step, ...]) -> At:
        """Where the listing does not say whether a table is dormant: once for the whole connection, both ways."""
        name = _dormant(base)
        known = here.packet.values.get(name)
        fork = Fork(f"{base.table.family} {base.table.name}", "dormant")
        if known is None or known == "yes":
            way = here.trail if known else chose(here.trail, fork, "yes")
            self._work.append(here._replace(packet=here.packet.put({name: "yes"}), trail=way, steps=rest))
        if known is None:
            here = here._replace(packet=here.packet.put({name: "no"}), trail=chose(here.trail, fork, "no"))
        return here

    def _nat(self, here: At, step: Step, rest: tuple[Step, ...]) -> None:
        """Translate: a new connection by the first rule that says so, its later packets likewise."""
        packet = here.packet
        looped = packet.values.get("_looped")  # was translated on its way out
        if packet.values.get("_track") != TRACKED or (looped and packet.values.get("ct state") == "new"):
            self._work.append(here._replace(steps=rest))
            return
        side = _SIDES[here.stage, str(packet.values.get("ct direction"))]
        if packet.values.get("ct state") != "new":
            self._work.append(here._replace(packet=nat.again(packet, side), steps=rest))
        elif not step.chains or packet.values.get(f"_{side}"):
            self._work.append(here._replace(steps=rest))
        else:
            left = step._replace(chains=step.chains[1:])
            self._chain(here, step.chains[0], (left, *rest))

    def _stopped(self, here: At, end: End, base: Base) -> None:
        raise NotImplementedError

    def _end(self, verdict: str, why: str, here: At, place: Place | None = None, detail: str = "") -> None:
        self.outcomes.append(Outcome(verdict, why, place, here.trail, here.packet.kind(), detail))


def _into_bridge(packet: Packet, field: str) -> Packet:
    """The packet at a port of the bridge; which one is known only where the bridge has one."""
    kept = {"_bridge": field, "_iifname": packet["iifname"], "_oifname": packet["oifname"]}
    name = "meta ibrname" if field == "iifname" else "meta obrname"
    return packet.put(
        {**kept, "iifname": "", "oifname": "", name: packet[field], field: packet.host.port_of(packet[field])}
    )


def _out_of_bridge(packet: Packet) -> Packet:
    values = packet.values
    return packet.put({"_bridge": "", "iifname": values["_iifname"], "oifname": values["_oifname"]})


def _dormant(base: Base) -> str:
    return f"_dormant {base.table.family} {base.table.name}"


def _first_place(order: tuple[Step, ...]) -> Place | None:
    for step in order:
        if step.chains:
            base = step.chains[0]
            return Place(base.table, base.chain.name, None, base.source)
    return None
