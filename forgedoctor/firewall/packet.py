"""A packet as rules see it: what each field holds, as far as that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forgedoctor.firewall.values import ABSENT, Bits, Flags, Noise, Somewhere, Value

if TYPE_CHECKING:
    from forgedoctor.firewall.host_view import HostView

TCP, ICMP, ICMPV6 = 6, 1, 58
SYN, RST, PSH, ACK = 2, 4, 8, 16
CLIENT_PORTS = Somewhere(1024, 65535)
# How connection tracking knows a packet. BEFORE: it has not looked yet, or could not make sense of it.
BEFORE, TRACKED, UNTRACKED = "before", "tracked", "untracked"
ALIASES = {
    "iif": "iifname", "oif": "oifname", "meta iif": "iifname", "meta oif": "oifname", "meta iifname": "iifname",
    "meta oifname": "oifname", "mark": "meta mark", "meta l4proto": "meta l4proto", "pkttype": "meta pkttype",
    "nfproto": "meta nfproto", "ether type": "meta protocol",
    "ct original proto-dst": "ct original dport", "ct original proto-src": "ct original sport",
    "ct reply proto-dst": "ct reply dport", "ct reply proto-src": "ct reply sport",
}  # fmt: skip
# The first words of fields that only packets of one kind have.
_OTHERS = ("udp", "udplite", "sctp", "dccp", "ah", "esp", "comp", "igmp", "vlan", "gre", "vxlan", "geneve")
_EXTENSIONS = ("rt", "frag", "hbh", "dst", "mh", "srh", "rt0", "rt2", "rt4")
_ETHERTYPES = {"ip": 0x0800, "ip6": 0x86DD, "arp": 0x0806}


class Packet:
    """An immutable set of fields; those whose names begin with ``_`` are ours: where the packet is in its life."""

    __slots__ = ("_seen", "host", "key", "values")

    def __init__(self, values: Mapping[str, Value], host: HostView) -> None:
        self.values, self.host = dict(values), host
        self.key = frozenset(self.values.items())
        self._seen: dict[str, Value] = {}

    def __getitem__(self, field: str) -> Value:
        seen = self._seen
        if field in seen:
            return seen[field]
        value = seen[field] = self._value(field)
        return value

    def put(self, changes: Mapping[str, Any]) -> Packet:
        """The packet with some fields changed."""
        return Packet({**self.values, **{ALIASES.get(name, name): value for name, value in changes.items()}}, self.host)

    def kind(self) -> str:
        """``syn``, ``synack``, ``ack``, ``data``, ``rst``, ``icmp``, ``nd`` or ``arp``."""
        return str(self.values["_kind"])

    def family(self) -> str:
        """``ip``, ``ip6`` or ``arp``."""
        return str(self.values["_family"])

    def source(self) -> Value:
        """The address it is from."""
        return self.values[f"{self.family()} saddr"]

    def target(self) -> Value:
        """The address it goes to."""
        return self.values[f"{self.family()} daddr"]

    def _value(self, field: str) -> Value:
        name = ALIASES.get(field, field)
        first = name.partition(" ")[0]
        if first == "ct":
            return self._tracked(name)
        if name in self.values:
            return self.values[name]
        if first == "fib":
            return self.host.fib(name, self)
        return self._missing(name, first)

    def _tracked(self, name: str) -> Value:
        state = self.values.get("_track", BEFORE)
        if state == TRACKED:
            return self.values.get(name, self._of_other_family(name))
        if name == "ct state":
            return "invalid" if state == BEFORE else "untracked" if state == UNTRACKED else None
        return None if state is None else ABSENT

    def _of_other_family(self, name: str) -> Value:
        """``ct original ip saddr`` of an IPv6 connection is not there; the rest is not known."""
        wrong = {"ip": "ip6", "ip6": "ip"}.get(self.family(), "")
        return ABSENT if f" {wrong} " in name else None

    def _missing(self, name: str, first: str) -> Value:
        """A field that this packet has not, or of which we know nothing."""
        family = self.family()
        if first in ("ip", "ip6", "arp"):
            return None if first == family else ABSENT
        if first == "exthdr":
            return 0
        if first in _OTHERS or (first in _EXTENSIONS and " " in name):
            return ABSENT
        if first in ("tcp", "icmp", "icmpv6"):
            return None if first == {TCP: "tcp", ICMP: "icmp", ICMPV6: "icmpv6"}.get(self._protocol()) else ABSENT
        if name == "th dport" or name == "th sport":
            return self.values.get(f"tcp {name[3:]}")
        return None

    def _protocol(self) -> int:
        number = self.values.get("meta l4proto")
        return number if isinstance(number, int) else 0


def base(kind: str, family: str, source: Value, target: Value, protocol: int) -> dict[str, Value]:
    """The fields that every packet of a family has."""
    values: dict[str, Value] = {
        "_kind": kind,
        "_family": family,
        "_track": BEFORE,
        "meta mark": 0,
        "meta protocol": _ETHERTYPES[family],
        "meta nfproto": {"ip": "ipv4", "ip6": "ipv6"}.get(family, ABSENT),
        "meta l4proto": protocol if protocol else ABSENT,
        "ct zone": 0,
        f"{family} saddr": source,
        f"{family} daddr": target,
    }
    if family == "ip":
        values |= {"ip protocol": protocol, "ip version": 4, "ip frag-off": Bits(0, 0xBFFF)}
    elif family == "ip6":
        values |= {"ip6 nexthdr": protocol, "ip6 version": 6}
    return values


def syn(family: str, source: Value, target: Value, port: int, interface: Value) -> dict[str, Value]:
    """The first packet of a client, as it comes in."""
    return base("syn", family, source, target, TCP) | {
        "iifname": interface,
        "oifname": "",
        "tcp sport": CLIENT_PORTS,
        "tcp dport": port,
        "tcp flags": SYN,
        "meta pkttype": "host",
        "meta skuid": ABSENT,
        "meta skgid": ABSENT,
        "_client": source,
        "_sport": CLIENT_PORTS,
        "_dst": target,
        "_dport": port,
    }


def begun(family: str, packet: Packet) -> dict[str, Value]:
    """What connection tracking notes of a new connection."""
    source, target, values = packet.source(), packet.target(), packet.values
    return {
        "_track": TRACKED,
        "ct state": "new",
        "ct direction": "original",
        "ct mark": 0,
        "ct status": Flags(frozenset(), frozenset({"expected"})),
        "ct l3proto": "ipv4" if family == "ip" else "ipv6",
        "ct protocol": TCP,
        f"ct original {family} saddr": source,
        f"ct original {family} daddr": target,
        "ct original sport": values["tcp sport"],
        "ct original dport": values["tcp dport"],
    }


def neighbour(kind: int, source: Value, target: Value, interface: Value, oif: Value) -> dict[str, Value]:
    """A neighbour solicitation (135) or advertisement (136): hop limit 255, as RFC 4861 demands."""
    return base("nd", "ip6", source, target, ICMPV6) | {
        "icmpv6 type": kind,
        "icmpv6 code": 0,
        "th sport": kind << 8,  # the same bytes
        "th dport": Noise(16),  # the checksum
        "ip6 hoplimit": 255,
        "iifname": interface,
        "oifname": oif,
        "meta pkttype": "multicast" if kind == 135 else None,
    }


def arp(operation: int, source: Value, target: Value, interface: Value, oif: Value) -> dict[str, Value]:
    """An ARP request (1) or reply (2)."""
    return base("arp", "arp", source, target, 0) | {
        "arp operation": operation,
        "arp htype": 1,
        "arp ptype": 0x0800,
        "arp hlen": 6,
        "arp plen": 4,
        "arp saddr ip": source,
        "arp daddr ip": target,
        "iifname": interface,
        "oifname": oif,
    }
