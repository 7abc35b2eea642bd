"""Before any TCP: can the client find the host on its network? ARP for IPv4, neighbour discovery for IPv6."""

from __future__ import annotations

import ipaddress

from forgedoctor.firewall import decision
from forgedoctor.firewall.packet import Packet, arp, neighbour
from forgedoctor.firewall.path import Outcome, Path
from forgedoctor.firewall.values import Value

_SOLICITED = int(ipaddress.IPv6Address("ff02::1:ff00:0"))


def blocked(path: Path, syn: Packet) -> tuple[list[Outcome], bool]:
    """The outcomes in which no neighbour finds the host, and whether there is no other."""
    interface = syn["iifname"]
    if interface == "lo" or (path.host.is_local(syn.family(), syn.source()) and isinstance(syn.source(), int)):
        return [], False
    found = _solicited(path, syn, interface) if syn.family() == "ip6" else _asked(path, syn, interface)
    lost = [one for one in found if one.verdict == decision.FILTERED]
    if lost and len(lost) == len(found):
        return lost[:1], True
    return [one for one in lost if _unread(one)], False


def _asker(path: Path, syn: Packet) -> Value:
    """Who asks: the client by the address it connects from (RFC 4861, 7.2.2), or the router before it."""
    return None if path.host.on_link(syn.family(), syn.source()) is False else syn.source()


def _solicited(path: Path, syn: Packet, interface: Value) -> list[Outcome]:
    source, target = _asker(path, syn), syn.target()
    group = _SOLICITED | target & 0xFFFFFF if isinstance(target, int) else None
    values = neighbour(135, source, group, interface, "") | {"_wanted": target, "_client": source}
    return path.follow(Packet(values, path.host))


def _asked(path: Path, syn: Packet, interface: Value) -> list[Outcome]:
    source = _asker(path, syn)
    request = Packet(arp(1, source, syn.target(), interface, ""), path.host)
    coming = path.follow(request, "arp-ingress")
    if not any(one.verdict == "passed" for one in coming):
        return coming
    reply = Packet(arp(2, syn.target(), source, "", interface), path.host)
    return path.follow(reply, "arp-output")


def _unread(lost: Outcome) -> bool:
    """Whether it hangs on a rule that was not understood. A limit is none: one packet passes it, and they ask again."""
    choice = lost.trail
    while choice:
        if choice.fork.how in ("match", "anything") and not choice.fork.construct.startswith("limit"):
            return True
        choice = choice.before
    return False
