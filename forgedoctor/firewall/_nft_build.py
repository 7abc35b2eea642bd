"""Statements of the model from what nftables' listings have in common, text or JSON: all but matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_match import Key
from forgedoctor.firewall.model import Match, Members, SetField, Statement, Translate, Unknown, Verdict


def guards(fields: Sequence[str], family: str) -> list[Statement]:
    """What a statement asks of a packet without it being written: that it has the fields which are looked up.

    nft leaves these matches out of its listings, except before a match on the same header.
    """
    found: list[Statement] = []
    heads = dict.fromkeys(field.split(" ", 1)[0] for field in fields)
    for head in heads:
        if head in words.NFPROTO:
            found.extend(family_guard(head, family))
        elif head in words.LAYER4:
            value = words.LAYER4[head]
            found.append(Match(fields=("meta l4proto",), members=Members(elements=(((value, value),),))))
    return found


def family_guard(wanted: str, family: str) -> list[Statement]:
    """That a packet is of ``ip`` or ``ip6``, in a table that sees both."""
    if wanted not in words.NFPROTO or family in words.NFPROTO:
        return []
    return [Match(fields=("meta nfproto",), members=Members(elements=((words.NFPROTO[wanted],),)))]


_TCP = Match(fields=("meta l4proto",), members=Members(elements=(((6, 6),),)))


def reject(how: str, code: str, family: str) -> list[Statement]:
    """``how``: ``tcp``, ``icmp``, ``icmpv6``, ``icmpx`` or nothing; ``code``: name or number of what is sent."""
    if how == "tcp":
        return [_TCP, Verdict(kind="reject", target="tcp reset")]
    if not how or not code:
        return [Verdict(kind="reject", target="port-unreachable")]
    names = {"icmp": words.ICMP_CODES, "icmpv6": words.ICMPV6_CODES}.get(how, words.ICMPX_CODES)
    if code.isdigit():
        code = next((name for name, value in names.items() if str(value) == code), code)
    before = family_guard({"icmp": "ip", "icmpv6": "ip6"}.get(how, ""), family)
    return [*before, Verdict(kind="reject", target=code)]


class Number(NamedTuple):
    """A number computed from a field: ``(field & keep) ^ value``; no field: a constant. None: not understood."""

    field: str
    keep: int
    value: int


ONES = 0xFFFFFFFF


def combine(left: Number | None, op: str, right: Number | None) -> Number | None:
    """``left op right`` where at most one of them is a field's; shifts only of constants."""
    if left is None or right is None:
        return None
    if right.field:
        left, right = right, left
        if right.field or op not in "&|^":
            return None
    field, keep, value, by = left.field, left.keep, left.value, right.value
    if op == "&":
        return Number(field, keep & by, value & by)
    if op == "|":
        return Number(field, keep & ~by, (value & ~by) | by)
    if op == "^":
        return Number(field, keep, value ^ by)
    if field or by > 64:
        return None
    return Number("", 0, value << by if op == "<<" else value >> by)


_SETTABLE = frozenset({"saddr", "daddr", "dport", "sport"})


def assign(what: Key, found: Number | None, family: str) -> list[Statement]:
    """A field set to a number; nothing where that has no effect on what becomes of the packet."""
    field = what.name
    if field in words.SET_WITHOUT_EFFECT:
        return []
    before = guards((field,), family)
    if field in ("meta mark", "ct mark"):
        if found is None or (found.field and found.field != field and found.value):
            return [*before, SetField(field=field)]
        if found.field == field:
            return [*before, SetField(field=field, value=found.value & ONES, keep=found.keep & ONES)]
        if found.field:
            return [*before, SetField(field=field, source=found.field, source_mask=found.keep & ONES)]
        return [*before, SetField(field=field, value=found.value & ONES)]
    if field.rpartition(" ")[2] in _SETTABLE and not field.startswith(("ether", "arp")):
        plain = found is not None and not found.field
        return [*before, SetField(field=field, value=found.value if found and plain else None)]
    if field.startswith("meta"):
        return [SetField(field=field)]
    return before


def translate(kind: str, family: str, wanted: str, made: Translate | None) -> list[Statement]:
    """A translation, or what stands for one that the model cannot express."""
    before = family_guard(wanted, family)
    if made is None:
        # To which source it goes out changes nothing for the client; where to it goes, all.
        return [
            *before,
            Translate(kind=kind) if kind in ("snat", "masquerade") else Unknown(construct=kind, anything=True),
        ]
    return [*before, *(one for one in guards(made.fields, family) if one not in before), made]
