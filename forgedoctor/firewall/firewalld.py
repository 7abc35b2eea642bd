"""What ``firewall-cmd --list-all`` and its relatives list, as a ruleset. Source: firewalld.zones(5), firewalld 1.3.3.

A packet belongs to the zone of its source, else of its interface, else to the default zone. The listing says nothing of
policies and direct rules; a listing of nft (table ``inet firewalld``) is better where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from forgedoctor.firewall import firewalld_rules as rules
from forgedoctor.firewall.firewalld_zones import Zone, active_zones, zones
from forgedoctor.firewall.iptables_values import matching
from forgedoctor.firewall.model import Chain, Rule, Ruleset, Statement, Table, Unknown, Verdict
from forgedoctor.message import t

_COMPARED = ("services", "ports", "protocols", "source_ports", "forward_ports", "rich_rules", "sources")
_ACCEPT, _DROP = Verdict(kind="accept"), Verdict(kind="drop")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of a zone that is only ``permanent`` (in force after a reload) or only ``runtime`` (gone after it).

    ``what``: ``ports``, ``services`` … or ``target``.
    """

    zone: str
    what: str
    value: str
    only: str


def differences(runtime: Sequence[Zone], permanent: Sequence[Zone]) -> tuple[Difference, ...]:
    """What differs between the zones in force and those of ``--permanent``, for zones that are in both listings.

    Interfaces are left out: NetworkManager binds them at run time, so that they differ as a rule.
    """
    kept = {one.name: one for one in permanent}
    found: list[Difference] = []
    for zone in runtime:
        other = kept.get(zone.name)
        if other is None:
            continue
        for what in _COMPARED:
            now, later = getattr(zone, what), getattr(other, what)
            found += [
                Difference(zone=zone.name, what=what, value=one, only="runtime") for one in now if one not in later
            ]
            found += [
                Difference(zone=zone.name, what=what, value=one, only="permanent") for one in later if one not in now
            ]
        if zone.target != other.target:
            found.append(Difference(zone=zone.name, what="target", value=other.target, only="permanent"))
    return tuple(found)


def read(text: str, source: str = "") -> Ruleset:
    """The zones of ``--list-all``, ``--list-all-zones`` or ``--get-active-zones`` as rules.

    Raises ValueError (one sentence) where the text is no such listing.
    """
    found, bound = zones(text), active_zones(text)
    if not found and not bound:
        name = source or "firewalld"
        raise ValueError(
            t("{source} is no listing of firewalld: run “sudo firewall-cmd --list-all-zones”.", source=name)
        )
    return ruleset(found, source, bound=bound)


def ruleset(
    found: Sequence[Zone],
    source: str = "",
    *,
    bound: Sequence[Zone] = (),
    default_zone: str = "",
    panic: bool = False,
) -> Ruleset:
    """Zones as rules. ``bound``: those of ``--get-active-zones``; ``default_zone``: that of ``--get-default-zone``.

    Zones none of which is active are perhaps the permanent ones: they give a ruleset of kind ``firewalld-permanent``
    without rules, and a sentence. What is not said stays open: the default zone, the zones that are not listed.
    """
    if not bound and not default_zone and not any(one.active or one.default for one in found):
        unsure = t(
            "{source} names no zone that is active: it may be the permanent settings, or of a zone that nothing is "
            "bound to. Run “sudo firewall-cmd --list-all-zones”.",
            source=source,
        )
        return Ruleset(kind="firewalld-permanent", source=source, problems=(unsure,))
    known = {one.name: one for one in found}
    default = default_zone or next((one.name for one in found if one.default), "")
    # All zones are seen where all were listed, or where the active ones were.
    whole = bool(bound) or len(found) > 1
    for one in bound:
        known.setdefault(one.name, one)
    note = t(
        "{source} is a summary: policies and direct rules of firewalld are not in it, but in “sudo nft list ruleset”.",
        source=source,
    )
    table = _panicking() if panic else _table(list(known.values()), {one.name for one in found}, default, whole)
    return Ruleset(kind="firewalld", source=source, tables=(table,), problems=(note,))


def _panicking() -> Table:
    """Panic mode drops everything, loopback too."""
    rule = Rule(statements=(_DROP,), text="panic mode")
    chains = {
        f"filter_{hook}": Chain(name=f"filter_{hook}", hook=hook, priority=-290, policy="drop", rules=(rule,))
        for hook in ("prerouting", "output")
    }
    return Table(family="inet", name="firewalld_policy_drop", chains=chains)


def _table(found: list[Zone], listed: set[str], default: str, whole: bool) -> Table:
    chains: dict[str, Chain] = {}

    def add(name: str, made: Sequence[Rule], hook: str = "", kind: str = "filter", priority: int = 0) -> None:
        chains[name] = Chain(name=name, rules=tuple(made), hook=hook, type=kind, priority=priority)

    for part, hook in (("IN", "input"), ("FWD", "forward")):
        add(f"filter_{hook}", _first(part), hook, priority=10)
        add(f"filter_{part}_ZONES", _dispatch(f"filter_{part}", found, default, whole))
    add("nat_prerouting", [_rule("", Verdict(kind="jump", target="nat_PRE_ZONES"))], "prerouting", "nat", -90)
    add("nat_PRE_ZONES", _dispatch("nat_PRE", found, default, whole))
    for zone in found:
        if zone.name in listed:
            add(f"filter_IN_{zone.name}", rules.incoming(zone))
            add(f"filter_FWD_{zone.name}", rules.forwarded(zone))
            add(f"nat_PRE_{zone.name}", rules.translated(zone))
        else:
            for part in ("filter_IN", "filter_FWD", "nat_PRE"):
                what = Unknown(construct=f"zone {zone.name}", anything=True)
                add(f"{part}_{zone.name}", [_rule(zone.name, what)])
    return Table(family="inet", name="firewalld", chains=chains)


def _first(part: str) -> list[Rule]:
    lines: list[tuple[Statement, ...]] = [
        (matching("ct state", ("established", "related"), False), _ACCEPT),
        (matching("ct status", ("dnat",), False), _ACCEPT),
        (matching("iifname", ("lo",), False), _ACCEPT),
        (matching("ct state", ("invalid",), False), _DROP),
        (Verdict(kind="jump", target=f"filter_{part}_ZONES"),),
        (Verdict(kind="reject", target="admin-prohibited"),),
    ]
    return [Rule(statements=one) for one in lines]


def _rule(text: str, *statements: Statement) -> Rule:
    return Rule(statements=statements, text=text)


def _dispatch(prefix: str, found: list[Zone], default: str, whole: bool) -> list[Rule]:
    """Sources first, then interfaces, then the default zone."""
    made: list[Rule] = []
    if not whole:
        made.append(_rule("", Unknown(construct="zones bound to a source", anything=True)))
    for zone in found:
        goto = Verdict(kind="goto", target=f"{prefix}_{zone.name}")
        made += [_rule(f"{zone.name}: sources: {one}", *rules.source(one), goto) for one in zone.sources]
    for zone in found:
        goto = Verdict(kind="goto", target=f"{prefix}_{zone.name}")
        for one in zone.interfaces:
            text = f"{zone.name}: interfaces: {one}"
            made.append(_rule(text, matching("iifname", (rules.interface(one),), False), goto))
    if default and any(one.name == default for one in found):
        made.append(_rule(f"default zone: {default}", Verdict(kind="goto", target=f"{prefix}_{default}")))
    else:
        made.append(_rule("default zone", Unknown(construct="default zone", anything=True)))
    return made
