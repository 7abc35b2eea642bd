"""Which of this machine's addresses are worth trying from elsewhere, the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from forgedoctor.facts._network import Own, parsed_address
from forgedoctor.facts._url import bracketed
from forgedoctor.message import Message, t

# How interfaces are named that lead to containers and virtual machines of this very machine, and to tunnels.
# Source: names given by Docker, libvirt, VMware, VirtualBox, Kubernetes' CNI plugins, Hyper-V; by VPN programs.
_BOXES = (
    "docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel", "cali", "lxc", "lxdbr", "podman",
    "vethernet", "virtualbox", "vmware", "hyper-v", "bridge1",
)  # fmt: skip
_TUNNELS = ("tun", "tap", "utun", "wg", "zt", "tailscale", "ppp", "ipsec", "nordlynx", "proton", "wireguard")
_NOWHERE = "192.0.2.1", "2001:db8::1"  # RFC 5737, RFC 3849: kept for examples; nothing is sent there
MOST = 6  # addresses that are offered


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An address to try from another machine. ``kind``: lan or tunnel (only those in the VPN reach it)."""

    address: str
    interface: str
    family: str
    kind: str = "lan"

    def url(self, port: int) -> str:
        """What to open there."""
        return f"http://{bracketed(self.address)}:{port}"


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """``offered``: best first. ``withheld``: addresses that cannot work from another machine, and why."""

    offered: tuple[Offer, ...] = ()
    withheld: tuple[tuple[str, Message], ...] = ()


def kind_of_interface(name: str) -> str:
    """lan, box (containers and virtual machines of this machine) or tunnel, by the interface's name."""
    lower = name.lower()
    return "box" if lower.startswith(_BOXES) else "tunnel" if lower.startswith(_TUNNELS) else "lan"


def offers(bound: Sequence[str], owns: Sequence[Own], main: Sequence[str] = ()) -> Offers:
    """What to try when ``bound`` addresses are listened on. ``main``: the addresses that the default routes use."""
    offered: list[Offer] = []
    withheld: list[tuple[str, Message]] = []
    for own in owns:
        if not _covered(own, bound):
            continue
        why = _useless(own, main)
        if why:
            withheld.append((own.address, why))
            continue
        kind = "lan" if own.address in main else kind_of_interface(own.interface)
        offered.append(Offer(address=own.address, interface=own.interface, family=own.family, kind=kind))
    offered.sort(key=lambda one: (one.family == "ipv6", one.kind == "tunnel", one.address not in main))
    four = [one for one in offered if one.family == "ipv4"][: MOST - 2]
    six = [one for one in offered if one.family == "ipv6"][: MOST - len(four)]
    return Offers(offered=(*four, *six), withheld=tuple(withheld))


def _covered(own: Own, bound: Sequence[str]) -> bool:
    wildcard = "::" if own.family == "ipv6" else "0.0.0.0"
    return wildcard in bound or own.address in [one.partition("%")[0] for one in bound]


def _useless(own: Own, main: Sequence[str]) -> Message | None:
    parsed = parsed_address(own.address)
    if parsed is None or parsed.is_loopback:
        return t("only this machine itself reaches it")
    if not own.up:
        return t("its interface {interface} is down", interface=own.interface)
    if parsed.is_link_local and parsed.version == 4:
        return t("{interface} got no address from the network (169.254.…)", interface=own.interface)
    if parsed.is_link_local:
        return t("browsers cannot open an address that begins with fe80:")
    if own.address not in main and kind_of_interface(own.interface) == "box":
        return t("{interface} leads to containers or virtual machines of this machine", interface=own.interface)
    return None


def main_addresses() -> tuple[str, ...]:
    """The addresses that this machine uses to go out, IPv4 first. Asks the routing table; sends nothing."""
    import socket

    found = []
    for family, nowhere in zip((socket.AF_INET, socket.AF_INET6), _NOWHERE, strict=True):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((nowhere, 9))
                found.append(str(probe.getsockname()[0]).partition("%")[0])
        except OSError:
            continue
    return tuple(found)


def gateways() -> tuple[str, ...]:
    """The routers that the IPv4 default routes lead to (Linux; elsewhere none is known)."""
    import socket
    import struct

    try:
        with open("/proc/net/route", encoding="ascii") as table:
            rows = [line.split() for line in list(table)[1:200]]
    except (OSError, ValueError):
        return ()
    found = [row[2] for row in rows if len(row) > 7 and row[1] == row[7] == "00000000" and row[2] != "00000000"]
    return tuple(socket.inet_ntoa(struct.pack("=I", int(one, 16))) for one in found)
