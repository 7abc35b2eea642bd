"""Values as PowerShell, the registry and netsh write them: numbers, English names, lists, wrappers of both."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

ANY = ("", "any", "*")
# Local ports that go by a name: those that services of Windows have at the moment, so never a Forge's. Source:
# FW_PORT_KEYWORD of MS-FASP; MS-GPFAS 2.2.2.19; New-NetFirewallRule -LocalPort; netsh's words.
FOREIGN = frozenset({
    "rpc", "rpc-epmap", "rpcepmap", "iphttps", "iphttpsin", "iptlsin", "teredo", "ply2disc", "playtodiscovery", "mdns",
})  # fmt: skip
PROTOCOLS = {"tcp": 6, "udp": 17, "icmpv4": 1, "icmpv6": 58, "igmp": 2, "ipv6": 41, "gre": 47}
_PORTS = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?")


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of an answer: one comes without its list, none as null, some as ``{"value": [...], "Count": n}``."""
    if isinstance(value, dict):
        inner = value.get("value")
        return rows(inner) if "Count" in value and isinstance(inner, (list, dict)) else [value]
    return [row for one in value for row in rows(one)] if isinstance(value, list) else []


def scalar(value: Any) -> Any:
    """A number or text, out of the objects and lists of one that PowerShell makes of them."""
    for _ in range(4):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, dict):
            value = next((value[key] for key in ("value__", "value", "Value") if key in value), None)
    return value if isinstance(value, (int, float, str)) else None


def text(value: Any) -> str:
    """A value as text that can be written out again: lone surrogates replaced."""
    found = scalar(value)
    plain = "" if found is None else str(found)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()


def number(value: Any) -> int | None:
    """A whole number, also where it is written as text."""
    found = scalar(value)
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, str):
        word = found.strip()
        return int(word) if re.fullmatch(r"\d{1,10}", word, re.ASCII) else None
    return int(found) if isinstance(found, (int, float)) else None


def chosen(value: Any, meanings: Mapping[int | str, str]) -> str:
    """What a number or an English name of it means; empty where it is neither."""
    found = number(value)
    return meanings.get(found if found is not None else text(value).lower(), "")


def listed(value: Any) -> tuple[str, ...]:
    """A list of words, from a list, one word, or words between commas; empty where it says any."""
    if isinstance(value, dict) and "Count" in value:
        value = value.get("value")
    parts: Iterable[Any] = value if isinstance(value, list) else [value]
    words = [word.strip() for part in parts for word in text(part).split(",")]
    return () if any(word.lower() in ("any", "*") for word in words) else tuple(word for word in words if word)


def ports(words: Iterable[str]) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...], bool]:
    """(ranges, names of ports, whether all was understood) of a list of ports."""
    ranges: list[tuple[int, int]] = []
    names: list[str] = []
    for word in words:
        found = _PORTS.fullmatch(word)
        if found:
            ranges.append((int(found[1]), int(found[2] or found[1])))
        else:
            names.append(word)
    return tuple(ranges), tuple(names), all(name.lower() in FOREIGN for name in names)


def protocol(value: Any) -> tuple[int | None, bool]:
    """(protocol number or None for any, whether it was understood)."""
    word = text(value).lower()
    if word in ANY or word == "256":
        return None, True
    found = PROTOCOLS.get(word, number(word))
    return found, found is not None


def path(value: Any, variables: Mapping[str, str] | None = None) -> str:
    """A program's path with its ``%variables%`` filled in as far as they are known; empty where it says any."""
    word = text(value).strip('"')
    known = {name.lower(): held for name, held in (variables or {}).items()}
    word = re.sub(r"%([^%]+)%", lambda found: known.get(found[1].lower(), found[0]), word)
    return "" if word.lower() in ANY else word


def covers(word: str, address: str) -> bool | None:
    """Whether an address, subnet (``/24`` or ``/255.255.255.0``) or range holds an address; None: not an address."""
    try:
        wanted = ipaddress.ip_address(address.partition("%")[0])
        first, dash, last = (part.strip() for part in word.partition("-"))
        if dash:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
            return low.version == wanted.version and int(low) <= int(wanted) <= int(high)
        net = ipaddress.ip_network(word.strip(), strict=False)
    except ValueError:
        return None
    return net.version == wanted.version and wanted in net
