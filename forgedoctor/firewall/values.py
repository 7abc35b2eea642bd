"""What a packet's field may hold, and whether a match on it holds: yes, no, or not known (None).

A value is a number, a name, :data:`ABSENT` (the packet has no such field), None (not known), or one of the kinds of
half-knowledge below. A match on what is not known is None, unless all that it may be gives the same answer.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from forgedoctor.firewall.model import Element, Match, Members, Part


class Absent:
    """The type of :data:`ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


class Span(NamedTuple):
    """Some number from ``low`` to ``high``."""

    low: int
    high: int


class Somewhere(NamedTuple):
    """One number of many from ``low`` to ``high``, such as a client's port: hardly one of a few that a rule names."""

    low: int
    high: int

    def among(self, count: int) -> bool | None:
        """Whether it is one of so many numbers of its range: of all, of hardly any, or not known."""
        width = self.high - self.low + 1
        return True if count >= width else False if count * 100 < width else None


class Bits(NamedTuple):
    """A number of which only the bits in ``known`` are known."""

    value: int
    known: int


class Other(NamedTuple):
    """Some name, but none of these."""

    names: frozenset[str]


class Noise(NamedTuple):
    """A number that may be any: it equals none that one could name, as far as anyone can tell."""

    bits: int


class Flags(NamedTuple):
    """Names that are set, and names that may be."""

    names: frozenset[str]
    maybe: frozenset[str] = frozenset()


Value = int | str | Absent | Span | Somewhere | Bits | Noise | Other | Flags | None

# Names that a listing may print for a number.
_NUMBERS = {
    "arp operation": {"request": 1, "reply": 2},
    "meta l4proto": {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58},
    "icmpv6 type": {"nd-neighbor-solicit": 135, "nd-neighbor-advert": 136},
    "meta protocol": {"ip": 0x0800, "ip6": 0x86DD, "arp": 0x0806, "vlan": 0x8100},
}
_NUMBERS["ether type"] = _NUMBERS["meta protocol"]
_NUMBERS["ip protocol"] = _NUMBERS["ip6 nexthdr"] = _NUMBERS["meta l4proto"]
_SAME_NAMES = {"unicast": "host"}


def one(field: str, value: Value, part: Part) -> bool | None:
    """Whether a value is the part, or in it."""
    if part == "*":
        return True
    if isinstance(value, Flags):
        return _flag(value, part)
    if isinstance(part, str):
        return _name(field, value, part)
    low, high = part
    if isinstance(value, int):
        return low <= value <= high
    if isinstance(value, Span):
        if low <= value.low and value.high <= high:
            return True
        return False if value.high < low or high < value.low else None
    if isinstance(value, Somewhere):
        return value.among(min(high, value.high) - max(low, value.low) + 1)
    if isinstance(value, Bits) and low == high:
        return None if (value.value ^ low) & value.known == 0 else False
    if isinstance(value, Noise):
        return False if low == high else None
    return None  # not known, or a name where a number stands


def _flag(value: Flags, part: Part) -> bool | None:
    if not isinstance(part, str):
        return None
    return True if part in value.names else None if part in value.maybe else False


def _name(field: str, value: Value, part: str) -> bool | None:
    if isinstance(value, int):
        number = _NUMBERS.get(field, {}).get(part)
        return None if number is None else value == number
    if isinstance(value, Span):
        number = _NUMBERS.get(field, {}).get(part)
        return None if number is None else one(field, value, (number, number))
    if isinstance(value, str):
        if field == "meta pkttype":
            part, value = _SAME_NAMES.get(part, part), _SAME_NAMES.get(value, value)
        return value.startswith(part[:-1]) if part.endswith("*") else value == part
    if isinstance(value, Other):
        return False if part in value.names else None
    return None


def element(fields: tuple[str, ...], values: tuple[Value, ...], members: Element) -> bool | None:
    """Whether each value is in its part of one element."""
    sure = True
    for field, value, part in zip(fields, values, members, strict=False):
        held = one(field, value, part)
        if held is False:
            return False
        sure = sure and held is True
    return True if sure and len(values) == len(members) else None


class Index:
    """Membership in sets of any size, each prepared once.

    Sets of numbers are merged to ranges and searched by halves; answers for the rest are kept by their values.
    """

    def __init__(self) -> None:
        self._ranges: dict[int, tuple[list[int], list[int]] | None] = {}
        self._answers: dict[tuple[int, tuple[str, ...], tuple[Value, ...]], bool | None] = {}
        self._kept: list[Members] = []

    def within(self, fields: tuple[str, ...], values: tuple[Value, ...], members: Members) -> bool | None:
        """Whether the values are an element of the set."""
        elements = members.elements
        if len(elements) == 1 and len(values) == 1:
            found = one(fields[0], values[0], elements[0][0])
        elif len(elements) > 8 or isinstance(values[0], Somewhere):
            found = self._large(fields, values, members)
        else:
            found = _any(fields, values, elements)
        if members.complete:
            return found
        if found is False or (found and "timeout" in members.why):
            return None
        return found

    def _large(self, fields: tuple[str, ...], values: tuple[Value, ...], members: Members) -> bool | None:
        if len(values) == 1 and isinstance(values[0], (int, Span, Somewhere)):
            ranges = self._sorted(members)
            if ranges:
                return _search(values[0], *ranges)
        key = (id(members), fields, values)
        if key not in self._answers:
            self._kept.append(members)  # an identity is only good while the object lives
            self._answers[key] = _any(fields, values, members.elements)
        return self._answers[key]

    def _sorted(self, members: Members) -> tuple[list[int], list[int]] | None:
        if id(members) not in self._ranges:
            self._ranges[id(members)] = _merged(members)
            self._kept.append(members)
        return self._ranges[id(members)]


def _any(fields: tuple[str, ...], values: tuple[Value, ...], elements: tuple[Element, ...]) -> bool | None:
    answer: bool | None = False
    for each in elements:
        held = element(fields, values, each)
        if held:
            return True
        if held is None:
            answer = None
    return answer


def _merged(members: Members) -> tuple[list[int], list[int]] | None:
    """The starts and ends of a set of numbers, neighbours joined; None where it holds anything else."""
    parts: list[tuple[int, int]] = []
    for each in members.elements:
        part = each[0]
        if len(each) != 1 or isinstance(part, str):
            return None
        parts.append(part)
    starts: list[int] = []
    ends: list[int] = []
    for low, high in sorted(parts):
        if ends and low <= ends[-1] + 1:
            ends[-1] = max(ends[-1], high)
        else:
            starts.append(low)
            ends.append(high)
    return starts, ends


def _search(value: int | Span | Somewhere, starts: list[int], ends: list[int]) -> bool | None:
    if isinstance(value, Somewhere):
        parts = zip(starts, ends, strict=True)
        return value.among(sum(max(0, min(high, value.high) - max(low, value.low) + 1) for low, high in parts))
    low, high = (value, value) if isinstance(value, int) else value
    place = bisect_right(starts, low) - 1
    if place >= 0 and high <= ends[place]:
        return True
    if place >= 0 and low <= ends[place]:
        return None
    return None if place + 1 < len(starts) and starts[place + 1] <= high else False


def masked(value: Value, mask: int | None) -> Value:
    """The value after ``& mask``."""
    if mask is None or value is None or isinstance(value, (Absent, str, Other, Flags, Noise)):
        return value
    if isinstance(value, int):
        return value & mask
    if isinstance(value, (Span, Somewhere)):
        return _masked_span(Span(*value), mask)
    bits = value.value & value.known & mask
    return bits if value.known & mask == mask else Bits(bits, value.known | ~mask)


def _masked_span(value: Span, mask: int) -> Value:
    """A mask of leading ones, as those of prefixes are, keeps the order; another says nothing."""
    low = (mask & -mask) - 1  # the bits below the mask
    if (mask | low) + 1 & (mask | low) or value.high > (mask | low):
        return None
    first, last = value.low & mask, value.high & mask
    return first if first == last else Span(first, last)


def compare(match: Match, value: Value) -> bool | None:
    """``<``, ``>``, ``<=``, ``>=`` against the first element."""
    first = match.members.elements[0][0] if match.members.elements else ""
    if isinstance(first, str) or not isinstance(value, (int, Span, Somewhere)):
        return None
    limit, (low, high) = first[0], ((value, value) if isinstance(value, int) else value)
    start, end = {"<": (0, limit - 1), "<=": (0, limit), ">": (limit + 1, high), ">=": (limit, high)}[match.op]
    if isinstance(value, Somewhere):
        return one(match.fields[0], value, (start, end))
    return True if start <= low and high <= end else False if high < start or end < low else None
