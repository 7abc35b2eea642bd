"""The statements of one rule in nftables' JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_build import assign, guards, reject, translate
from forgedoctor.firewall._nft_maps import Data, place, translation
from forgedoctor.firewall._nft_match import compare, masked
from forgedoctor.firewall._nft_tables import TableDraft
from forgedoctor.firewall._nft_values import number, part
from forgedoctor.firewall.model import NoTrack, SetField, Statement, Translate, Unknown, VerdictMap
from forgedoctor.firewall.nft_json_values import (
    MALFORMED,
    VERDICTS,
    NotUnderstood,
    computed,
    left,
    pairs,
    right,
    texts,
    verdict,
)


class RuleReader:
    """Reads rules of one table, and notes there which sets they fill.

    ``inline``: reads what libnftables has no JSON for and gives as text.
    """

    def __init__(self, table: TableDraft, inline: Callable[[str], tuple[Statement, ...]]) -> None:
        self.table, self.family, self.inline = table, table.family, inline

    def read(self, nodes: Sequence[Any]) -> tuple[Statement, ...]:
        """The statements of a rule; one that is not understood may do anything."""
        found: list[Statement] = []
        for node in nodes:
            try:
                if isinstance(node, str):
                    found.extend(self.inline(node))
                else:
                    self._one(node, found)
            except MALFORMED:
                construct = next(iter(node), "?") if isinstance(node, dict) else str(node)[:40]
                found.append(Unknown(construct=str(construct), anything=True))
        return tuple(found)

    def _one(self, node: dict[str, Any], found: list[Statement]) -> None:
        ((name, inner),) = node.items()
        if name == "match":
            self._match(inner, found)
        elif name in VERDICTS:
            made = verdict(node)
            if made is not None:
                found.append(made)
        else:
            _STATEMENTS[name](self, inner, found)

    def _match(self, inner: dict[str, Any], found: list[Statement]) -> None:
        """A match is always one, whatever it looks at: what is not understood may hold or not."""
        op = inner["op"]
        op = "" if op == "in" else op
        try:
            what, mask = left(inner["left"])
            given = inner["right"]
            found.append(masked(what, mask, op, texts(given)) if mask else compare(what, op, right(what, given)))
        except MALFORMED:
            found.append(Unknown(construct=" ".join(_names(inner["left"])) or "match"))

    def _vmap(self, inner: dict[str, Any], found: list[Statement]) -> None:
        what, _ = left(inner["key"])
        data = inner["data"]
        if not what.clear:
            raise NotUnderstood
        if isinstance(data, str):
            found.append(VerdictMap(fields=what.fields, named=data.removeprefix("@")))
            return
        read = pairs(what.kinds, data["set"])
        entries = tuple((key, made) for key, given in read if key and (made := verdict(given)))
        if len(entries) < len(read):
            found.append(Unknown(construct=f"{what.name} vmap", anything=True))
        else:
            found.append(VerdictMap(fields=what.fields, entries=entries))

    def _mangle(self, inner: dict[str, Any], found: list[Statement]) -> None:
        what, _ = left(inner["key"])
        value = inner["value"]
        if isinstance(value, dict) and "map" in value:
            self._looked_up(what.name, value["map"], found)
        else:
            found.extend(assign(what, computed(what.kinds[0], value), self.family))

    def _looked_up(self, field: str, inner: dict[str, Any], found: list[Statement]) -> None:
        source, _ = left(inner["key"])
        data, named = inner["data"], ""
        found.extend(guards((*source.fields, field), self.family))
        if isinstance(data, str):
            named, read = data.removeprefix("@"), []
        else:
            read = pairs(source.kinds, data["set"])
        entries = tuple((key, value) for key, given in read if key and (value := _number(given)) is not None)
        known = source.clear and len(entries) == len(read)
        if field not in ("meta mark", "ct mark"):
            found.append(Unknown(construct=f"{source.name} map"))
            if field not in words.SET_WITHOUT_EFFECT and field.startswith("meta"):
                found.append(SetField(field=field))
        elif known:
            found.append(SetField(field=field, fields=source.fields, entries=entries, named=named))
        else:
            found.extend((Unknown(construct=f"{source.name} map"), SetField(field=field)))

    def _object(self, kind: str, inner: Any, found: list[Statement]) -> None:
        """A named counter, limit … or one looked up in a map; a ``kind`` of nothing has no effect."""
        if isinstance(inner, dict) and "map" in inner:
            source, _ = left(inner["map"]["key"])
            found.extend(guards(source.fields, self.family))
            found.append(Unknown(construct=f"{source.name} map"))
        elif kind:
            construct = f"{kind} {inner}" if isinstance(inner, str) else kind
            found.append(Unknown(construct=construct, anything=kind == "synproxy"))

    def _reject(self, inner: Any, found: list[Statement]) -> None:
        given = inner if isinstance(inner, dict) else {}
        how, code = str(given.get("type", "")), given.get("expr", "")
        made = reject("tcp" if how.startswith("tcp") else how, str(code), self.family)
        found.extend(one for one in made if one not in found)

    def _nat(self, kind: str, inner: Any, found: list[Statement]) -> None:
        given = inner if isinstance(inner, dict) else {}
        flags = f"{given.get('flags', '')} {given.get('type_flags', '')}"
        whole = not any(word in flags for word in ("netmap", "prefix"))
        made = _translated(kind, given.get("addr"), given.get("port")) if whole else None
        wanted = str(given.get("family", ""))
        found.extend(translate(kind, self.family, wanted, made))

    def _fill(self, inner: dict[str, Any], found: list[Statement]) -> None:
        changed = self.table.emptied if inner.get("op") == "delete" else self.table.filled
        changed.add(str(inner.get("set", inner.get("map"))).removeprefix("@"))
        self._keyed(inner["elem"], inner.get("stmt", ()), found)

    def _meter(self, inner: dict[str, Any], found: list[Statement]) -> None:
        self.table.filled.add(str(inner.get("name", "")))
        self._keyed(inner["key"], inner["stmt"], found)

    def _keyed(self, node: dict[str, Any], done: Any, found: list[Statement]) -> None:
        """A key and what is done for each value of it; a limit there ends the rule as one outside does."""
        what, _ = left(node["elem"]["val"] if "elem" in node else node)
        found.extend(guards(what.fields, self.family))
        found.extend(self.read(done if isinstance(done, (list, tuple)) else [done]))

    def _xt(self, inner: Any, found: list[Statement]) -> None:
        """What iptables-nft made, of which JSON tells no more than the name, if that."""
        self.table.foreign = True
        given = inner if isinstance(inner, dict) else {}
        construct = f"xt {given['name']}" if "name" in given else "xt"
        found.append(Unknown(construct=construct, anything=given.get("type") != "match"))


def _names(node: Any) -> list[str]:
    """The words by which a field that is not understood is called."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, inner),) = node.items()
        return (
            [str(name), *(str(one) for one in inner.values() if isinstance(one, str))]
            if isinstance(inner, dict)
            else [str(name)]
        )
    return []


def _number(node: Any) -> int | None:
    if isinstance(node, str):
        return number(node)
    return node if isinstance(node, int) else None


def _translated(kind: str, address: Any, port: Any) -> Translate | None:
    """A translation to what is written there, or looked up."""
    first, last = _ends(address)
    if isinstance(address, dict) and "map" in address and port is None:
        return _mapped(kind, "", address["map"])
    if first is None or last is None:
        return None
    if isinstance(port, dict) and "map" in port:
        return None if last else _mapped(kind, first, port["map"])
    ports: tuple[int, int] | None = None
    if port is not None:
        given = f"{port['range'][0]}-{port['range'][1]}" if isinstance(port, dict) else str(port)
        read = part("port", given)
        if not isinstance(read, tuple):
            return None
        ports = read
    return Translate(kind=kind, address=first, last=last, port=ports)


def _ends(address: Any) -> tuple[str | None, str | None]:
    """The ends of a range of addresses; None for what is no address."""
    given = [address or "", ""]
    if isinstance(address, dict) and "range" in address:
        given = list(address["range"])
    for one in given:
        if not isinstance(one, str) or (one and part("ip6" if ":" in one else "ip4", one) is None) or "/" in one:
            return None, None
    first, last = given
    return first, last


def _mapped(kind: str, address: str, inner: dict[str, Any]) -> Translate | None:
    what, _ = left(inner["key"])
    data = inner["data"]
    if not what.clear:
        return None
    if isinstance(data, str):
        return translation(kind, address, what, (), data.removeprefix("@"))
    read = [(key, place(placed(given))) for key, given in pairs(what.kinds, data["set"])]
    entries = tuple((key, given) for key, given in read if key is not None and given is not None)
    return translation(kind, address, what, entries, "") if len(entries) == len(read) else None


def placed(node: Any) -> Data:
    """The words of what a map gives: an address, a port, or both."""
    nodes = node["concat"] if isinstance(node, dict) and "concat" in node else [node]
    return [str(one) for one in nodes] if all(isinstance(one, (str, int)) for one in nodes) else []


def _unknown(construct: str, *, anything: bool = False) -> Callable[[RuleReader, Any, list[Statement]], None]:
    def read(reader: RuleReader, inner: Any, found: list[Statement]) -> None:
        named = isinstance(inner, str) or (isinstance(inner, dict) and "map" in inner)
        if named:
            reader._object(construct, inner, found)
        else:
            found.append(Unknown(construct=construct, anything=anything))

    return read


def _nothing(reader: RuleReader, inner: Any, found: list[Statement]) -> None:
    reader._object("", inner, found)


def _nat(kind: str) -> Callable[[RuleReader, Any, list[Statement]], None]:
    return lambda reader, inner, found: reader._nat(kind, inner, found)


_STATEMENTS: dict[str, Callable[[RuleReader, Any, list[Statement]], None]] = {
    "vmap": RuleReader._vmap,
    "mangle": RuleReader._mangle,
    "reject": RuleReader._reject,
    "set": RuleReader._fill,
    "map": RuleReader._fill,
    "meter": RuleReader._meter,
    "xt": RuleReader._xt,
    "limit": _unknown("limit"),
    "quota": _unknown("quota"),
    "ct count": _unknown("ct count"),
    "synproxy": _unknown("synproxy", anything=True),
    "queue": lambda reader, inner, found: found.append(Unknown(construct="queue", anything=True)),
    "fwd": lambda reader, inner, found: found.append(Unknown(construct="fwd", anything=True)),
    "notrack": lambda reader, inner, found: found.append(NoTrack()),
    "reset": lambda reader, inner, found: found.extend(guards(("tcp",), reader.family)),
    "dup": lambda reader, inner, found: reader._object("", (inner or {}).get("addr"), found),
    **dict.fromkeys(("counter", "log", "last", "flow", "comment", "secmark"), _nothing),
    **dict.fromkeys(("ct helper", "ct timeout", "ct expectation"), _nothing),
    **{one: _nat(one) for one in ("dnat", "snat", "masquerade", "redirect", "tproxy")},
}
