"""Before any TCP: can the client find the host on its network? ARP for IPv4, neighbour discovery for IPv6."""

from __future__ import annotations

import ipaddress

from forgedoctor.firewall import decision
from forgedoctor.firewall.packet import Packet, arp, neighbour
from forgedoctor.firewall.path import Outcome, Path
from forgedoctor.firewall.values import Value

_SOLICITED = int(ipaddress.IPv6Address("ff02::1:ff00:0"))


def blocked(path: Path, syn: Packet) -> Outcome | None:
    """The outcome where no neighbour can find the host, whatever the rules leave open; None where one may."""
    interface = syn["iifname"]
    if interface == "lo" or (path.host.is_local(syn.family(), syn.source()) and isinstance(syn.source(), int)):
        return None
    if syn.family() == "ip6":
        return _surely(_solicited(path, syn, interface))
    return _surely(_asked(path, syn, interface))


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


def _surely(outcomes: list[Outcome]) -> Outcome | None:
    """The drop, where nothing else can happen: a limit that may hold is no obstacle to one packet."""
    if outcomes and all(one.verdict == decision.FILTERED for one in outcomes):
        return outcomes[0]
    return None
