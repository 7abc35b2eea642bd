"""The addresses of this machine."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts import _psutil
from forgedoctor.message import t
from forgedoctor.target import Target

# Names of interfaces that lead to virtual machines, containers and tunnels rather than to a home or office
# network.
_VIRTUAL = (
    "docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel", "cali", "tun", "tap", "utun", "wg",
    "zt", "tailscale", "bridge", "vethernet", "virtualbox", "vmware", "hyper-v",
)  # fmt: skip


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """One address of one interface. ``family``: ipv4 or ipv6. ``loopback``: only this machine reaches it."""

    address: str
    family: str
    interface: str
    loopback: bool
    up: bool


class Interfaces(Fact, frozen=True, kw_only=True):
    """All IPv4 and IPv6 addresses, in the system's order."""

    addresses: tuple[Address, ...] = ()

    def lan(self) -> tuple[str, ...]:
        """The IPv4 addresses that others may use: of interfaces that are up, neither loopback nor link-local.

        Addresses of interfaces named like virtual ones (containers, virtual machines, tunnels) come last.
        """
        usable = [
            one
            for one in self.addresses
            if one.family == "ipv4" and one.up and not one.loopback and not one.address.startswith(("169.254.", "0."))
        ]
        usable.sort(key=lambda one: one.interface.lower().startswith(_VIRTUAL))
        return tuple(dict.fromkeys(one.address for one in usable))


@collector(Interfaces, scopes=("live", "preflight"))
def collect(target: Target) -> Interfaces:
    """Read the addresses with psutil. Raises Unavailable where the system refuses."""
    ps = _psutil.load()
    try:
        listed = ps.net_if_addrs()
    except (ps.Error, OSError) as error:
        raise Unavailable(
            t("the addresses of this machine cannot be read: {why}", why=str(error)), state=State.DENIED
        ) from None
    stats: dict[str, Any] = _psutil.attempt(ps.net_if_stats, {})
    found = [one for name, rows in listed.items() for row in rows if (one := _address(name, row, _is_up(name, stats)))]
    return Interfaces(source="psutil.net_if_addrs", addresses=tuple(found))


def _is_up(name: str, stats: dict[str, Any]) -> bool:
    """An interface without statistics counts as up; an alias (``eth0:1``) has those of its interface."""
    known = stats.get(name) or stats.get(name.partition(":")[0])
    return bool(known.isup) if known is not None else True


def _address(name: str, row: Any, up: bool) -> Address | None:
    """One row of psutil; None for hardware addresses."""
    try:
        parsed = ipaddress.ip_address(str(row.address).partition("%")[0])
    except ValueError:
        return None
    family = f"ipv{parsed.version}"
    return Address(address=str(parsed), family=family, interface=name, loopback=parsed.is_loopback, up=up)
