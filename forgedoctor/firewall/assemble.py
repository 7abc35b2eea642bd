"""Make of several listings what was in force at once.

nft's text and its JSON are two readings of the same rules; an iptables listing tells more of its own tables than nft
does; legacy tables filter beside all of them. Summaries (ufw, firewalld) are used where nothing better is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from forgedoctor.firewall.model import Chain, Members, Rule, Ruleset, Table, Unknown
from forgedoctor.message import Message, t

NFT = ("nft-text", "nft-json")
UNSEEN = "legacy-unseen"  # no listing, but the knowledge that iptables-legacy has tables too
IPTABLES = ("iptables", "ip6tables")
_BUILT_IN = frozenset({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})
_NAMES = {"ip": "IPv4", "ip6": "IPv6"}
_SAVES = {"ip": "iptables-save", "ip6": "ip6tables-save"}


class Reading(NamedTuple):
    """Listings that are all in force at once. ``cut``: rules may be missing at the end of one."""

    rulesets: tuple[Ruleset, ...]
    cut: bool = False


class Missing(NamedTuple):
    """Why a family cannot be judged, and the command whose output would do."""

    why: Message
    command: str


class Assembled(NamedTuple):
    """``readings`` of the same rules, the best first; ``missing`` by family: what its rules cannot be judged without.

    ``manager``: only its summary was given. ``notes``: what was assumed. ``unseen``: there are rules beside these that
    may stop what these let in.
    """

    readings: tuple[Reading, ...]
    missing: dict[str, Missing]
    notes: tuple[Message, ...] = ()
    manager: str = ""
    unseen: Missing | None = None


def assemble(rulesets: Sequence[Ruleset]) -> Assembled:
    """The readings of some listings of one machine."""
    sets = {name: one for each in rulesets if each.kind == "ipset" for name, one in each.sets.items()}
    listed = [_with_sets(_torn(each), sets) for each in rulesets]
    nft = [each for each in listed if each.kind in NFT]
    tables = [each for each in listed if each.kind in IPTABLES]
    if not nft and not tables:
        return _summaries([each for each in listed if each.kind not in ("ipset", "windows", UNSEEN)])
    tables = _distinct(tables)
    hidden = any(each.kind == UNSEEN for each in rulesets) and not any(each.legacy for each in tables)
    unseen = _LEGACY if hidden else None
    if not nft:
        return Assembled((_reading(tables),), _uncovered(tables), (_NO_NFT,), unseen=unseen)
    readings = tuple(_reading([_replaced(each, tables), *tables]) for each in sorted(nft, key=_rank))
    return Assembled(readings, {}, () if any(each.legacy for each in tables) else (_NO_LEGACY,), unseen=unseen)


_NO_NFT = t("No listing of nft was given: tables that nft itself made, which would filter too, are taken to be empty.")
_NO_LEGACY = t("No listing of iptables-legacy was given: legacy tables, which would filter too, are taken to be empty.")


_LEGACY = Missing(
    t("There are tables of iptables-legacy too, which filter beside these and are not listed here."),
    "iptables-legacy-save",
)


def _rank(one: Ruleset) -> int:
    return NFT.index(one.kind)


def _reading(rulesets: Iterable[Ruleset]) -> Reading:
    held = tuple(rulesets)
    return Reading(held, any(each.cut for each in held))


def _summaries(rulesets: list[Ruleset]) -> Assembled:
    """Where no rules were listed: what a manager says of itself. That ufw is off says nothing of other rules."""
    telling = {each.kind: each for each in reversed(rulesets) if each.tables}
    if not telling:
        return Assembled((), {}, unseen=_UFW_OFF if any(each.kind == "ufw-status" for each in rulesets) else None)
    manager = next(iter(telling)).partition("-")[0] if len(telling) == 1 else ""
    return Assembled((_reading(telling.values()),), {}, (_SUMMARY,), manager)


_UFW_OFF = Missing(
    t("ufw is off: it filters nothing. Whether other rules do is not said."),
    "nft list ruleset",
)
_SUMMARY = t("Only a summary of the rules was given: nft list ruleset or iptables-save would say more surely.")


def _uncovered(tables: list[Ruleset]) -> dict[str, Missing]:
    """What iptables alone does not tell: the other family; and, where it lists no rule, where rules may be."""
    if not any(
        chain.rules or chain.policy == "drop" for each in tables for one in each.tables for chain in one.chains.values()
    ):
        why = t("iptables lists no rule, but nft or iptables-legacy may have some.")
        return dict.fromkeys(_SAVES, Missing(why, "nft list ruleset"))
    kinds = {"ip6" if each.kind == "ip6tables" else "ip" for each in tables}
    return {
        family: Missing(t("The rules given are not those of {family}.", family=_NAMES[family]), command)
        for family, command in _SAVES.items()
        if family not in kinds
    }


def _distinct(tables: list[Ruleset]) -> list[Ruleset]:
    """The same listing given twice counts once, and so does a table that a later listing of its engine shows again."""
    seen: set[tuple[str, str, str]] = set()
    found = []
    for each in tables:
        fresh = tuple(one for one in each.tables if (one.engine, one.family, one.name) not in seen)
        seen |= {(one.engine, one.family, one.name) for one in each.tables}
        if fresh or not each.tables:
            found.append(msgspec.structs.replace(each, tables=fresh))
    return found


def _replaced(nft: Ruleset, tables: list[Ruleset]) -> Ruleset:
    """An nft listing without the tables of iptables-nft that an iptables listing tells better."""
    better = {
        (one.family, one.name) for each in tables for one in each.tables if one.engine == "iptables-nft"
    }  # fmt: skip
    kept = tuple(one for one in nft.tables if (one.family, one.name) not in better or not _of_iptables(one))
    return msgspec.structs.replace(nft, tables=kept)


def _of_iptables(table: Table) -> bool:
    bases = {chain.name for chain in table.chains.values() if chain.hook}
    return table.engine == "iptables-nft" or (bool(bases) and bases <= _BUILT_IN)


def _with_sets(ruleset: Ruleset, sets: dict[str, Members]) -> Ruleset:
    """An iptables listing with the contents of its ipsets, where its reader had none."""
    if not sets or not any(one.why == "ipset" for table in ruleset.tables for one in table.sets.values()):
        return ruleset
    tables = tuple(
        msgspec.structs.replace(
            table, sets={name: sets.get(name, one) if one.why == "ipset" else one for name, one in table.sets.items()}
        )
        for table in ruleset.tables
    )
    return msgspec.structs.replace(ruleset, tables=tables)


# -- listings that end in the middle -------------------------------------------------------------------------------

_CUT = Rule(statements=(Unknown(construct="cut", anything=True),))


def _torn(ruleset: Ruleset) -> Ruleset:
    """A cut listing, with a rule that may do anything where rules may be missing."""
    if not ruleset.cut or not ruleset.tables:
        return ruleset
    last = ruleset.tables[-1]
    every = ruleset.kind != "nft-text"  # rules follow the list of chains, so that each chain may miss some
    names = list(last.chains) if every else list(last.chains)[-1:]
    chains = {name: _open(chain) if name in names else chain for name, chain in last.chains.items()}
    torn = msgspec.structs.replace(last, chains=chains)
    return msgspec.structs.replace(ruleset, tables=(*ruleset.tables[:-1], torn))


def _open(chain: Chain) -> Chain:
    return msgspec.structs.replace(chain, rules=(*chain.rules, _CUT))
