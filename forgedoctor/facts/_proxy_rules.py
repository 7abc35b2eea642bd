"""Which hosts are reached without the proxy: the rules of the two HTTP clients that the forks use. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from fnmatch import fnmatch


def httpx_bypasses(host: str, port: int | None, entries: Sequence[str]) -> bool:
    """The rule of httpx 0.24 to 0.28 (httpx/_utils.py: get_environment_proxies, URLPattern).

    ``*`` as any entry: every host. An address, with or without ``/prefix``: that address alone.
    ``localhost``: that name alone. ``.name``: hosts below it; ``name``: it and hosts below it. ``host:port``:
    that port only. An entry with a scheme (``http://host``, from 0.28 on) and one that httpx refuses to start
    with (``[::1]``) match nothing here.
    """
    host = host.lower().strip("[]")
    return any(entry == "*" or _httpx_entry(entry.lower(), host, port) for entry in entries)


def _httpx_entry(entry: str, host: str, port: int | None) -> bool:
    address = _address(entry.partition("/")[0])
    if address:
        return address == _address(host)
    if entry == "localhost":
        return host == "localhost"
    name, colon, number = entry.partition("/")[0].partition(":")
    if colon and (not number.isdecimal() or int(number) != port):
        return False
    if name.startswith("."):
        return host.endswith(name) and host != name
    return bool(name) and (host == name or host.endswith("." + name))


def requests_bypasses(host: str, port: int | None, entries: Sequence[str], exceptions: str = "") -> bool:
    """The rule of requests 2.34 (requests.utils.should_bypass_proxies, then urllib's proxy_bypass).

    ``*`` counts as the only entry. An IPv4 host: a range that it lies in. Any host: the same text, with or without
    the port (an IPv4 address: without), or a name below an entry; releases before 2.34 also took ``badexample.com``
    for ``example.com``. ``exceptions``: those of Windows (``;``) or macOS (``,``), read only where there are no
    entries: names with ``*``, and ``<local>`` for names without a dot. Nothing is looked up.
    """
    host = host.lower().strip("[]")
    if not entries:
        return any(_exception(one.strip().lower(), host) for one in re.split("[;,]", exceptions))
    if list(entries) == ["*"]:
        return True
    ranged = _is_ipv4(host)
    named = f"{host}:{port}" if port and not ranged else host
    for entry in entries:
        name = entry.lstrip(".").lower()
        if ranged and _in_range(host, entry):
            return True
        if name and (name in (host, named) or host.endswith("." + name) or named.endswith("." + name)):
            return True
    return False


def _exception(pattern: str, host: str) -> bool:
    if pattern == "<local>":
        return "." not in host
    return bool(pattern) and fnmatch(host, pattern)


def _in_range(host: str, entry: str) -> bool:
    base, slash, prefix = entry.partition("/")
    if not slash or not _is_ipv4(base) or not prefix.isdecimal() or not 1 <= int(prefix) <= 32:
        return False
    return ipaddress.ip_address(host) in ipaddress.ip_network(f"{base}/{prefix}", strict=False)


def _is_ipv4(text: str) -> bool:
    return text.count(".") == 3 and _address(text) is not None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
