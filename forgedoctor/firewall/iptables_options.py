"""The options of iptables' matches that each stand for themselves, in the words of the model.

Source: iptables-extensions(8), and measured with iptables 1.8.9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from forgedoctor.firewall import iptables_values as read
from forgedoctor.firewall.ipset import IpSet
from forgedoctor.firewall.iptables_words import Option
from forgedoctor.firewall.model import Match, Members, Part, Statement, Unknown


class Either(NamedTuple):
    """One of these must hold: the rule is written once for each."""

    choices: tuple[tuple[Statement, ...], ...]


class Context(NamedTuple):
    """What a rule is read with: its family, the sets of ``ipset save`` (None: not given), its table's chains."""

    six: bool
    sets: Mapping[str, IpSet] | None
    chains: Mapping[str, object]

    @property
    def ip(self) -> str:
        return "ip6" if self.six else "ip"


Found = list[Statement | Either]
_Read = Callable[[Option, Context], Found]
_Parts = Callable[[str], tuple[Part, ...]]

_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}


def never(negated: bool) -> Match:
    """A match that holds for no packet; negated: for all."""
    return read.matching("meta nfproto", ("none",), negated)


def _field(field: str, parts: _Parts, op: str = "") -> _Read:
    """An option that compares one field; ``{ip}`` in its name is the family's."""

    def one(option: Option, context: Context) -> Found:
        match = read.matching(field.format(ip=context.ip), parts(option.value), option.negated)
        return [Match(fields=match.fields, op=op, members=match.members) if op else match]

    return one


def _address(field: str) -> _Read:
    def one(option: Option, context: Context) -> Found:
        return [read.networks(field.format(ip=context.ip), option.value, context.six, option.negated)]

    return one


def _addresses(field: str) -> _Read:
    def one(option: Option, context: Context) -> Found:
        part = read.addresses(option.value, context.six)
        return [read.matching(field.format(ip=context.ip), (part,), option.negated)]

    return one


def _marked(field: str) -> _Read:
    def one(option: Option, context: Context) -> Found:
        value, mask = read.marks(option.value)
        return [read.matching(field, ((value, value),), option.negated, None if mask == read.WHOLE else mask)]

    return one


def _single(text: str) -> tuple[Part, ...]:
    value = read.number(text)
    return ((value, value),)


def _protocol(text: str) -> tuple[Part, ...]:
    value = read.protocol(text)
    return ((value, value),)


def _hardware(text: str) -> tuple[Part, ...]:
    value = read.mac(text)
    return ((value, value),)


def names(text: str) -> tuple[Part, ...]:
    """The names of a list with commas, as parts."""
    return tuple(text.lower().replace("_", "-").split(","))


def _packet_type(text: str) -> tuple[Part, ...]:
    return ("host" if text.lower() == "unicast" else text.lower(),)


def _tcp_flags(option: Option, context: Context) -> Found:
    mask, value = (sum({_FLAGS[name] for name in one.split(",")}) for one in option.values)
    return [read.matching("tcp flags", ((value, value),), option.negated, mask)]


def _syn(option: Option, context: Context) -> Found:
    return [read.matching("tcp flags", ((2, 2),), option.negated, 1 | 2 | 4 | 16)]


def _both_ports(option: Option, context: Context) -> Found:
    parts = read.ports(option.value)
    ways: tuple[Statement, ...] = tuple(read.matching(f"th {way}port", parts, option.negated) for way in "sd")
    return list(ways) if option.negated else [Either(tuple((way,) for way in ways))]


def _states(option: Option, context: Context) -> Found:
    """``SNAT`` and ``DNAT`` are bits of the status, whatever the state; several names: any of them."""
    names = option.value.lower().split(",")
    status = tuple(name for name in names if name in ("snat", "dnat"))
    state = tuple(name for name in names if name not in ("snat", "dnat"))
    fields: tuple[tuple[str, tuple[Part, ...]], ...] = (("ct state", state), ("ct status", status))
    found: list[Statement] = [read.matching(field, parts, option.negated) for field, parts in fields if parts]
    if len(found) == 1 or option.negated:
        return list(found)
    return [Either(tuple((one,) for one in found))]


def _status(option: Option, context: Context) -> Found:
    if "NONE" in option.value.upper():
        return [Unknown(construct="ctstatus NONE")]
    return [read.matching("ct status", names(option.value), option.negated)]


def _icmp(six: bool) -> _Read:
    name = "icmpv6" if six else "icmp"

    def one(option: Option, context: Context) -> Found:
        found = read.icmp(option.value, six)
        if found is None:
            return [never(False)] if option.negated else []
        kind, code = found
        if code is None:
            return [read.matching(f"{name} type", ((kind, kind),), option.negated)]
        members = Members(elements=(((kind, kind), (code, code)),))
        return [Match(fields=(f"{name} type", f"{name} code"), op="!=" if option.negated else "==", members=members)]

    return one


def _ports_of(name: str) -> dict[str, _Read]:
    return {"--dport": _field(f"{name} dport", read.ports), "--sport": _field(f"{name} sport", read.ports)}


def _hops(field: str, name: str) -> dict[str, _Read]:
    return {
        f"--{name}-eq": _field(field, _single),
        f"--{name}": _field(field, _single),
        f"--{name}-lt": _field(field, _single, "<"),
        f"--{name}-gt": _field(field, _single, ">"),
    }


# Options that each stand for themselves: all of them must hold.
OPTIONS: dict[str, dict[str, _Read]] = {
    "tcp": _ports_of("tcp") | {"--tcp-flags": _tcp_flags, "--syn": _syn},
    "udp": _ports_of("udp"),
    "udplite": _ports_of("udplite"),
    "sctp": _ports_of("sctp"),
    "dccp": _ports_of("dccp"),
    "multiport": {
        "--dports": _field("th dport", read.ports),
        "--sports": _field("th sport", read.ports),
        "--ports": _both_ports,
    },
    "conntrack": {
        "--ctstate": _states,
        "--ctstatus": _status,
        "--ctdir": _field("ct direction", names),
        "--ctproto": _field("ct protocol", _protocol),
        "--ctorigsrc": _address("ct original {ip} saddr"),
        "--ctorigdst": _address("ct original {ip} daddr"),
        "--ctreplsrc": _address("ct reply {ip} saddr"),
        "--ctrepldst": _address("ct reply {ip} daddr"),
        "--ctorigsrcport": _field("ct original proto-src", read.ports),
        "--ctorigdstport": _field("ct original proto-dst", read.ports),
        "--ctreplsrcport": _field("ct reply proto-src", read.ports),
        "--ctrepldstport": _field("ct reply proto-dst", read.ports),
    },
    "state": {"--state": _states},
    "mark": {"--mark": _marked("meta mark")},
    "connmark": {"--mark": _marked("ct mark")},
    "iprange": {"--src-range": _addresses("{ip} saddr"), "--dst-range": _addresses("{ip} daddr")},
    "pkttype": {"--pkt-type": _field("meta pkttype", _packet_type)},
    "icmp": {"--icmp-type": _icmp(False)},
    "icmp6": {"--icmpv6-type": _icmp(True)},
    "mac": {"--mac-source": _field("ether saddr", _hardware)},
    "length": {"--length": _field("{ip} length", read.numbers)},
    "ttl": _hops("ip ttl", "ttl"),
    "hl": _hops("ip6 hoplimit", "hl"),
    "helper": {"--helper": _field("ct helper", lambda text: (text,))},
    "dscp": {"--dscp": _field("{ip} dscp", _single)},
    "devgroup": {"--src-group": _marked("meta iifgroup"), "--dst-group": _marked("meta oifgroup")},
    "cpu": {"--cpu": _field("meta cpu", _single)},
}
# ``-p tcp --dport 22`` needs no ``-m tcp`` when a rule is written by hand.
IMPLICIT = {
    "--dport": "",
    "--sport": "",
    "--tcp-flags": "tcp",
    "--syn": "tcp",
    "--tcp-option": "tcp",
    "--icmp-type": "icmp",
    "--icmpv6-type": "icmp6",
}
