"""What maps of nftables give: verdicts, numbers, addresses and ports; and what a table's rules make of its sets."""

from __future__ import annotations

from collections.abc import Mapping

from forgedoctor.firewall._nft_match import Key
from forgedoctor.firewall._nft_values import single
from forgedoctor.firewall.model import (
    Element,
    Match,
    Members,
    Rule,
    SetField,
    Statement,
    Translate,
    Unknown,
    Verdict,
    VerdictMap,
)

Data = list[str]
Place = tuple[str, "int | None"]
Entries = tuple[tuple[Element, object], ...]


def place(data: Data) -> Place | None:
    """An address, a port, or an address with a port; None for what is none of these (a range, a prefix)."""
    if len(data) == 2:
        port = single("port", data[1])
        return (data[0], port) if port is not None and _is_address(data[0]) else None
    if len(data) != 1:
        return None
    if _is_address(data[0]):
        return data[0], None
    port = single("port", data[0])
    return None if port is None else ("", port)


def _is_address(word: str) -> bool:
    kind = "ip6" if ":" in word else "ip4"
    return ":" in word or "." in word if single(kind, word) is not None else False


def value(kind: str, data: Data) -> object | None:
    """What a named map of that type of data gives: a number, or a place."""
    if kind == "number":
        return single("number", data[0]) if len(data) == 1 else None
    return place(data)


def translation(
    kind: str, address: str, what: Key, entries: tuple[tuple[Element, Place], ...], named: str
) -> Translate:
    """A translation that is looked up; with an ``address`` only its port is."""
    if not named and address:
        entries = tuple((key, (address, port)) for key, (_, port) in entries)
    return Translate(kind=kind, address=address if named else "", fields=what.fields, entries=entries, named=named)


class Lookups:
    """The named sets and maps of a table as its rules see them.

    ``opened``: those that may hold others than are listed, each with the reason.
    """

    def __init__(self, sets: dict[str, Members], maps: Mapping[str, Entries], opened: Mapping[str, str]) -> None:
        self.sets, self.maps, self.opened = sets, maps, opened

    def rule(self, rule: Rule) -> Rule:
        """The rule, with maps that are not known whole taken for unknown."""
        if not any(getattr(one, "named", "") for one in rule.statements):
            return rule
        changed: list[Statement] = []
        for one in rule.statements:
            changed.extend(self._statement(one))
        return Rule(statements=tuple(changed), text=rule.text, line=rule.line)

    def _statement(self, one: Statement) -> list[Statement]:
        if isinstance(one, Match) and one.named:
            if one.named not in self.sets:
                self.sets[one.named] = Members(complete=False, why="not listed")
            return [one]
        if not isinstance(one, (VerdictMap, SetField, Translate)) or not one.named:
            return [one]
        entries = self.maps.get(one.named)
        if entries is None or one.named in self.opened:
            return self._unknown(one)
        if isinstance(one, Translate):
            return [self._translate(one, entries)]
        wanted = Verdict if isinstance(one, VerdictMap) else int
        return [one] if all(isinstance(given, wanted) for _, given in entries) else self._unknown(one)

    def _unknown(self, one: VerdictMap | SetField | Translate) -> list[Statement]:
        construct = f"map @{one.named}"
        if isinstance(one, SetField):
            return [Unknown(construct=construct), SetField(field=one.field)]
        if isinstance(one, Translate) and one.kind == "snat":
            return [Unknown(construct=construct), Translate(kind="snat")]
        return [Unknown(construct=construct, anything=True)]

    def _translate(self, one: Translate, entries: Entries) -> Statement:
        places = tuple((key, given) for key, given in entries if isinstance(given, tuple))
        if len(places) < len(entries):
            return Unknown(construct=f"map @{one.named}", anything=True)
        if not one.address:
            return one
        fixed = tuple((key, (one.address, given[1])) for key, given in places)
        return Translate(kind=one.kind, fields=one.fields, entries=fixed)
