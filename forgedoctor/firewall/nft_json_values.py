"""Values, sets and fields in nftables' JSON (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_build import Number, combine
from forgedoctor.firewall._nft_match import Key, Values, flag_mask, joined, key
from forgedoctor.firewall._nft_values import number, part, single
from forgedoctor.firewall.model import Element, Part, Verdict

BINARY = ("&", "|", "^", "<<", ">>")
VERDICTS = ("accept", "drop", "continue", "return", "jump", "goto")
# What a malformed listing may raise where it is read as one that is well-formed.
MALFORMED = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


class NotUnderstood(ValueError):
    """A node that is none of those known."""


def value(kind: str, node: Any) -> Part | None:
    """One value of a field of that kind."""
    if isinstance(node, str):
        return part(kind, node)
    if isinstance(node, bool):
        return part(kind, ("missing", "exists")[node]) if kind == "fib" else (int(node), int(node))
    if isinstance(node, int):
        return (node, node) if kind not in words.NAMES and kind != "fib" else part(kind, str(node))
    if isinstance(node, dict):
        return _compound(kind, node)
    return None


def _compound(kind: str, node: dict[str, Any]) -> Part | None:
    if "prefix" in node:
        prefix = node["prefix"]
        return part(kind, f"{prefix['addr']}/{prefix['len']}")
    if "range" in node:
        low, high = node["range"]
        if type(low) is int and type(high) is int:
            return (low, high)
        return part(kind, f"{low}-{high}")
    if "elem" in node:
        return value(kind, node["elem"]["val"])
    if "|" in node:
        total = 0
        for one in node["|"]:
            read = value(kind, one)
            if read is None or isinstance(read, str):
                return None
            total |= read[0]
        return (total, total)
    return None


def element(kinds: Sequence[str], node: Any) -> Element | None:
    """One element of a set or key of a map."""
    if node == "*":
        return ("*",) * len(kinds)
    if isinstance(node, dict):
        if "elem" in node:
            return element(kinds, node["elem"]["val"])
        if "concat" in node:
            return _concatenated(kinds, node["concat"])
    if len(kinds) != 1:
        return None
    read = value(kinds[0], node)
    return None if read is None else (read,)


def _concatenated(kinds: Sequence[str], nodes: Sequence[Any]) -> Element | None:
    if len(nodes) != len(kinds):
        return None
    parts = [value(kind, one) for kind, one in zip(kinds, nodes, strict=True)]
    found = tuple(one for one in parts if one is not None)
    return found if len(found) == len(kinds) else None


def elements(kinds: Sequence[str], nodes: Sequence[Any]) -> tuple[list[Element], bool]:
    """The elements of a set, and whether all of them were understood. The one for all others comes last."""
    found: list[Element] = []
    last: list[Element] = []
    whole = True
    for node in nodes:
        read = element(kinds, node)
        if read is None:
            whole = False
        else:
            (last if node == "*" else found).append(read)
    return found + last, whole


def pairs(kinds: Sequence[str], nodes: Sequence[Any]) -> list[tuple[Element | None, Any]]:
    """Keys of a map with what they give; a key of None is not understood. The one for all others comes last."""
    found: list[tuple[Element | None, Any]] = []
    last: list[tuple[Element | None, Any]] = []
    for node, data in nodes:
        if node == "*":
            last.append((("*",), data))
        else:
            found.append((element(kinds, node), data))
    return found + last


def right(what: Key, node: Any) -> Values:
    """What a field is compared with."""
    if isinstance(node, str) and node[:1] == "@":
        return Values("ref", None, node[1:])
    if isinstance(node, dict) and "set" in node:
        given = node["set"]
        found, whole = elements(what.kinds, given if isinstance(given, list) else [given])
        return Values("set", found if whole else None)
    if isinstance(node, list) or (isinstance(node, dict) and "|" in node):
        found, whole = elements(what.kinds, node if isinstance(node, list) else node["|"])
        return Values("list" if isinstance(node, list) else "or", found if whole else None)
    read = element(what.kinds, node)
    return Values("one", None if read is None else [read])


def texts(node: Any) -> list[str]:
    """The words of a mask or of the bits compared with it."""
    if isinstance(node, dict) and "|" in node:
        node = node["|"]
    if isinstance(node, list):
        return [word for one in node for word in texts(one)]
    if not isinstance(node, (str, int)):
        raise NotUnderstood
    return [str(node)]


def left(node: Any) -> tuple[Key, list[str]]:
    """A field, or fields, that are compared or looked up; and the words of its mask where they are names."""
    ((name, inner),) = node.items()
    if name == "payload":
        return _payload(inner), []
    if name == "meta":
        return key("meta", inner["key"]), []
    if name == "concat":
        return joined([left(one)[0] for one in inner]), []
    if name in BINARY:
        return _masked(name, inner)
    reader = _FIELDS.get(name)
    if reader is None:
        raise NotUnderstood
    return reader(inner), []


def _masked(sign: str, nodes: Sequence[Any]) -> tuple[Key, list[str]]:
    what, mask = left(nodes[0])
    if sign != "&" or len(nodes) != 2 or mask or what.mask is not None or not what.clear:
        return what._replace(clear=False), []
    try:
        mask = texts(nodes[1])
    except NotUnderstood:
        return what._replace(clear=False), []
    bits = flag_mask(what.kinds[0], mask)
    return (what, mask) if bits is None else (what._replace(mask=bits), [])


def _payload(inner: dict[str, Any]) -> Key:
    if "base" in inner:
        return key(f"@{inner['base']},{inner['offset']},{inner['len']}", "")
    if "tunnel" in inner:
        return key(inner["tunnel"], f"{inner['protocol']} {inner['field']}")
    return key(inner["protocol"], inner["field"])


def _ct(inner: dict[str, Any]) -> Key:
    given = (inner.get("dir"), inner.get("family"), inner["key"])
    return key("ct", " ".join(one for one in given if one))


def _fib(inner: dict[str, Any]) -> Key:
    flags = inner.get("flags", [])
    return key("fib", f"{' . '.join(flags if isinstance(flags, list) else [flags])} {inner['result']}")


def _exthdr(inner: dict[str, Any]) -> Key:
    return key(inner["name"], inner["field"]) if "field" in inner else key("exthdr", inner["name"])


def _numgen(inner: dict[str, Any]) -> Key:
    offset = f" offset {inner['offset']}" if inner.get("offset") else ""
    return key("numgen", f"{inner['mode']} mod {inner['mod']}{offset}")


def _option(head: str, word: str, inner: dict[str, Any]) -> Key:
    if "base" in inner:
        return key(head, f"{word} @{inner['base']},{inner['offset']},{inner['len']}")
    name = inner["name"] if "name" in inner else inner["type"]
    return key(head, f"{word} {name} {inner['field']}" if "field" in inner else f"{word} {name}")


def _rt(inner: dict[str, Any]) -> Key:
    return key("rt", f"{inner['family']} {inner['key']}" if "family" in inner else inner["key"])


def _ipsec(inner: dict[str, Any]) -> Key:
    given = (inner.get("dir", "in"), inner.get("family"), inner["key"])
    return key("ipsec", " ".join(one for one in given if one))


_FIELDS: dict[str, Any] = {
    "ct": _ct,
    "fib": _fib,
    "exthdr": _exthdr,
    "numgen": _numgen,
    "rt": _rt,
    "ipsec": _ipsec,
    "tcp option": lambda inner: _option("tcp", "option", inner),
    "ip option": lambda inner: _option("ip", "option", inner),
    "dccp option": lambda inner: _option("dccp", "option", inner),
    "sctp chunk": lambda inner: _option("sctp", "chunk", inner),
    "jhash": lambda inner: key("jhash", ""),
    "symhash": lambda inner: key("symhash", ""),
    "socket": lambda inner: key("socket", inner["key"]),
    "osf": lambda inner: key("osf", inner["key"]),
}


def computed(kind: str, node: Any) -> Number | None:
    """What a field is set to."""
    if isinstance(node, int):
        return Number("", 0, int(node))
    if isinstance(node, str):
        found = single(kind, node) if kind in ("ip4", "ip6", "port") else number(node)
        return None if found is None else Number("", 0, found)
    if not isinstance(node, dict) or len(node) != 1:
        return None
    ((name, inner),) = node.items()
    if name in BINARY:
        found_by_now = computed(kind, inner[0])
        for one in inner[1:]:
            found_by_now = combine(found_by_now, name, computed(kind, one))
        return found_by_now
    try:
        what, _ = left(node)
    except MALFORMED:
        return None
    return Number(what.name, (1 << 128) - 1, 0) if what.kinds == ("number",) and what.clear else None


def verdict(node: Any) -> Verdict | None:
    """A verdict as it stands in a rule or as what a map gives."""
    if not isinstance(node, dict) or len(node) != 1:
        return None
    ((name, inner),) = node.items()
    if name not in VERDICTS:
        return None
    if name in ("jump", "goto"):
        return Verdict(kind=name, target=str(inner["target"]))
    return Verdict(kind=name)
