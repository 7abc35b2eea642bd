"""Whether a match holds for a packet, what a map gives it, and what a choice teaches of the packet."""

from __future__ import annotations

from typing import Any

from forgedoctor.firewall.model import Match, Part, Table
from forgedoctor.firewall.packet import ALIASES, Packet
from forgedoctor.firewall.trail import Fork, Place
from forgedoctor.firewall.values import ABSENT, Index, Other, Somewhere, Span, Value, compare, element, masked

_EVERYTHING = ("*",)


class Lookup:
    """Matches and maps against packets; sets are prepared once."""

    def __init__(self) -> None:
        self.index = Index()
        self._maps: dict[tuple[int, tuple[str, ...], tuple[Value, ...]], tuple[list[Any], bool]] = {}
        self._kept: list[object] = []

    def holds(self, match: Match, packet: Packet, table: Table) -> bool | None:
        """Whether a match holds; None where that is not known."""
        fields = match.fields
        if len(fields) == 1:
            value = packet[fields[0]]
            if value is ABSENT:
                return _translated_state(match, table)
            values: tuple[Value, ...] = (masked(value, match.mask) if match.mask is not None else value,)
        else:
            values = tuple([packet[field] for field in fields])
            if ABSENT in values:
                return False
        if match.op not in ("==", "!="):
            return compare(match, values[0])
        members = match.members
        if match.named:
            found = table.sets.get(match.named)
            if found is None:
                return None
            members = found
        elif match.op == "!=" and fields[0] == "ct status" and table.engine == "nft":
            return True  # nft compares all the bits, and those of NAT being done are always there
        held = self.index.within(fields, values, members)
        return held if match.op == "==" or held is None else not held

    def entries(
        self, fields: tuple[str, ...], entries: tuple[tuple[Any, Any], ...], packet: Packet
    ) -> tuple[list[Any], bool]:
        """What a map may give, and whether that is sure: exactly that (or, where empty, nothing)."""
        values = tuple([packet[field] for field in fields])
        if ABSENT in values:
            return [], True
        key = (id(entries), fields, values)
        if key not in self._maps:
            self._kept.append(entries)
            self._maps[key] = _found(fields, values, entries)
        return self._maps[key]

    def fork(self, match: Match, packet: Packet, table: Table, place: Place) -> Fork:
        """Name what made a match undecided."""
        members = table.sets.get(match.named) if match.named else match.members
        unknown = [field for field in match.fields if not isinstance(packet[field], (int, str))]
        if match.named and (members is None or not members.complete) and not unknown:
            return Fork(f"set @{match.named}", members.why or "set" if members else "set", place)
        return Fork(" . ".join(unknown or match.fields), "field", place)


def _translated_state(match: Match, table: Table) -> bool:
    """A field that is not there matches nothing; but iptables' ``! --ctstate DNAT`` holds where nothing is tracked."""
    if match.fields != ("ct status",) or table.engine == "nft" or match.op != "!=":
        return False
    return all(each[0] in ("dnat", "snat") for each in match.members.elements)


def _found(
    fields: tuple[str, ...], values: tuple[Value, ...], entries: tuple[tuple[Any, Any], ...]
) -> tuple[list[Any], bool]:
    maybe: list[Any] = []
    fallback: list[Any] = []
    for key, value in entries:
        if key == _EVERYTHING:
            fallback.append(value)
            continue
        held = element(fields, values, key)
        if held:
            return [value], True
        if held is None:
            maybe.append(value)
    if not maybe:
        return fallback, True
    return maybe + fallback, False


def refined(match: Match, packet: Packet, held: bool) -> Packet:
    """The packet, with what it means that an undecided match held or did not."""
    if len(match.fields) != 1 or match.mask is not None or match.named or match.op not in ("==", "!="):
        return packet
    field = ALIASES.get(match.fields[0], match.fields[0])
    elements = match.members.elements
    if len(elements) != 1 or not match.members.complete or field not in packet.values:
        return packet
    value = packet.values[field]
    learnt = _learnt(value, elements[0][0], held == (match.op == "=="))
    return packet if learnt is value else packet.put({field: learnt})


def _learnt(value: Value, part: Part, inside: bool) -> Value:
    if isinstance(part, str):
        if part.endswith("*") or not (value is None or isinstance(value, Other)):
            return value
        if inside:
            return part
        return Other(value.names | {part}) if isinstance(value, Other) else value
    low, high = part
    if value is None and inside:
        return low if low == high else Span(low, high)
    if isinstance(value, (Span, Somewhere)):
        if inside:
            low, high = max(low, value.low), min(high, value.high)
        elif low <= value.low:
            low, high = high + 1, value.high
        elif high >= value.high:
            low, high = value.low, low - 1
        else:
            return value
        return low if low == high else type(value)(low, high)
    return value
