"""Which base chains a packet meets at a hook, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, permutations, product
from typing import NamedTuple

from forgedoctor.firewall.host_view import parse_address
from forgedoctor.firewall.lookup import refined
from forgedoctor.firewall.model import (
    Match,
    Members,
    NoTrack,
    Ruleset,
    SetField,
    Table,
    Translate,
    Unknown,
    VerdictMap,
)  # fmt: skip
from forgedoctor.firewall.packet import Packet
from forgedoctor.firewall.trail import Base
from forgedoctor.firewall.values import ABSENT, Other, Value, one

# Priorities of the kernel's own hooks (linux/netfilter_ipv4.h). All nat chains together run at these.
TRACKING = -200
NAT = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}
TRACKED_AT = ("prerouting", "output")
MOST_ORDERS = 24
_FAMILIES = {"ip": ("inet", "ip"), "ip6": ("inet", "ip6"), "arp": ("arp",), "bridge": ("bridge",)}


class Step(NamedTuple):
    """``chains``: one filter chain, or the nat chains in their order; ``kind``: ``filter``, ``nat``, ``track``."""

    kind: str
    priority: int
    chains: tuple[Base, ...] = ()


Order = tuple[Step, ...]


class Hooks:
    """The base chains of some listings that are all in force at once."""

    def __init__(self, rulesets: Iterable[Ruleset]) -> None:
        self.bases: list[Base] = []
        self._orders: dict[tuple[str, str], tuple[Order, ...]] = {}
        for number, ruleset in enumerate(rulesets):
            for table in ruleset.tables:
                if table.dormant is True:
                    continue
                for chain in table.chains.values():
                    if chain.hook:
                        self.bases.append(Base(table, chain, ruleset.source, number, len(self.bases)))
        self._tracking: dict[str, bool] = {}
        self.translates = any(base.chain.type == "nat" for base in self.bases)

    def orders(self, hook: str, family: str) -> tuple[Order, ...]:
        """The orders in which the chains of a hook may run; more than one where priorities are equal."""
        key = (hook, family)
        if key not in self._orders:
            self._orders[key] = self._make(hook, family)
        return self._orders[key]

    def devices(self, hook: str, packet: Packet, device: Value) -> list[tuple[Base, bool | None]]:
        """The chains of a device's ``ingress`` or ``egress``, and whether each is for this device."""
        families = ("netdev",) if packet.family() == "arp" else ("netdev", "inet")
        found = []
        for base in self.bases:
            if base.chain.hook == hook and base.table.family in families:
                hit = _on(base, device)
                if hit is not False:
                    found.append((base, hit))
        return sorted(found, key=lambda each: (each[0].table.family == "inet", each[0].chain.priority, -each[0].order))

    def tracks(self, family: str) -> bool:
        """Whether connections of a family are tracked: the kernel begins with it when a rule asks for it."""
        if family not in self._tracking:
            tables = {id(base.table): base.table for base in self.bases if base.table.family in _FAMILIES[family]}
            self._tracking[family] = any(_asks(table, family) for table in tables.values())
        return self._tracking[family]

    def _make(self, hook: str, family: str) -> tuple[Order, ...]:
        steps, nats = [], []
        for base in self.bases:
            if base.chain.hook != hook or base.table.family not in _FAMILIES[family]:
                continue
            if base.chain.type == "nat":
                nats.append(Step("filter", base.chain.priority, (base,)))
            elif base.chain.rules or base.chain.policy == "drop":
                steps.append(Step("filter", base.chain.priority, (base,)))
        if family not in ("arp", "bridge"):
            if hook in TRACKED_AT:
                steps.append(Step("track", TRACKING))
            if self.translates and hook in NAT and self.tracks(family):
                chained = [tuple(step.chains[0] for step in order) for order in _ordered(nats)]
                return tuple(
                    order for nat in chained for order in _ordered([*steps, Step("nat", NAT[hook], nat)])
                )  # fmt: skip
        return _ordered(steps)


def _asks(table: Table, family: str) -> bool:
    """Whether a rule of a table needs connection tracking of a family, or may."""
    for each in (statement for chain in table.chains.values() for rule in chain.rules for statement in rule.statements):
        if isinstance(each, Unknown) or (isinstance(each, NoTrack) and table.engine != "nft"):
            return True
        if isinstance(each, Translate) and family in _translated(each, table):
            return True
        if isinstance(each, (Match, VerdictMap)) and any(field.startswith("ct ") for field in each.fields):
            return True
        if isinstance(each, SetField) and (each.field.startswith("ct ") or each.source.startswith("ct ")):
            return True
    return False


def _translated(statement: Translate, table: Table) -> tuple[str, ...]:
    """The families whose connections a translation has tracked: that of its addresses, else both."""
    held = table.maps.get(statement.named, ()) if statement.named else statement.entries
    address = next((value[0] for _, value in held if isinstance(value, tuple)), statement.address)
    parsed = parse_address(address)
    return (parsed[0],) if parsed else ("ip", "ip6")


def _on(base: Base, device: Value) -> bool | None:
    """Whether an ingress chain is attached to a device."""
    if base.chain.devices is None or device is None:
        return None
    answers = [one("iifname", device, name) for name in base.chain.devices]
    return True if True in answers else None if None in answers else False


def _ordered(steps: list[Step]) -> tuple[Order, ...]:
    """By priority. Of equal ones the kernel runs the last registered first (measured, Linux 6.18)."""
    steps.sort(key=lambda step: step.priority)
    groups = [_group(list(equal)) for _, equal in groupby(steps, key=lambda step: step.priority)]
    count = 1
    for group in groups:
        count *= len(group)
    if count > MOST_ORDERS:
        groups = [group if len(group) == 1 else [group[0], group[-1]] for group in groups]
    orders = (tuple(step for group in chosen for step in group) for chosen in product(*groups))
    return tuple(order for order, _ in zip(orders, range(MOST_ORDERS), strict=False))


def _group(equal: list[Step]) -> list[Order]:
    """The orders that chains of one priority may run in.

    The tables of one nft listing stand in the order in which they were made, so the last runs first. When chains
    of other programs or the kernel's own hooks were registered, no listing says.
    """
    if len(equal) == 1:
        return [tuple(equal)]
    bases = [step.chains[0] for step in equal if step.kind == "filter"]
    together = len(bases) == len(equal) and len({base.listing for base in bases}) == 1
    if together and all(base.table.engine == "nft" for base in bases):
        return [tuple(equal[::-1])]
    if len(equal) > 4:
        return [tuple(equal), tuple(equal[::-1])]
    return list(permutations(equal))


def learnt_device(base: Base, packet: Packet, field: str, held: bool) -> Packet:
    """The packet, with what it means for its interface that a chain is for it or not."""
    names = base.chain.devices
    if not names or len(names) != 1 or packet.values.get(field) is ABSENT:
        return packet
    if not isinstance(packet.values.get(field), Other):
        return packet
    return refined(Match(fields=(field,), members=Members(elements=((names[0],),))), packet, held)
