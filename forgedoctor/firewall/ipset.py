"""The listing of ``ipset save`` (or ``ipset list``): sets of addresses, networks and ports that rules refer to.

Source: ipset(8), and measured with ipset 7.17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from forgedoctor.firewall import iptables_values as values
from forgedoctor.firewall.iptables_words import words
from forgedoctor.firewall.model import Element, Members, Part, Ruleset
from forgedoctor.message import Message, t

_SHOWN = 5
_FLAGS = {"nomatch", "counters", "skbinfo", "forceadd", "wildcard"}
_HEADER = re.compile(r"(Name|Type|Revision|Header|Size in memory|References|Number of entries|Members):\s?(.*)")


class IpSet(msgspec.Struct, frozen=True, kw_only=True):
    """One set: its type (``hash:ip,port``), its family (``inet``, ``inet6``, empty where it has none), its elements.

    A port with a protocol takes two places in an element: the protocol's number and the port.
    """

    type: str
    family: str = ""
    members: Members = Members()

    def fields(self, ways: Sequence[str], six: bool) -> tuple[str, ...]:
        """The fields of a packet that ``src`` or ``dst`` for each dimension ask for; empty: it can match nothing."""
        dimensions = _dimensions(self.type)
        if len(ways) < len(dimensions) or (self.family and (self.family == "inet6") != six):
            return ()
        ip = "ip6" if six else "ip"
        fields: list[str] = []
        for dimension, way in zip(dimensions, ways, strict=False):
            end = "s" if way == "src" else "d"
            if dimension in ("ip", "net"):
                fields.append(f"{ip} {end}addr")
            elif dimension == "port":
                fields += [f"th {end}port"] if self.type == "bitmap:port" else ["meta l4proto", f"th {end}port"]
            else:
                interface = "iifname" if end == "s" else "oifname"
                fields.append({"mac": f"ether {end}addr", "mark": "meta mark"}.get(dimension, interface))
        return tuple(fields)

    def plain(self) -> Members:
        """The members of a set of addresses or networks; of any other none that are sure."""
        if all(one in ("ip", "net") for one in _dimensions(self.type)):
            return self.members
        return Members(complete=False, why="ipset")


def _dimensions(kind: str) -> list[str]:
    return kind.partition(":")[2].split(",")


def read(text: str, source: str = "") -> Ruleset:
    """The sets of a listing; raises ValueError (one sentence) where it is none.

    Sets of other than addresses and networks are named, but left open: only together with the rules is it known which
    field each part of an element belongs to (``iptables.read`` with what :func:`load` gives).
    """
    sets, problems = load(text, source)
    return Ruleset(
        kind="ipset", source=source, sets={name: one.plain() for name, one in sets.items()}, problems=tuple(problems)
    )


def load(text: str, source: str = "") -> tuple[dict[str, IpSet], list[Message]]:
    """The sets with their types, and what could not be read."""
    known: dict[str, _Reading] = {}
    bad: list[tuple[int, str]] = []
    for number, verb, name, rest in _entries(text, bad):
        if verb == "create":
            known[name] = _Reading(rest)
        elif name not in known or not known[name].add(rest):
            bad.append((number, f"{verb} {name} {rest}"))
    if text.strip() and not known:
        raise ValueError(t("{source} is no listing of ipset: run “sudo ipset save”.", source=source or "ipset"))
    sets = {name: one.done() for name, one in known.items() if one.type != "list:set"}
    for name, one in known.items():
        if one.type == "list:set":
            sets[name] = _union(name, known, sets)
    return sets, _problems(bad, source)


def _problems(bad: list[tuple[int, str]], source: str) -> list[Message]:
    found = [
        t(
            "{source}, line {line}: this could not be read as part of an ipset: {text}",
            source=source,
            line=line,
            text=text[:120],
        )
        for line, text in bad[:_SHOWN]
    ]
    if len(bad) > _SHOWN:
        found.append(t("{source}: {count} more lines could not be read.", source=source, count=len(bad) - _SHOWN))
    return found


def _entries(text: str, bad: list[tuple[int, str]]) -> Iterator[tuple[int, str, str, str]]:
    """Line by line: ``create`` or ``add``, the set's name and the rest; ``ipset list`` is turned into the same."""
    name = kind = ""
    members = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        verb, _, rest = line.partition(" ")
        if verb in ("create", "add", "-N", "-A"):
            found, _, rest = rest.partition(" ")
            if found.startswith('"'):
                found, rest = _quoted_name(line)
            yield number, {"-N": "create", "-A": "add"}.get(verb, verb), found, rest
            members = False
            continue
        header = _HEADER.fullmatch(line)
        if header:
            label, value = header.groups()
            members = label == "Members"
            name, kind = (value if label == "Name" else name), (value if label == "Type" else kind)
            if label == "Header":
                yield number, "create", name, f"{kind} {value}"
        elif line and members:
            yield number, "add", name, line
        elif line and not line.startswith("#"):
            bad.append((number, line))


def _quoted_name(line: str) -> tuple[str, str]:
    found = words(line)
    return found[1] if len(found) > 1 else "", " ".join(found[2:])


class _Reading:
    """One set while its elements are read."""

    def __init__(self, created: str) -> None:
        self.type, _, rest = created.partition(" ")
        options = dict(_options(words(rest), _FLAGS | {"comment"}))
        self.dimensions = _dimensions(self.type)
        self.six = options.get("family") == "inet6"
        self.family = "" if self.type in ("bitmap:port", "hash:mac", "list:set") else "inet6" if self.six else "inet"
        self.netmask = options.get("netmask", "")
        self.why = ["timeout"] if "timeout" in options else []
        if "bitmask" in options or options.get("markmask", "0xffffffff").lower() != "0xffffffff":
            self.why.append("mask")
        self.elements: list[Element] = []
        self.exceptions: list[tuple[int, int]] = []
        self.names: list[str] = []
        simple = self.dimensions in (["ip"], ["net"]) and not self.netmask
        self.plain = simple and self.type.startswith("hash:")

    def add(self, line: str) -> bool:
        """Take up one element; False where it could not be read."""
        try:
            if self.plain and " " not in line and "-" not in line:
                self.elements.append((values.network(line, self.six)[0],))
                return True
            self._add(words(line))
            return True
        except (ValueError, IndexError):
            if "unread" not in self.why:
                self.why.append("unread")
            return False

    def _add(self, found: list[str]) -> None:
        options = dict(_options(found[1:], _FLAGS))
        if self.type == "list:set":
            self.names.append(found[0])
            return
        element = self._element(found[0], "wildcard" in options)
        if "nomatch" not in options:
            self.elements.append(element)
        elif len(element) == 1 and not isinstance(element[0], str):
            self.exceptions.append(element[0])
        elif "nomatch" not in self.why:
            self.why.append("nomatch")

    def _element(self, text: str, wildcard: bool) -> Element:
        parts: list[Part] = []
        for dimension, one in zip(self.dimensions, text.split(","), strict=False):
            if dimension in ("ip", "net"):
                parts.append(self._addresses(one))
            elif dimension == "port":
                parts += self._port(one)
            elif dimension == "mac":
                parts.append((values.mac(one), values.mac(one)))
            elif dimension == "mark":
                parts.append((values.number(one), values.number(one)))
            elif dimension == "iface" and not one.startswith("physdev:"):
                parts.append(one + "*" if wildcard else one)
            else:
                raise ValueError(f"not known: {one}")
        if len(parts) < len(self.dimensions) and self.type == "bitmap:ip,mac":
            parts.append("*")  # an address whose hardware address is not set yet matches any
        return tuple(parts)

    def _addresses(self, text: str) -> tuple[int, int]:
        if "-" in text:
            return values.addresses(text, self.six)
        if self.netmask and "/" not in text:
            text = f"{text}/{self.netmask}"
        return values.network(text, self.six)[0]

    def _port(self, text: str) -> list[Part]:
        name, colon, port = text.rpartition(":")
        if self.type == "bitmap:port":
            return [values.dashed(port)]
        protocol = values.protocol(name if colon else "tcp")
        if protocol in (values.PROTOCOLS["icmp"], values.PROTOCOLS["ipv6-icmp"]):
            return [(protocol, protocol), "*"]
        return [(protocol, protocol), values.dashed(port)]

    def done(self) -> IpSet:
        elements = tuple(self.elements)
        if "nomatch" in self.why:
            elements = ()
        elif self.exceptions:
            elements = tuple((part,) for part in _without(elements, self.exceptions))
        members = Members(elements=elements, complete=not self.why, why=", ".join(self.why))
        return IpSet(type=self.type, family=self.family, members=members)


def _options(found: Sequence[str], flags: set[str]) -> Iterator[tuple[str, str]]:
    """The words after a set's type or an element, as pairs; flags have no value."""
    at = 0
    while at < len(found):
        flag = found[at] in flags
        yield found[at], "" if flag or at + 1 >= len(found) else found[at + 1]
        at += 1 if flag else 2


def _without(elements: Sequence[Element], exceptions: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Networks less the ``nomatch`` ones: of those that an address is in, the smallest decides.

    Networks never overlap in part, so that walking along their first addresses, widest first, meets each inside all
    that hold it.
    """
    marked = [(one[0][0], -one[0][1], True) for one in elements if not isinstance(one[0], str)]
    marked += [(low, -high, False) for low, high in exceptions]
    marked.sort()
    kept: list[tuple[int, int]] = []
    around: list[tuple[int, bool]] = []  # last address and whether it counts, outermost first
    at = 0

    def upto(end: int) -> None:
        nonlocal at
        if around and around[-1][1] and end >= at:
            kept.append((at, end))
        at = max(at, end + 1)

    for low, end, counts in marked:
        while around and around[-1][0] < low:
            upto(around[-1][0])
            around.pop()
        upto(low - 1)
        at = low
        around.append((-end, counts))
    while around:
        upto(around[-1][0])
        around.pop()
    return kept


def _union(name: str, known: dict[str, _Reading], sets: dict[str, IpSet]) -> IpSet:
    """A list of sets holds what they hold; of different types it can't be asked for as one."""
    parts = [sets.get(one) for one in known[name].names]
    whole = [one for one in parts if one is not None]
    kinds = {(one.type.partition(":")[2].replace("net", "ip"), one.family) for one in whole}
    why = [*known[name].why, *(one.members.why for one in whole if one.members.why)]
    if len(whole) < len(parts) or len(kinds) > 1:
        return IpSet(type="hash:net", members=Members(complete=False, why="ipset"))
    elements = tuple(element for one in whole for element in one.members.elements)
    first = whole[0] if whole else IpSet(type="hash:net")
    members = Members(elements=elements, complete=not why, why=", ".join(dict.fromkeys(why)))
    return IpSet(type=first.type, family=first.family, members=members)
