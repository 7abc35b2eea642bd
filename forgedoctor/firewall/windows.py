"""Windows Defender Firewall: what it does with a connection from another machine, worked out from its settings.

The order of Windows: a profile that is off lets all in; a block beats every allow; what no rule names meets the
profile's default. Source: Microsoft's pages on Windows Firewall rules (precedence) and MS-FASP 3.1. Conditions have
three values: one that cannot be weighed leaves the answer open only where it would change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forgedoctor.facts._windows_types import PROFILES, ConnectedNetwork, FirewallProfile, FirewallRule
from forgedoctor.facts.windows_network import WindowsNetwork
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED, Decision
from forgedoctor.firewall.windows_rule import doubts, matches, shown_rule
from forgedoctor.message import Message, t

__all__ = ["CATEGORIES", "evaluate", "evaluate_each", "matches", "shown_rule"]

CATEGORIES = {"domain": t("domain"), "private": t("private"), "public": t("public")}
_ASK = "Get-NetFirewallRule -PolicyStore ActiveStore"


def evaluate(
    network: WindowsNetwork,
    *,
    program: str,
    port: int,
    source: str = "",
    interface: str = "",
    category: str = "",
    address: str = "",
    medium: str = "",
) -> Decision:
    """What becomes of a new TCP connection to ``port`` from another machine.

    ``program``: the path of the program that listens; empty where it is not known. ``source``: the client's address;
    empty for some machine of the same subnet. ``interface``: where it comes in, by alias; ``category``: which kind of
    network that is (domain, private, public), looked up by the alias where it is empty. With neither, all connected
    networks must agree. ``address``: the address that is asked; ``medium``: wired, wireless or remote.
    """
    if any(one.on for one in network.products or ()):
        return _other_maker(network)
    packet = _Packet(program, port, source, interface, address, medium)
    if category:
        return _on(network, category, packet)
    known = [one for one in network.networks or () if not interface or one.interface.lower() == interface.lower()]
    categories = dict.fromkeys(one.category or "" for one in known) or dict.fromkeys(PROFILES)
    if "" in categories:
        categories = dict.fromkeys(PROFILES)
    return _agreed([_on(network, one, packet) for one in categories], by_guess=not known)


def evaluate_each(
    network: WindowsNetwork, *, program: str, port: int, source: str = ""
) -> tuple[tuple[ConnectedNetwork, Decision], ...]:
    """The decision for each connected network; none where it is not known which there are."""
    return tuple(
        (
            one,
            evaluate(
                network, program=program, port=port, source=source, interface=one.interface, category=one.category
            ),
        )
        for one in network.networks or ()
    )


class _Packet:
    """What the rules are held against."""

    def __init__(self, program: str, port: int, source: str, interface: str, address: str, medium: str) -> None:
        self.program, self.port, self.source = program, port, source
        self.interface, self.address, self.medium = interface, address, medium


def _other_maker(network: WindowsNetwork) -> Decision:
    name = next(one.name for one in network.products or () if one.on)
    return Decision(
        verdict=UNDECIDED,
        because=(t("{product} is in charge, and the rules of Windows do not say what it lets in", product=name),),
        manager=name,
        settle=t("look into {product}, or try from another machine", product=name),
    )


def _agreed(decisions: list[Decision], *, by_guess: bool) -> Decision:
    """One decision where all agree."""
    verdicts = {one.verdict for one in decisions}
    if len(verdicts) == 1:
        return decisions[0]
    because = [reason for one in decisions for reason in one.because[:1]]
    lead = t("it depends on the kind of network")
    settle = t("see which kind it is: Get-NetConnectionProfile") if by_guess else t("name the interface")
    return Decision(verdict=UNDECIDED, because=(lead, *because), manager="windows", settle=settle)


def _on(network: WindowsNetwork, category: str, packet: _Packet) -> Decision:
    profile = network.profile(category)
    kind = CATEGORIES.get(category, category)
    if profile is None or profile.on is None:
        why = network.why_missing("profiles") or t("the settings for {kind} networks were not seen", kind=kind)
        return _open_question(why, t("see them: Get-NetFirewallProfile -PolicyStore ActiveStore"))
    if not profile.on:
        return Decision(
            verdict=OPEN, because=(t("the firewall is off on {kind} networks", kind=kind),), manager="windows"
        )
    if not profile.rules_count:
        why = t("{kind} networks block every incoming connection, whatever the rules allow", kind=kind)
        return Decision(verdict=FILTERED, because=(why,), where=category, manager="windows")
    if network.rules is None:
        why = network.why_missing("rules") or t("the rules were not seen")
        return _open_question(why, t("see them: {command}", command=_ASK))
    return _by_rules(network, profile, packet)


def _open_question(why: Message, settle: Message | None = None) -> Decision:
    return Decision(verdict=UNDECIDED, because=(why,), manager="windows", settle=settle)


def _by_rules(network: WindowsNetwork, profile: FirewallProfile, packet: _Packet) -> Decision:
    weighed = [
        (rule, matches(rule, program=packet.program, port=packet.port, source=packet.source, category=profile.name,
                       interface=packet.interface, address=packet.address, medium=packet.medium))
        for rule in network.rules or ()
        if profile.local_rules or rule.store != "local"
    ]  # fmt: skip
    hits = [(rule, hit) for rule, hit in weighed if hit is not False]
    kind = CATEGORIES[profile.name]
    rest = _unblocked(network, profile, packet, hits)
    block = _first(hits, "block", sure=True)
    past = _first(hits, "bypass", sure=True) or _first(hits, "bypass", sure=False)
    if block and past:
        why = t('the rule "{rule}" may let some in past all blocks', rule=past.shown)
        return _open_question(why, t("look at the computers and users that it is for"))
    if block:
        template = 'the rule "{rule}" blocks it on {kind} networks, and a block beats every allow'
        return _by(block, FILTERED, t(template, rule=block.shown, kind=kind))
    doubtful = _first(hits, "block", sure=False) or _first(hits, "", sure=False) or _first(hits, "", sure=True)
    if doubtful and rest.verdict != FILTERED:
        return _doubt(doubtful, packet)
    return rest


def _unblocked(
    network: WindowsNetwork, profile: FirewallProfile, packet: _Packet, hits: Sequence[tuple[FirewallRule, bool | None]]
) -> Decision:
    """What becomes of it where no rule blocks it."""
    kind = CATEGORIES[profile.name]
    allow = _first(hits, "allow", sure=True)
    if not network.rules_whole and profile.inbound:
        named = t('the rule "{rule}" lets it in', rule=allow.shown) if allow else t("none of these rules is for it")
        return _open_question(
            t("{seen}, but this may not be the whole list of rules", seen=named),
            t("show them all: netsh advfirewall firewall show rule name=all verbose"),
        )
    if allow:
        return _by(allow, OPEN, t('the rule "{rule}" lets it in on {kind} networks', rule=allow.shown, kind=kind))
    if profile.inbound == "allow":
        why = t("{kind} networks let in what no rule blocks", kind=kind)
        return Decision(verdict=OPEN, because=(why,), where=profile.name, manager="windows")
    maybe = _first(hits, "allow", sure=False) or _first(hits, "bypass", sure=False) or _first(hits, "bypass", sure=True)
    if maybe:
        return _doubt(maybe, packet)
    if not profile.inbound:
        return _open_question(t("the default for {kind} networks could not be read", kind=kind))
    why = t("no rule lets it in, and {kind} networks block the rest", kind=kind)
    return Decision(verdict=FILTERED, because=(why,), where=profile.name, manager="windows")


def _first(hits: Iterable[tuple[FirewallRule, bool | None]], action: str, *, sure: bool) -> FirewallRule | None:
    return next((rule for rule, hit in hits if rule.action == action and (hit is True) == sure), None)


def _by(rule: FirewallRule, verdict: str, why: Message) -> Decision:
    where = " ".join(word for word in (rule.store, rule.id) if word)
    return Decision(verdict=verdict, because=(why,), rule=shown_rule(rule), where=where, manager="windows")


def _doubt(rule: FirewallRule, packet: _Packet) -> Decision:
    parts = "; ".join(doubts(rule, program=packet.program)) or "?"
    why = t('whether the rule "{rule}" is for it cannot be told: {parts}', rule=rule.shown, parts=parts)
    return Decision(
        verdict=UNDECIDED,
        because=(why,),
        rule=shown_rule(rule),
        where=rule.id,
        manager="windows",
        settle=t("look at that rule in wf.msc, or try from another machine"),
    )
