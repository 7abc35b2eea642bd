"""Matches of the model from what nftables' listings have in common, text or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_values import part, single
from forgedoctor.firewall.model import Element, Match, Members, Statement, Unknown

NOT_NEGATED = {"==": "!=", "!=": "=="}
OPERATORS = {
    "==": "==", "eq": "==", "!=": "!=", "ne": "!=", "<": "<", "lt": "<", ">": ">", "gt": ">", "<=": "<=", "le": "<=",
    ">=": ">=", "ge": ">=", "!": "!", "not": "!",
}  # fmt: skip
_ORDERS = frozenset({"<", ">", "<=", ">="})


class Key(NamedTuple):
    """What is compared or looked up: fields with the kinds of their values, maybe a mask.

    ``name``: how it is called for people. ``clear`` is false where more is computed than a mask.
    """

    fields: tuple[str, ...]
    kinds: tuple[str, ...]
    name: str
    mask: int | None = None
    clear: bool = True


class Values(NamedTuple):
    """The other side: ``form`` is ``one``, ``list`` (a, b), ``or`` (a | b), ``set`` or ``ref`` (a named set).

    ``elements``: None where one of them is not understood.
    """

    form: str
    elements: Sequence[Element] | None = None
    named: str = ""


_RAW = {"@th,0,16": "th sport", "@th,16,16": "th dport"}


@lru_cache(maxsize=1024)
def key(head: str, rest: str) -> Key:
    """The field of two words or more, by its first word and the others, as nft prints them."""
    name = f"{head} {rest}" if rest else head
    if head == "meta":
        rest = "ipsec" if rest == "secpath" else rest
        kind = words.META.get(rest, "any")
        name = {"iif": "iifname", "oif": "oifname", "iifname": "iifname", "oifname": "oifname"}.get(
            rest, f"meta {rest}"
        )
    elif head == "ct":
        direction, _, what = rest.partition(" ")
        kind = words.CT.get(what if direction in ("original", "reply") else rest, "any")
    elif head == "fib":
        name, kind = _fib(rest)
    elif head == "exthdr" or (head in ("tcp", "ip") and rest.startswith("option ") and rest.count(" ") == 1):
        kind = "bool"
    elif name in _RAW:
        name, kind = _RAW[name], "port"
    else:
        kind = words.KINDS.get(head, {}).get(rest, "any")
    return Key((name,), (kind,), name)


def _fib(rest: str) -> tuple[str, str]:
    """``daddr . iif type``: which of the flags are given is written in nft's own order."""
    given, _, result = rest.rpartition(" ")
    flags = given.replace(".", " ").split()
    order = [one for one in ("saddr", "daddr", "mark", "iif", "oif") if one in flags]
    result = "oif" if result in ("oifname", "check") else result
    return f"fib {' . '.join(order)} {result}", "addrtype" if result == "type" else "fib"


def joined(keys: Sequence[Key]) -> Key:
    """A concatenation."""
    if len(keys) == 1:
        return keys[0]
    fields = tuple(field for one in keys for field in one.fields)
    kinds = tuple(kind for one in keys for kind in one.kinds)
    plain = all(one.clear and one.mask is None for one in keys)
    return Key(fields, kinds, " . ".join(one.name for one in keys), None, plain)


def compare(what: Key, op: str, values: Values) -> Statement:
    """A match. ``op``: as listed; empty where none is written (JSON's ``in``)."""
    elements = values.elements
    if not what.clear or (elements is None and not values.named):
        return Unknown(construct=what.name)
    if values.named:
        return Match(fields=what.fields, op=_plain(op), named=values.named, mask=what.mask)
    assert elements is not None
    kind = what.kinds[0]
    if len(what.kinds) == 1:
        if kind in words.BITS:
            return _bits(what, op, values.form, elements)
        if kind == "fib":
            return _route(what, op, elements)
        if values.form == "or":
            elements = _united(elements)
    if "iif" in what.kinds:
        what = _by_index(what, elements)
    if op in _ORDERS and not (len(elements) == 1 and _numbers(elements[0])):
        return Unknown(construct=what.name)
    return Match(fields=what.fields, op=_plain(op), members=Members(elements=tuple(elements)), mask=what.mask)


def _plain(op: str) -> str:
    return {"": "==", "!": "!="}.get(op, op)


def _numbers(element: Element) -> bool:
    return all(not isinstance(one, str) and one[0] == one[1] for one in element)


def _united(elements: Sequence[Element]) -> list[Element]:
    """The value of ``a | b``."""
    total = 0
    for one in elements:
        if isinstance(one[0], str):
            return []
        total |= one[0][0]
    return [((total, total),)]


def _by_index(what: Key, elements: Sequence[Element]) -> Key:
    """An interface that is gone is listed by its number, which the packet's name cannot be compared with."""
    fields = list(what.fields)
    for at, kind in enumerate(what.kinds):
        if kind == "iif" and any(not isinstance(one[at], str) for one in elements):
            fields[at] = fields[at].replace("ifname", "if")
    return what._replace(fields=tuple(fields))


def _route(what: Key, op: str, elements: Sequence[Element]) -> Statement:
    """``fib … oif``: an interface, missing, or exists, which is not missing."""
    names = [one[0] for one in elements]
    op = _plain(op)
    if names == ["exists"] and op in NOT_NEGATED:
        return compare(what, NOT_NEGATED[op], Values("one", [("missing",)]))
    if op not in NOT_NEGATED or "exists" in names or not all(isinstance(name, str) for name in names):
        return Unknown(construct=what.name)
    return Match(fields=what.fields, op=op, members=Members(elements=tuple(elements)))


def _bits(what: Key, op: str, form: str, elements: Sequence[Element]) -> Statement:
    """Fields of bits: without an operator any of the listed bits will do, else the value is compared as a whole."""
    kind = what.kinds[0]
    any_of = form in ("one", "list") and op in ("", "!") and what.mask is None
    members = Members(elements=tuple(elements))
    if kind == "flags":
        if form == "set":
            return Match(fields=what.fields, op=_plain(op), members=members, mask=what.mask)
        united = _united(elements)
        if not any_of:
            return Match(fields=what.fields, op=_plain(op), members=Members(elements=tuple(united)), mask=what.mask)
        bits = united[0][0] if united else ""
        if isinstance(bits, str):
            return Unknown(construct=what.name)
        nothing = Members(elements=(((0, 0),),))
        return Match(fields=what.fields, op="==" if op == "!" else "!=", members=nothing, mask=bits[0])
    if what.mask is not None or op in _ORDERS:
        return Unknown(construct=what.name)
    if kind == "status":
        return _status(what, op, any_of, members)
    if any_of:
        return Match(fields=what.fields, op=_plain(op), members=members)
    if kind == "state":  # a packet has one state, so a union of two is never its state
        alone = form == "set" or len(elements) == 1
        return Match(fields=what.fields, op=_plain(op), members=members if alone else Members())
    return Unknown(construct=what.name)


def _status(what: Key, op: str, any_of: bool, members: Members) -> Statement:
    """``ct status dnat`` asks for a bit. As a whole it is never that bit alone: others say that NAT is done."""
    if any_of and not op:
        return Match(fields=what.fields, members=members)
    if not any_of and all(element[0] in ("dnat", "snat") for element in members.elements):
        return Match(fields=what.fields, op=_plain(op), members=Members())
    return Unknown(construct=what.name)


def masked(what: Key, mask: Sequence[str], op: str, given: Sequence[str]) -> Statement:
    """``field & mask == value`` where bits have names: whether the one bit of the mask is set."""
    bit = part(what.kinds[0], mask[0]) if len(mask) == 1 else None
    if isinstance(bit, str) and _plain(op) == "==" and list(given) == list(mask):
        return Match(fields=what.fields, members=Members(elements=((bit,),)))
    return Unknown(construct=what.name)


def flag_mask(kind: str, mask: Sequence[str]) -> int | None:
    """A mask of numbers or of named flags, united; None where it has names that are no flags."""
    total = 0
    for word in mask:
        value = single(kind, word)
        if value is None:
            return None
        total |= value
    return total
