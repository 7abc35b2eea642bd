"""Reads ``nft -j list ruleset`` (libnftables-json(5), schema 1) into the model of a packet filter.

The JSON says less than the text. Measured with 1.0.6: rules of iptables-nft lose what their matches look at, chains on
an interface lose the interface, a table's flags are garbage, a set is not said to be dynamic. What is lost is marked
as not known: ``devices`` and ``dormant`` None, ``Unknown`` for a match.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from forgedoctor.firewall import nft_text
from forgedoctor.firewall._nft_maps import value as given_value
from forgedoctor.firewall._nft_tables import DEVICE_HOOKS, SetDraft, TableDraft, Tables, data_kind
from forgedoctor.firewall.model import Rule, Ruleset, Statement, Unknown
from forgedoctor.firewall.nft_json_rule import RuleReader, placed
from forgedoctor.firewall.nft_json_shown import shown
from forgedoctor.firewall.nft_json_values import MALFORMED, elements, left, pairs, verdict
from forgedoctor.firewall.nft_words import kind_of_type
from forgedoctor.message import Message, t

_START = re.compile(r'\{\s*"nftables"\s*:\s*\[')
_SPACE = re.compile(r"[\s,]*")
_COMMANDS = ("add", "create", "insert")
_UNREAD = "not understood"


def read(text: str, source: str) -> Ruleset:
    """Read a listing; ``source`` names it in messages. Raises ``ValueError`` with a sentence for another text."""
    start = _START.search(text)
    if "\x00" in text or start is None:
        raise ValueError(t("{source} is no JSON of nftables: run “sudo nft -j list ruleset”.", source=source))
    try:
        objects, cut = _objects(text, start.start(), start.end())
    except RecursionError:
        raise ValueError(t("{source} nests too deep to be a ruleset of nftables.", source=source)) from None
    reader = _Reader(source)
    try:
        for one in objects:
            reader.object(one)
    except (msgspec.DecodeError, RecursionError):
        cut = True
    if cut:
        reader.problems.append(t("{source} ends in the middle: its end is missing.", source=source))
    cut = cut or reader.lost
    tables, problems = reader.tables.made(cut), tuple(reader.problems)
    return Ruleset(kind="nft-json", source=source, tables=tables, problems=problems, cut=cut)


class _Listing(msgspec.Struct):
    nftables: list[msgspec.Raw]


def _objects(text: str, start: int, first: int) -> tuple[Iterable[Any], bool]:
    """The objects of the listing, each decoded when it is its turn (less memory), and whether it is cut off."""
    try:
        found = msgspec.json.decode(text[start:], type=_Listing).nftables
        return map(msgspec.json.decode, found), False
    except (msgspec.DecodeError, UnicodeEncodeError):  # something follows, or the end is missing
        return _salvaged(text, first)


def _salvaged(text: str, at: int) -> tuple[list[Any], bool]:
    """The objects that are whole."""
    decoder = json.JSONDecoder()
    objects: list[Any] = []
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if text[at : at + 1] == "]":
            return objects, False
        try:
            one, at = decoder.raw_decode(text, at)
        except ValueError:
            return objects, True
        objects.append(one)


class _Reader:
    """Puts the objects of a listing into tables. ``lost``: some of them could not be read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tables = Tables()
        self.problems: list[Message] = []
        self.lost = False
        self._rules: dict[tuple[str, str], RuleReader] = {}
        self._chain_name = ""

    def object(self, node: Any) -> None:
        """One object, or a command of a file that holds one."""
        try:
            ((name, inner),) = node.items()
            first = name == "insert"
            if name in _COMMANDS:
                ((name, inner),) = inner.items()
            if name == "flush" and "ruleset" in inner:
                self.tables.flush()
            elif name == "rule":
                self._rule(inner, first)
            elif name in _OBJECTS:
                _OBJECTS[name](self, inner)
            elif name in ("delete", "replace", "rename", "flush", "destroy"):
                raise NotImplementedError
        except (*MALFORMED, NotImplementedError):
            self.lost = True
            problem = t("{source} holds an object that is not understood.", source=self.source)
            if problem not in self.problems:
                self.problems.append(problem)

    def _table_of(self, inner: dict[str, Any]) -> TableDraft:
        family, name = inner["family"], inner["table"]
        if not isinstance(family, str) or not isinstance(name, str):
            raise TypeError
        return self.tables.table(family, name)

    def _table(self, inner: dict[str, Any]) -> None:
        table = self._table_of({"family": inner["family"], "table": inner["name"]})
        flags = inner.get("flags")
        given = flags if isinstance(flags, list) else [flags]
        if "dormant" in given:
            table.dormant = True
        elif flags is not None and not all(one in ("owner", "persist") for one in given):
            table.dormant = None

    def _chain(self, inner: dict[str, Any]) -> None:
        table = self._table_of(inner)
        chain = table.chain(_name(inner))
        if "hook" not in inner:
            return
        chain.hook, chain.type = str(inner["hook"]), str(inner.get("type", "filter"))
        chain.priority = int(inner.get("prio", 0))
        policy = inner.get("policy", "accept")
        chain.policy = policy if policy in ("accept", "drop") else "accept"
        if "dev" in inner:
            devices = inner["dev"]
            chain.devices = tuple(str(one) for one in (devices if isinstance(devices, list) else [devices]))
        elif chain.hook in DEVICE_HOOKS:
            chain.devices = None

    def _rule(self, inner: dict[str, Any], first: bool) -> None:
        table = self._table_of(inner)
        rules = table.chain(_name({"name": inner["chain"]})).rules
        nodes = inner.get("expr", [])
        if not isinstance(nodes, list):
            raise TypeError
        which = (table.family, table.name)
        reader = self._rules.get(which)
        if reader is None or reader.table is not table:
            reader = self._rules[which] = RuleReader(table, lambda text: self._inline(table, text))
        self._chain_name = str(inner["chain"])
        rule = Rule(statements=reader.read(nodes), text=shown(nodes, inner.get("comment")))
        rules.insert(0 if first else len(rules), rule)

    def _inline(self, table: TableDraft, text: str) -> tuple[Statement, ...]:
        """What has no JSON is given as text: a jump to a chain without a name."""
        found = nft_text.chain_of(table, self._chain_name, text)
        return found or (Unknown(construct=" ".join(text.split()[:3]), anything=True),)

    def _set(self, inner: dict[str, Any]) -> None:
        table = self._table_of(inner)
        draft = table.set(_name(inner))
        draft.kinds = _kinds(inner.get("type"))
        if "map" in inner:
            draft.data = data_kind(_types(inner["map"]))
        if inner.get("timeout") or "timeout" in _listed(inner.get("flags")):
            draft.why = "timeout"
        elif "dynamic" in _listed(inner.get("flags")):
            draft.why = "dynamic"
        self._fill(draft, inner.get("elem", []))

    def _element(self, inner: dict[str, Any]) -> None:
        self._fill(self._table_of(inner).set(_name(inner)), inner["elem"])

    def _fill(self, draft: SetDraft, nodes: Any) -> None:
        nodes = _listed(nodes)
        if draft.data:
            self._fill_map(draft, nodes)
            return
        found, whole = elements(draft.kinds or ("any",), nodes)
        draft.elements += found
        if not whole:
            draft.why = draft.why or _UNREAD

    def _fill_map(self, draft: SetDraft, nodes: list[Any]) -> None:
        if draft.data == "object":
            return
        for key, node in pairs(draft.kinds or ("any",), nodes):
            given: object | None = verdict(node) if draft.data == "verdict" else given_value(draft.data, placed(node))
            if key is None or given is None:
                draft.why = draft.why or _UNREAD
            else:
                draft.entries.append((key, given))


_OBJECTS: dict[str, Any] = {
    "table": _Reader._table,
    "chain": _Reader._chain,
    "set": _Reader._set,
    "map": _Reader._set,
    "element": _Reader._element,
}


def _name(inner: dict[str, Any]) -> str:
    name = inner["name"]
    if not isinstance(name, str):
        raise TypeError
    return name


def _listed(node: Any) -> list[Any]:
    if node is None:
        return []
    return node if isinstance(node, list) else [node]


def _types(node: Any) -> list[str]:
    """The types of a set's key or data, by name."""
    if isinstance(node, dict) and "typeof" in node:
        kinds = {"ip4": "ipv4_addr", "ip6": "ipv6_addr", "port": "inet_service", "number": "mark"}
        return [kinds.get(kind, kind) for kind in _kinds(node)]
    return [one for name in _listed(node) for one in str(name).split() if one != "."]


def _kinds(node: Any) -> tuple[str, ...]:
    if isinstance(node, dict) and "typeof" in node:
        inner = node["typeof"]
        try:
            return left({"concat": inner} if isinstance(inner, list) else inner)[0].kinds
        except MALFORMED:
            return ("any",) * (len(inner) if isinstance(inner, list) else 1)
    return tuple(kind_of_type(one) for one in _types(node))
