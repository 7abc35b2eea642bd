"""Say in words how a connection ends, which rule is behind it, and what would settle what is open."""

from __future__ import annotations

from forgedoctor.firewall import decision, explain_summary
from forgedoctor.firewall.decision import Decision
from forgedoctor.firewall.path import Outcome
from forgedoctor.firewall.trail import Choice, Fork, Place, parting
from forgedoctor.firewall.walk import MOST_STATES
from forgedoctor.message import Message, plain, t

_LONGEST = 300  # signs of a rule that are shown
_MANY = MOST_STATES // 10  # rules of one table, of which each packet of a connection meets its part
WHOLE = t("Give the whole listing of the rules.")
_PACKETS = {
    "syn": t("the client's first packet (SYN)"),
    "ack": t("the client's second packet (ACK): the connection opens, then nothing arrives"),
    "synack": t("the host's answer (SYN-ACK)"),
    "data": t("what the server sends once connected"),
    "rst": t("the reset that would say so at once"),
    "icmp": t("the ICMP error that would say so at once"),
    "nd": t("neighbour discovery (ICMPv6), so the client never finds the host: no TCP begins"),
    "arp": t("ARP, so the client never finds the host: no TCP begins"),
}
_MANAGERS = (
    ("ufw", ("ufw-", "ufw6-")), ("docker", ("DOCKER",)), ("fail2ban", ("f2b-", "fail2ban-")),
    ("libvirt", ("LIBVIRT_",)), ("kubernetes", ("KUBE-", "cali-", "CILIUM_", "FLANNEL-")), ("tailscale", ("ts-",)),
    ("firewalld", ("IN_", "FWDI_", "FWDO_", "PRE_", "POST_")),
)  # fmt: skip


def manager(place: Place | None) -> str:
    """Who keeps a rule, as far as its table's and chain's names tell."""
    if place is None:
        return ""
    if place.table.name.startswith("firewalld"):
        return "firewalld"
    if place.table.name.startswith(("f2b-", "fail2ban")):
        return "fail2ban"
    if place.table.name.startswith("libvirt"):
        return "libvirt"
    for name, starts in _MANAGERS:
        if place.chain.startswith(starts) or place.chain.endswith("_ZONES"):
            return name if place.chain.startswith(starts) else "firewalld"
    jumps = [one.text for chain in place.table.chains.values() if chain.name == place.chain for one in chain.rules]
    if place.rule is None and any("ufw-" in text or "ufw6-" in text for text in jumps):
        return "ufw"  # it sets the policies of the built-in chains
    return "nftables" if place.table.engine == "nft" else "iptables"


def shown(text: str) -> str:
    """A rule or a name for people: what is longer than a screenful is cut."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def decided(outcomes: list[Outcome]) -> Decision:
    """The decision that the outcomes of every way come to."""
    stuck = next((one for one in outcomes if one.verdict == decision.UNDECIDED), None)
    ended = [one for one in outcomes if one.verdict != decision.UNDECIDED]
    if len({one.verdict for one in ended}) > 1:
        return _open_ended(ended)
    return _stuck(stuck) if stuck or not ended else _sure(ended[0])


def _sure(one: Outcome) -> Decision:
    because = _reason(one)
    place = one.place
    return Decision(
        verdict=one.verdict,
        because=(because,),
        rule=shown(place.text()) if place else "",
        where=shown(place.where()) if place else "",
        manager=manager(place),
    )


def _reason(one: Outcome) -> Message:
    """Why it ends so, in one sentence."""
    if one.why == "open":
        if one.place:
            return t("A rule lets it in, and no rule stops the answer.")
        return t("No rule stops it, neither on the way in nor on the way back.")
    if one.why == "closed":
        return t("The rules let it in, but nobody listens on that port at that address, so the host refuses.")
    if one.why == "dropped":
        return _dropped(one)
    if one.why == "rejected":
        return _rejected(one)
    return _OTHER[one.why]


def _dropped(one: Outcome) -> Message:
    what = _PACKETS.get(one.kind, plain(one.kind))
    default = explain_summary.dropped(one.place, what)
    if default:
        return default
    if one.place and one.place.rule is None:
        chain = one.place.chain
        return t("No rule lets it through, and the policy of chain {chain} drops {what}.", chain=chain, what=what)
    return t("A rule drops {what}.", what=what)


def _rejected(one: Outcome) -> Message:
    default = explain_summary.rejected(one.place, one.detail or "port-unreachable", one.verdict == decision.REFUSED)
    if default:
        return default
    if one.verdict == decision.REFUSED:
        return t("A rule refuses it ({what}); the client cannot tell that from a port on which nobody listens.",
                 what=one.detail or "port-unreachable")  # fmt: skip
    return t("A rule rejects it with an ICMP error ({what}), which the client reports as unreachable.", what=one.detail)


_OTHER = {
    "untranslated": t("The answer leaves with another address or port than the client asked, so the client drops it."),
    "stray": t("The client's first packet is translated and its second is not, so the host resets the connection."),
    "not-forwarded": t("A rule sends it on to another address, but this host does not forward (ip_forward is 0)."),
    "localnet": t("A rule sends it to 127.0.0.0/8, which the kernel drops unless route_localnet is set."),
    "size": t("The rules leave too much open to try every way."),
    "translation": t("A rule that is not understood may send it to another address or port."),
    "circle": t("The chains call each other in a circle or too deeply; the kernel would not load that."),
}


_TRY = t("Try from the client: more of the listing would not settle it.")


def _stuck(one: Outcome | None) -> Decision:
    if one is None:
        return Decision(verdict=decision.UNDECIDED, because=(_OTHER["size"],))
    missing = one.why.removeprefix("chain ")
    because = _OTHER.get(one.why) or t("The listing lacks chain {chain}, to which a rule jumps.", chain=shown(missing))
    place = one.place
    rules = sum(len(chain.rules) for chain in place.table.chains.values()) if place else 0
    if one.why == "size" and rules >= _MANY:
        because = t("The table has {count} rules; this tool looks at no more than {limit} for one connection.",
                    count=f"{rules:,}", limit=f"{MOST_STATES:,}")  # fmt: skip
    return Decision(
        verdict=decision.UNDECIDED,
        because=(because,),
        rule=shown(place.text()) if place else "",
        where=shown(place.where()) if place else "",
        manager=manager(place),
        settle=_TRY if one.why == "size" else WHOLE,
    )


def _open_ended(outcomes: list[Outcome]) -> Decision:
    """Outcomes that differ: the first thing that makes the difference, and the others by name."""
    first = outcomes[0]
    seen: dict[str, tuple[Fork, Message]] = {}
    for one in outcomes:
        mine, theirs = parting(first.trail, one.trail) if one.verdict != first.verdict else (None, None)
        choice = mine or theirs
        if choice and choice.fork.construct not in seen:
            seen[choice.fork.construct] = choice.fork, _difference(choice.fork, first, one, mine)
    if not seen:
        return _stuck(None)
    fork = next(iter(seen.values()))[0]
    because = [reason for _, reason in seen.values()]
    place = fork.place
    return Decision(
        verdict=decision.UNDECIDED,
        because=tuple(because[:3]),
        rule=shown(place.text()) if place else "",
        where=shown(place.where()) if place else "",
        manager=manager(place),
        settle=settle(fork),
    )


_WORDS = {
    decision.OPEN: t("open"), decision.REFUSED: t("refused"), decision.FILTERED: t("filtered"),
    decision.UNDECIDED: t("undecided"),
}  # fmt: skip


def word(verdict: str) -> Message:
    """A verdict in words."""
    return _WORDS[verdict]


def _difference(fork: Fork, one: Outcome, other: Outcome, mine: Choice | None) -> Message:
    holds, fails = (other, one) if mine and mine.answer == "no" else (one, other)
    return t(
        "It depends on {what}: {one} or {other}.",
        what=_what(fork),
        one=_WORDS[holds.verdict],
        other=_WORDS[fails.verdict],
    )


def _what(fork: Fork) -> Message:
    """What a fork is about."""
    construct = shown(fork.construct)
    named = explain_summary.what(fork) or _FORKS.get(fork.how) or _FORKS.get(fork.construct)
    if named:
        return Message(named.template, {"construct": construct, **named.params})
    if fork.how == "field":
        return t("‹{construct}› of the packet, which is not known", construct=construct)
    return t("‹{construct}›, which the text of the rules does not decide", construct=construct)


_FORKS = {
    "order": t("which of the chains of equal priority at {construct} runs first"),
    "device": t("whether chain {construct} is attached to the interface the client comes in by"),
    "dormant": t("whether table {construct} is dormant, which this listing does not say"),
    "local": t("whether the address a rule sends it to is this host's own"),
    "forwarding": t("whether this host forwards IPv4"),
    "forwarding6": t("whether this host forwards IPv6"),
    "localnet": t("whether route_localnet is set, as a rule sends it to 127.0.0.0/8"),
    "listener": t("whether the socket on :: takes IPv4 too"),
    "behind": t("whether anybody listens where a rule sends it"),
    "bridge": t("whether the interface is a bridge, for which there are rules too"),
    "client": t("how the client's program takes an ICMP error once it is connected"),
    "cut": t("rules after the place where the listing was cut"),
    "what is cut off": t("the end of the rule in which the listing breaks off"),
}


def settle(fork: Fork) -> Message:
    """What would decide it."""
    known = explain_summary.settle(fork) or _SETTLES.get(fork.how) or _SETTLES.get(fork.construct)
    if known:
        return known
    if fork.construct.startswith(("set ", "map ")) or fork.how in ("set", "dynamic", "timeout", "ipset"):
        return t("The contents of {construct} at the moment of the connection: ipset save, or nft list ruleset.",
                 construct=shown(fork.construct))  # fmt: skip
    return t("Try from the client, and watch whether the counter of that rule rises.")


_SETTLES = {
    "iifname": t("Say by which interface the client comes in (ip -br addr lists them)."),
    "oifname": t("Give the host's routes: ip -j route, ip -6 -j route."),
    "ip saddr": t("Say from which address the client connects."),
    "ip6 saddr": t("Say from which address the client connects."),
    "ip daddr": t("Say which address of the host the client connects to."),
    "ip6 daddr": t("Say which address of the host the client connects to."),
    "device": t("Give the text listing too: nft list ruleset (the JSON of nft 1.0.6 leaves the device out)."),
    "dormant": t("Give the text listing too: nft list ruleset (the JSON of nft 1.0.6 garbles the flag)."),
    "local": t("Give the host's addresses: ip -j addr."),
    "forwarding": t("Read /proc/sys/net/ipv4/ip_forward."),
    "forwarding6": t("Read /proc/sys/net/ipv6/conf/all/forwarding."),
    "localnet": t("Read /proc/sys/net/ipv4/conf/all/route_localnet."),
    "listener": t("Look at the sockets: ss -ltne prints v6only:1 where :: takes no IPv4."),
    "behind": t("Look at who listens there, inside the container or on the other host."),
    "cut": WHOLE,
    "what is cut off": WHOLE,
}
