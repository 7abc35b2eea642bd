"""Tables of nftables while they are read, from text or JSON."""

from __future__ import annotations

from collections.abc import Iterable

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_maps import Lookups
from forgedoctor.firewall.model import Chain, Element, Members, Rule, Table, Unknown, Verdict, VerdictMap

DEVICE_HOOKS = ("ingress", "egress")
_OBJECTS = frozenset({"counter", "quota", "limit", "secmark", "synproxy", "ct helper", "ct timeout", "ct expectation"})


class ChainDraft:
    """A chain that is being read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[Rule] = []
        self.hook = ""
        self.type = "filter"
        self.priority = 0
        self.policy = "accept"
        self.devices: tuple[str, ...] | None = ()

    def made(self, lookups: Lookups | None) -> Chain:
        """The chain of the model."""
        rules = self.rules if lookups is None else [lookups.rule(rule) for rule in self.rules]
        return Chain(
            name=self.name,
            rules=tuple(rules),
            hook=self.hook,
            type=self.type,
            priority=self.priority,
            policy=self.policy,
            devices=self.devices,
        )


class SetDraft:
    """A named set or map that is being read.

    ``kinds``: of its elements' parts, empty where its type is not known. ``data``: what a map gives: ``verdict``,
    ``number``, ``place`` (address, port) or ``object``; empty for a set. ``why``: why it may hold others.
    """

    def __init__(self, data: str = "") -> None:
        self.kinds: tuple[str, ...] = ()
        self.data = data
        self.elements: list[Element] = []
        self.entries: list[tuple[Element, object]] = []
        self.why = ""
        self.counted = 0  # how many elements it has, where the listing says so


class TableDraft:
    """A table that is being read. ``filled``: the sets that its rules put elements into; ``emptied``: or take out."""

    def __init__(self, family: str, name: str) -> None:
        self.family, self.name = family, name
        self.chains: dict[str, ChainDraft] = {}
        self.sets: dict[str, SetDraft] = {}
        self.filled: set[str] = set()
        self.emptied: set[str] = set()
        self.dormant: bool | None = False
        self.foreign = False  # it holds what only iptables-nft makes
        self._without_name: dict[str, int] = {}

    def chain(self, name: str) -> ChainDraft:
        """The chain of that name, begun where it is new."""
        found = self.chains.get(name)
        if found is None:
            found = self.chains[name] = ChainDraft(name)
        return found

    def inner(self, outer: str) -> ChainDraft:
        """A chain without a name, which a rule of the ``outer`` one holds."""
        number = self._without_name[outer] = self._without_name.get(outer, 0) + 1
        return self.chain(f"{outer}#{number}")

    def set(self, name: str, data: str = "") -> SetDraft:
        """The set of that name, begun where it is new."""
        found = self.sets.get(name)
        if found is None:
            found = self.sets[name] = SetDraft(data)
        return found

    def add_missing_chains(self) -> None:
        """Where a rule jumps to a chain that is not there, one that may do anything."""
        targets: dict[str, None] = {}
        for chain in self.chains.values():
            for rule in chain.rules:
                for one in rule.statements:
                    given = [one] if isinstance(one, Verdict) else []
                    given += [verdict for _, verdict in one.entries] if isinstance(one, VerdictMap) else []
                    targets.update({verdict.target: None for verdict in given if verdict.kind in ("jump", "goto")})
        for name in targets:
            if name not in self.chains:
                self.chain(name).rules.append(Rule(statements=(Unknown(construct=f"chain {name}", anything=True),)))

    def made(self, of_iptables: bool) -> Table:
        """The table of the model."""
        for one in self.sets.values():
            if one.counted and not one.elements and not one.entries:
                one.why = one.why or "not listed"  # nft -t leaves them out
        opened = {name: one.why for name, one in self.sets.items() if one.why}
        for name in self.filled | self.emptied:
            opened[name] = "dynamic, timeout" if opened.get(name) == "timeout" else "dynamic"
        sets = {
            name: Members(
                elements=() if name in self.emptied else tuple(one.elements),
                complete=name not in opened,
                why=opened.get(name, ""),
            )
            for name, one in self.sets.items()
            if not one.data
        }
        maps = {name: tuple(one.entries) for name, one in self.sets.items() if one.data}
        lookups = Lookups(sets, maps, opened)
        chains = {name: one.made(lookups) for name, one in self.chains.items()}
        engine = "iptables-nft" if of_iptables or self._looks_like_iptables() else "nft"
        return Table(
            family=self.family,
            name=self.name,
            chains=chains,
            sets=lookups.sets,
            maps=maps,
            dormant=self.dormant,
            engine=engine,
        )

    def _looks_like_iptables(self) -> bool:
        if self.foreign:
            return True
        base = [one.name for one in self.chains.values() if one.hook]
        named = self.family in ("ip", "ip6") and self.name in words.IPTABLES_TABLES
        return named and bool(base) and all(name in words.IPTABLES_CHAINS for name in base)


class Tables:
    """All tables that are being read. ``iptables``: those known to be iptables-nft's, by family and name."""

    def __init__(self) -> None:
        self.drafts: dict[tuple[str, str], TableDraft] = {}
        self.iptables: set[tuple[str, str]] = set()

    def table(self, family: str, name: str) -> TableDraft:
        """The table of that family and name, begun where it is new."""
        found = self.drafts.get((family, name))
        if found is None:
            found = self.drafts[family, name] = TableDraft(family, name)
        return found

    def flush(self, family: str = "") -> None:
        """Forget all tables, or those of one family."""
        self.drafts = {which: one for which, one in self.drafts.items() if family and which[0] != family}

    def made(self, cut: bool) -> tuple[Table, ...]:
        """The tables of the model. ``cut``: parts of the listing are missing, maybe chains that rules jump to."""
        if cut:
            for one in self.drafts.values():
                one.add_missing_chains()
        return tuple(one.made(which in self.iptables) for which, one in self.drafts.items())


def data_kind(types: Iterable[str]) -> str:
    """What a map gives, by the types of its data."""
    found = list(types)
    if found == ["verdict"]:
        return "verdict"
    if found == ["mark"]:
        return "number"
    if found and " ".join(found) in _OBJECTS:
        return "object"
    return "place" if found and set(found) <= {"ipv4_addr", "ipv6_addr", "inet_service"} else "other"
