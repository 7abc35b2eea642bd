"""Who came, and by which way: judged from the two addresses of a connection and the networks of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from forgedoctor.facts._network import Own, parsed_address, place_of
from forgedoctor.message import Message, t
from forgedoctor.reach.addresses import kind_of_interface

Origin = Literal["self", "proxy-here", "box", "gateway", "network", "tunnel", "routed"]
OUTSIDE = ("network", "tunnel", "routed")  # origins that prove that another machine got here


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of this machine to judge a visitor. ``inside``: container, wsl or empty."""

    owns: tuple[Own, ...] = ()
    gateways: tuple[str, ...] = ()
    inside: str = ""
    system: str = ""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where a visitor came from. ``interface``: of the address that took the connection."""

    origin: Origin
    interface: str
    words: Message

    @property
    def outside(self) -> bool:
        """Whether this proves that another machine got here."""
        return self.origin in OUTSIDE


def way_of(peer: str, local: str, proxy: str, around: Surroundings) -> Way:
    """The way of a visitor at ``peer`` to the address ``local``; ``proxy``: the header of a proxy, if there was one."""
    interface = next((one.interface for one in around.owns if _same(one.address, local)), "")
    origin = _origin(peer, proxy, around)
    return Way(origin=origin, interface=interface, words=_words(origin, peer, proxy, around))


def _same(one: str, other: str) -> bool:
    return parsed_address(one) == parsed_address(other)


def _origin(peer: str, proxy: str, around: Surroundings) -> Origin:
    place = place_of(peer, around.owns)
    if place in ("loopback", "own"):
        return "proxy-here" if proxy else "self"
    if around.inside and _is_gateway(peer, around):
        return "gateway"
    if place == "link-local":
        return "network"
    if place != "lan":
        return "routed"
    kind = kind_of_interface(_interface_towards(peer, around.owns))
    return "box" if kind == "box" else "tunnel" if kind == "tunnel" else "network"


def _interface_towards(peer: str, owns: Sequence[Own]) -> str:
    """The interface in whose network a peer is; of several the narrowest network's."""
    parsed = parsed_address(peer)
    near = [one for one in owns if parsed and one.up and one.family == f"ipv{parsed.version}" and parsed in one.network]
    return max(near, key=lambda one: one.prefix).interface if near else ""


def _is_gateway(peer: str, around: Surroundings) -> bool:
    """Whether a peer is what the container or WSL has for a router: then the real visitor's address is lost."""
    if peer in around.gateways:
        return True
    parsed = parsed_address(peer)
    return not around.gateways and any(
        parsed == one.network.network_address + 1 for one in around.owns if one.family == "ipv4" and one.up
    )


def _words(origin: Origin, peer: str, proxy: str, around: Surroundings) -> Message:
    if origin == "self" and around.inside == "wsl":
        return t("this machine itself, or Windows around it: proves nothing about other machines")
    if origin == "self":
        return t("this machine itself: proves nothing about other machines")
    if origin == "proxy-here":
        return t("through a proxy or tunnel on this machine ({header}): that way works", header=proxy)
    if origin == "box":
        return t("a container or virtual machine on this machine: proves nothing about other machines")
    if origin == "gateway" and around.inside == "wsl":
        return t("through Windows, which hides who it really was: Windows itself, or another machine")
    if origin == "gateway":
        return t("through the container's host, which hides who it really was: the host itself, or another machine")
    if origin == "tunnel":
        return t("another machine, through a VPN")
    if origin == "network" and peer in around.gateways:
        return t("the router of this network, or somebody whose address it replaced by its own")
    if origin == "network":
        return t("another machine of the same network")
    return t("another machine, through a router")
