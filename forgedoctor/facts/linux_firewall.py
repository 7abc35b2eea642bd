"""The packet filter of a Linux machine, as its own programs list it, and the addresses and routes it works with."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _command, _psutil
from forgedoctor.facts._host import read
from forgedoctor.facts.host import Host
from forgedoctor.message import t
from forgedoctor.target import Target

BUDGET = 1.5  # seconds for each program; they take 5 to 30 ms where nothing is wrong
_UFW_CONF, _UFW_DEFAULTS = Path("/etc/ufw/ufw.conf"), Path("/etc/default/ufw")
_LEGACY = {"iptables-legacy-save": "ip_tables_names", "ip6tables-legacy-save": "ip6_tables_names"}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What one program printed. ``command`` names it."""

    command: str
    text: str


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A program that told nothing: ``outcome`` as in :class:`forgedoctor.facts._command.Ran`, ``said`` its words."""

    command: str
    outcome: str
    said: str = ""


class LinuxFirewall(Fact, frozen=True, kw_only=True):
    """The rules, and what else decides about a packet.

    ``readable``: every program that lists rules of this kernel was heard. ``ufw``: whether ufw is switched on for the
    next start (/etc/ufw/ufw.conf, which all may read), None where there is no ufw; ``ufw_input`` its default policy.
    ``addresses`` and ``routes`` have the shape of ``ip -j addr`` and ``ip -j route``; ``ip_forward``: it forwards IPv4.
    """

    listings: tuple[Listing, ...] = ()
    unread: tuple[Unread, ...] = ()
    readable: bool = False
    ufw: bool | None = None
    ufw_input: str = ""
    addresses: tuple[dict[str, Any], ...] = ()
    routes: tuple[dict[str, Any], ...] = ()
    ip_forward: bool = False


@collector(LinuxFirewall, scopes=("live", "preflight"), budget=4.0)
def collect(target: Target, host: Host) -> LinuxFirewall:
    """Ask nft, iptables-save and ipset, which only list; read ufw's switches, the addresses and the routes.

    Raises Unavailable on other systems. Without the right to read the rules they are missing and ``unread`` says so.
    """
    if host.system != "linux":
        raise Unavailable(t("only Linux has this packet filter"), sought=False)
    listings: list[Listing] = []
    unread: list[Unread] = []
    for command in _commands():
        if not _worth_asking(command, listings):
            continue
        ran = _command.run(command.split(), timeout=min(BUDGET, max(0.5, target.timeout)))
        if ran.outcome == "ok":
            listings.append(Listing(command=command, text=ran.text))
        elif ran.outcome != "missing":
            unread.append(Unread(command=command, outcome=ran.outcome, said=ran.said[:300]))
    nft = any(one.command.startswith("nft") for one in listings)
    readable = not unread and (nft or bool(listings) or not _in_kernel())
    enabled, policy = _ufw()
    return LinuxFirewall(
        source="nft, iptables-save",
        listings=tuple(listings),
        unread=tuple(unread),
        readable=readable,
        ufw=enabled,
        ufw_input=policy,
        addresses=tuple(_addresses()),
        routes=tuple(_routes()),
        ip_forward=read(Path("/proc/sys/net/ipv4/ip_forward")).strip() == "1",
    )


def _worth_asking(command: str, listings: Sequence[Listing]) -> bool:
    """Sets only where rules use them; iptables' own listing only where nft showed tables that may be its, or told
    nothing (its listing has the matches that nft cannot print)."""
    if command == "ipset save":
        return any("--match-set" in one.text for one in listings)
    nft = next((one.text for one in listings if one.command.startswith("nft")), None)
    return nft is None or "legacy" in command or "-nft-save" not in command or "table ip" in nft


def _commands() -> Iterator[str]:
    """The programs to ask. The legacy ones only where that engine has tables: the kernel names them in /proc."""
    yield "nft list ruleset"
    for name in ("iptables", "ip6tables"):
        yield f"{name}-nft-save" if _command.found(f"{name}-nft-save") else f"{name}-save"
    for command, names in _LEGACY.items():
        if read(Path("/proc/net") / names).strip():
            yield command if _command.found(command) else command.replace("-legacy", "")
    yield "ipset save"


def _in_kernel() -> bool:
    """Whether this kernel has a packet filter in use that nobody here can list."""
    return any(Path("/proc/net", name).exists() for name in ("ip_tables_names", "ip6_tables_names", "nf_conntrack"))


def _ufw() -> tuple[bool | None, str]:
    enabled = _setting(_UFW_CONF, "ENABLED")
    policy = _setting(_UFW_DEFAULTS, "DEFAULT_INPUT_POLICY")
    return (enabled.lower() == "yes" if enabled else None), policy.lower()


def _setting(path: Path, name: str) -> str:
    for line in read(path).splitlines():
        key, _, value = line.strip().partition("=")
        if key == name:
            return value.strip().strip("\"'")
    return ""


def _addresses() -> list[dict[str, Any]]:
    return _asked(["ip", "-j", "addr", "show"]) or list(_from_psutil())


def _routes() -> list[dict[str, Any]]:
    return _asked(["ip", "-j", "route", "show"]) + _asked(["ip", "-j", "-6", "route", "show"])


def _asked(argv: list[str]) -> list[dict[str, Any]]:
    ran = _command.run(argv, timeout=BUDGET)
    try:
        found = json.loads(ran.text) if ran.outcome == "ok" and ran.text.strip() else []
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict) and one] if isinstance(found, list) else []


def _from_psutil() -> Iterator[dict[str, Any]]:
    """The addresses in the same shape, where there is no ip program."""
    listed: dict[str, list[Any]] = _psutil.attempt(_psutil.load().net_if_addrs, {})
    for index, (name, rows) in enumerate(listed.items(), 1):
        info = []
        for row in rows:
            try:
                length = ipaddress.ip_network(f"0.0.0.0/{row.netmask}").prefixlen if row.netmask else 32
                local = str(ipaddress.ip_address(str(row.address).partition("%")[0]))
            except ValueError:
                continue
            family = "inet6" if ":" in local else "inet"
            info.append({"family": family, "local": local, "prefixlen": 64 if family == "inet6" else length})
        yield {"ifindex": index, "ifname": name, "operstate": "UP", "addr_info": info}
