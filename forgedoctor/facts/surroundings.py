"""What lies around this machine, as far as it shows from inside: no packet is sent to find out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from forgedoctor.fact import Fact, collector
from forgedoctor.facts import _surroundings
from forgedoctor.facts._host import read
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.target import Target

__all__ = ["Placed", "Surroundings", "Uplink", "collect"]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An address of this machine, and its network: private, cgnat, tailscale, link-local, public or other."""

    address: str
    interface: str
    kind: str


class Uplink(msgspec.Struct, frozen=True, kw_only=True):
    """A default route. ``kind`` of its interface: wifi, wired, tunnel, virtual, or empty: not told."""

    interface: str
    kind: str = ""
    gateway: str = ""
    metric: int = 0


class Surroundings(Fact, frozen=True, kw_only=True):
    """Where the machine stands.

    ``cloud``: the vendor whose mark its firmware bears, ``platform``: who rents it out as a container, each with how it
    is known; empty: no mark, which proves nothing. ``mapped``: (port here, port outside) as the platform names them.
    ``placed``: its addresses but loopback, of interfaces that are up. ``uplinks``: default routes of IPv4, the best
    first (Linux). ``reverse_path``: the filter in force for each of their interfaces (0 off, 1 strict, 2 loose);
    ``reverse_path_drops``: packets that it has dropped since the start; None where that is not told.
    """

    cloud: str = ""
    cloud_because: str = ""
    platform: str = ""
    platform_because: str = ""
    mapped: tuple[tuple[int, int], ...] = ()
    placed: tuple[Placed, ...] = ()
    uplinks: tuple[Uplink, ...] = ()
    reverse_path: dict[str, int] = {}
    reverse_path_drops: int | None = None

    def kinds(self) -> frozenset[str]:
        """The kinds of networks that it has an IPv4 address in."""
        return frozenset(one.kind for one in self.placed if ":" not in one.address)


@collector(Surroundings, scopes=("live", "preflight"))
def collect(target: Target, interfaces: Interfaces | None) -> Surroundings:
    """Read the firmware's names, the routes and some counters, each a small file of the kernel."""
    return look(Path("/"), interfaces) if sys.platform == "linux" else look(None, interfaces)


def look(root: Path | None, interfaces: Interfaces | None) -> Surroundings:
    """The same with the root folder as a parameter; None for systems without /proc and /sys."""
    cloud, cloud_because = _surroundings.cloud(_dmi(root)) if root else ("", "")
    platform, platform_because = _surroundings.platform(os.environ)
    uplinks = _uplinks(root) if root else ()
    return Surroundings(
        source="/sys/class/dmi/id, /proc/net" if root else "addresses of this machine",
        cloud=cloud,
        cloud_because=cloud_because,
        platform=platform,
        platform_because=platform_because,
        mapped=_surroundings.mapped(os.environ) if platform else (),
        placed=_placed(interfaces),
        uplinks=uplinks,
        reverse_path=_reverse_path(root, uplinks) if root else {},
        reverse_path_drops=_drops(root) if root else None,
    )


def _dmi(root: Path) -> dict[str, str]:
    folder = root / "sys/class/dmi/id"
    return {name: read(folder / name, 200) for name in _surroundings.FIELDS}


def _placed(interfaces: Interfaces | None) -> tuple[Placed, ...]:
    return tuple(
        Placed(
            address=one.address,
            interface=one.interface,
            kind=_surroundings.kind_of(one.address, one.interface),
        )
        for one in (interfaces.addresses if interfaces else ())
        if one.up and not one.loopback
    )


def _uplinks(root: Path) -> tuple[Uplink, ...]:
    routes = _surroundings.default_routes(read(root / "proc/net/route"))
    return tuple(
        Uplink(interface=one.interface, kind=kind(root, one.interface), gateway=one.gateway, metric=one.metric)
        for one in routes
    )


def kind(root: Path, interface: str) -> str:
    """wifi, tunnel, wired or virtual, from /sys/class/net; empty where it is not there."""
    folder = root / "sys/class/net" / interface
    if "/" in interface or not folder.exists():
        return ""
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return "wifi"
    if (folder / "tun_flags").exists() or interface.startswith(("wg", "tailscale")):
        return "tunnel"
    return "wired" if (folder / "device").exists() else "virtual"


def _reverse_path(root: Path, uplinks: tuple[Uplink, ...]) -> dict[str, int]:
    """The higher of the two settings is in force. Source: Linux, ip-sysctl, rp_filter."""
    conf = root / "proc/sys/net/ipv4/conf"
    everywhere = read(conf / "all/rp_filter", 20).strip()
    found = {}
    for name in dict.fromkeys(one.interface for one in uplinks):
        own = read(conf / name / "rp_filter", 20).strip()
        numbers = [int(word) for word in (everywhere, own) if word.isdigit()]
        if numbers:
            found[name] = max(numbers)
    return found


def _drops(root: Path) -> int | None:
    return _surroundings.counter(read(root / "proc/net/netstat"), "IPReversePathFilter")
