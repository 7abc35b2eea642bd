"""Say in words what a summary (of ufw, of firewalld) leaves open, and what its defaults do.

A summary is judged by rules that stand in no ruleset: they have no counter, and their names mean nothing to people.
"""

from __future__ import annotations

import re

from forgedoctor.firewall.trail import Fork, Place
from forgedoctor.message import Message, t

_UFW_DEFAULT = re.compile(r"Default: |DEFAULT_\w+_POLICY=")
_ZONE_CHAIN = re.compile(r"filter_(?:IN|FWD)_(.+)")
_LIMITED = re.compile(r"(?:\[\s*\d+\]\s*)?(\S+)(?: \(v6\))?\s+LIMIT(?: IN)?\s+Anywhere(?: \(v6\))?(?:\s+#.*)?")
_LIMITED_PORT = re.compile(r"(?:-p (tcp|udp) .*--dport|(tcp|udp) dport) (\d+)\b(?!-)")
_SERVICE = ("service ", "port ", "source ", "icmp-block", "forward-port", "rich rule")

_ZONES = t("Give the output of: sudo firewall-cmd --list-all-zones, or of: sudo nft list ruleset")
_RULES = t("Give the output of: sudo nft list ruleset")
_STATUS = t("Give the output of: sudo LC_ALL=C ufw status verbose")
_LIMIT = t(
    "ufw's limit (it refuses an address that begins 6 or more connections in 30 seconds, and a web page opens many)"
)
_WHAT = {
    "zones bound to a source": t("whether another zone of firewalld, not listed here, takes the client by its address"),
    "default zone": t("what firewalld's default zone lets in, which is not listed here"),
    "default policy of ufw": t("ufw's default policy, which is not listed here"),
    "IPV6 in /etc/default/ufw": t("whether ufw guards IPv6, which stands in /etc/default/ufw (IPV6=)"),
    "ufw limit": _LIMIT,
}
_SETTLES = {
    "zones bound to a source": _ZONES,
    "default zone": _ZONES,
    "default policy of ufw": _STATUS,
    "IPV6 in /etc/default/ufw": t("Give the file /etc/default/ufw too, or the output of: sudo ip6tables-save"),
}


def dropped(place: Place | None, packet: Message) -> Message | None:
    """Why a packet was dropped, where the default of a summary did it; else None."""
    if _of_ufw(place):
        return t("No rule lets it through, and ufw's default policy drops {what}.", what=packet)
    zone = _zone(place)
    if zone:
        return t("No rule lets it through, and the target of firewalld's zone {zone} drops {what}.",
                 zone=zone, what=packet)  # fmt: skip
    return None


def rejected(place: Place | None, sent: str, refused: bool) -> Message | None:
    """The same of a reject; ``sent``: the reset or ICMP error, ``refused``: the client takes it for a refusal."""
    if refused:
        if _of_ufw(place):
            return t("No rule lets it through, and ufw's default policy refuses it ({what}); the client cannot tell "
                     "that from a port on which nobody listens.", what=sent)  # fmt: skip
        return None
    zone = _zone(place)
    if zone:
        return t("No rule lets it through, and firewalld's zone {zone} rejects it with an ICMP error ({what}), which "
                 "the client reports as unreachable.", zone=zone, what=sent)  # fmt: skip
    return None


def _of_ufw(place: Place | None) -> bool:
    return bool(place and place.rule and _UFW_DEFAULT.match(place.rule.text))


def _zone(place: Place | None) -> str:
    """The zone of a listing of firewall-cmd whose target decided; the chains of nft print no such rule."""
    if place is None or place.rule is None or not place.rule.text.startswith("target: "):
        return ""
    found = _ZONE_CHAIN.fullmatch(place.chain)
    return found[1][:100] if found else ""


def what(fork: Fork) -> Message | None:
    """What a fork of a summary is about; None where it is none."""
    if _limits(fork):
        return _LIMIT
    if fork.construct.startswith("zone "):
        return t("the rules of firewalld's zone {zone}, which is not listed here", zone=fork.construct[5:105])
    return _WHAT.get(fork.construct)


def settle(fork: Fork) -> Message | None:
    """What would decide it; None where it is no fork of a summary."""
    if _limits(fork):
        rule = _limited(fork)
        return t("Allow it without the limit: sudo ufw delete limit {rule}, then sudo ufw allow {rule}", rule=rule)
    if fork.construct.startswith("zone "):
        return _ZONES
    if fork.construct.startswith(("ufw profile ", *_SERVICE)) and fork.place and fork.place.rule:
        return _RULES
    return _SETTLES.get(fork.construct)


def _limits(fork: Fork) -> bool:
    """Whether ``ufw limit`` made the rule: in its summary, or among the rules (which jump to ufw-user-limit)."""
    if fork.construct == "ufw limit":
        return True
    place = fork.place
    if "recent" not in fork.construct or place is None or place.rule is None:
        return False
    return place.chain.startswith(("ufw-", "ufw6-")) or "-user-limit" in place.rule.text


def _limited(fork: Fork) -> str:
    """The rule as ``ufw limit`` took it, where that is plain to see."""
    text = fork.place.rule.text if fork.place and fork.place.rule else ""
    row, port = _LIMITED.fullmatch(text), _LIMITED_PORT.search(text)
    if row and len(row[1]) < 60:
        return row[1]
    plain = port and not any(one in text for one in (" -s ", " -d ", "addr "))
    return f"{port[3]}/{port[1] or port[2]}" if port and plain else "…"
