"""What WSL and Windows say of their network, as text. Pure.

Windows words its tables in its own language, so that only numbers, addresses and names that are never translated count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

MODES = ("nat", "mirrored", "virtioproxy", "bridged", "none", "wsl1")
_ROW = re.compile(r"^\s*(?P<at>[\w.:*-]+)\s+(?P<port>\d{1,5})\s+(?P<to>[\w.:-]+)\s+(?P<far>\d{1,5})\s*$")
_FIELD = re.compile(r"^\s*(\w+)\s*:\s*(.*?)\s*$")
# The numbers that Windows PowerShell gives for its enumerations. Source: MSFT_NetFirewallHyperVVMSetting, ...Rule.
_ACTIONS = {"0": "notconfigured", "2": "allow", "4": "block"}
_DIRECTIONS = {"1": "inbound", "2": "outbound"}


class PortProxy(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Windows' portproxy: what arrives at ``listen`` is handed on to ``connect``. ``*`` is any address."""

    listen_address: str
    listen_port: int
    connect_address: str
    connect_port: int


class HyperVRule(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled inbound rule of the Hyper-V firewall for TCP. ``ports`` as written: ``7860``, ``7000-8000``, Any."""

    name: str
    allow: bool
    ports: tuple[str, ...] = ()

    def covers(self, port: int) -> bool:
        """Whether the rule speaks of that port; one without ports speaks of all."""
        return not self.ports or any(_within(one, port) for one in self.ports)


class HyperVFirewall(msgspec.Struct, frozen=True, kw_only=True):
    """The Hyper-V firewall in front of WSL. ``inbound``: allow, block, or empty where it was not told.

    ``merged``: rules of Windows' own firewall count too. ``rules`` is None where they were not read.
    """

    enabled: bool | None = None
    inbound: str = ""
    merged: bool | None = None
    rules: tuple[HyperVRule, ...] | None = None


class Wished(msgspec.Struct, frozen=True, kw_only=True):
    """What a .wslconfig asks for; ``section`` is where networkingMode stands. Empty and None: not said."""

    mode: str = ""
    section: str = ""
    localhost_forwarding: bool | None = None


def version(proc_version: str) -> int:
    """1 or 2 from /proc/version; 0 for a kernel that is not WSL's.

    WSL 1 writes ``Microsoft``, WSL 2 ``microsoft-standard-WSL2``; a kernel of one's own for WSL 2 may lack ``WSL2``.
    """
    if "microsoft" not in proc_version.lower():
        return 0
    return 1 if re.search(r"-Microsoft\b", proc_version) and "WSL2" not in proc_version else 2


def mode(text: str) -> str:
    """The answer of ``wslinfo --networking-mode``; empty where it is none."""
    word = text.strip().lower()
    return word if word in MODES else ""


def wished(text: str) -> Wished:
    """Read a .wslconfig. Keys and sections are compared without case; the last one counts."""
    section, found = "", Wished()
    for line in text.lstrip("\ufeff").splitlines():
        line = line.split("#", 1)[0].strip()
        if line.startswith("["):
            section = line.strip("[] ").lower()
        key, equals, value = (part.strip().lower() for part in line.partition("="))
        if equals and section in ("wsl2", "experimental"):
            if key == "networkingmode":
                found = msgspec.structs.replace(found, mode=value, section=section)
            elif key == "localhostforwarding" and value in ("true", "false"):
                found = msgspec.structs.replace(found, localhost_forwarding=value == "true")
    return found


def portproxy(text: str) -> tuple[PortProxy, ...]:
    """The rows of ``netsh interface portproxy show all``, in whatever language its headings are."""
    rows = (_ROW.match(line) for line in text.splitlines())
    return tuple(
        PortProxy(
            listen_address=row["at"], listen_port=int(row["port"]),
            connect_address=row["to"], connect_port=int(row["far"]),
        )
        for row in rows
        if row
    )  # fmt: skip


def hyperv_setting(text: str) -> HyperVFirewall | None:
    """Get-NetFirewallHyperVVMSetting, as the list that PowerShell prints or as JSON; None where it is neither."""
    fields = _fields(text)
    if "DefaultInboundAction" not in fields:
        return None
    action = fields["DefaultInboundAction"].lower()
    return HyperVFirewall(
        enabled=_truth(fields.get("Enabled", "")),
        inbound={"allow": "allow", "block": "block"}.get(_ACTIONS.get(action, action), ""),
        merged=_truth(fields.get("AllowHostPolicyMerge", "")),
    )


def hyperv_rules(text: str) -> tuple[HyperVRule, ...] | None:
    """Get-NetFirewallHyperVRule as JSON: the enabled inbound ones for TCP; None where this is no JSON."""
    try:
        rows = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    rows = rows if isinstance(rows, list) else [rows]
    return tuple(_rules(one for one in rows if isinstance(one, dict)))


def _rules(rows: Iterator[dict[str, Any]]) -> Iterator[HyperVRule]:
    for row in rows:
        words = {key: str(value).lower() for key, value in row.items() if not isinstance(value, list)}
        inbound = _DIRECTIONS.get(words.get("Direction", ""), words.get("Direction")) == "inbound"
        if not inbound or _truth(words.get("Enabled", "")) is False or words.get("Protocol", "any") not in _TCP:
            continue
        action = _ACTIONS.get(words.get("Action", ""), words.get("Action"))
        ports = row.get("LocalPorts") or []
        named = [str(one) for one in (ports if isinstance(ports, list) else [ports])]
        name = str(row.get("DisplayName") or row.get("Name") or "")[:100]
        yield HyperVRule(name=name, allow=action == "allow", ports=tuple(named))


_TCP = ("tcp", "6", "any", "256", "none", "")


def _fields(text: str) -> dict[str, str]:
    """The fields of the first record, from JSON or from ``Name : value`` lines."""
    try:
        record = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        record = None
    record = record[0] if isinstance(record, list) and record else record
    if isinstance(record, dict):
        return {str(key): str(value) for key, value in record.items()}
    found = (_FIELD.match(line) for line in text.splitlines())
    return {one[1]: one[2] for one in found if one}


def _truth(word: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "2": False, "0": False}.get(word.lower())


def _within(written: str, port: int) -> bool:
    if written.strip().lower() in ("any", "*", ""):
        return True
    first, _, last = written.strip().partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return False
    return int(first) <= port <= int(last or first)
