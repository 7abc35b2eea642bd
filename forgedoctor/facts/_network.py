"""Where an address lies, seen from this machine: its own, in a network that it is in, or beyond."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from forgedoctor.fact import Unavailable
from forgedoctor.facts import _psutil

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Place = Literal["", "unspecified", "loopback", "own", "link-local", "lan", "private", "shared", "public"]
_SHARED = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598: providers' shared addresses; Tailscale uses them too


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """One address of this machine: ``interface`` that has it, ``prefix`` its network's length, ``up``."""

    address: str
    interface: str
    prefix: int
    up: bool = True

    @property
    def family(self) -> str:
        """ipv4 or ipv6."""
        return "ipv6" if ":" in self.address else "ipv4"

    @property
    def network(self) -> IPNetwork:
        """The network that the address is in."""
        return ipaddress.ip_network(f"{self.address}/{self.prefix}", strict=False)


def own_addresses() -> tuple[Own, ...]:
    """All addresses of this machine in the system's order; empty where they cannot be read."""
    try:
        ps = _psutil.load()
        listed = ps.net_if_addrs()
    except (Unavailable, OSError):
        return ()
    stats: dict[str, Any] = _psutil.attempt(ps.net_if_stats, {})
    found = []
    for name, rows in listed.items():
        known = stats.get(name) or stats.get(name.partition(":")[0])
        up = bool(known.isup) if known is not None else True
        found += [one for row in rows if (one := _own(name, row, up))]
    return tuple(found)


def _own(name: str, row: Any, up: bool) -> Own | None:
    parsed = parsed_address(str(row.address))
    if parsed is None:
        return None  # a hardware address
    return Own(address=str(parsed), interface=name, prefix=_prefix(parsed, row.netmask), up=up)


def _prefix(address: IPAddress, mask: str | None) -> int:
    """The length of a netmask; where none is told (IPv6 on Windows) that of nearly all such networks."""
    default = 64 if address.version == 6 else 24
    bits = parsed_address(mask or "")
    return f"{int(bits):b}".count("1") if bits else default


def parsed_address(text: str) -> IPAddress | None:
    """An address without brackets and scope, an IPv4-mapped one (``::ffff:1.2.3.4``) as IPv4; None for a name."""
    try:
        parsed = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None) or parsed


def place_of(address: str, owns: Sequence[Own]) -> Place:
    """Where an address lies; empty for a name.

    ``lan``: in a network that an interface which is up is in, so that no router stands between. ``private``: kept for
    private networks (RFC 1918, RFC 4193) and not such a one. ``shared``: 100.64.0.0/10.
    """
    parsed = parsed_address(address)
    if parsed is None:
        return ""
    if parsed.is_unspecified:
        return "unspecified"
    if parsed.is_loopback:
        return "loopback"
    if any(parsed == parsed_address(one.address) for one in owns):
        return "own"
    if parsed.is_link_local:
        return "link-local"
    if any(parsed in one.network for one in owns if one.up and one.family == f"ipv{parsed.version}"):
        return "lan"
    if parsed in _SHARED:
        return "shared"
    return "private" if parsed.is_private else "public"
