"""What several checks ask of an address that a client used."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of an address, with or without a scheme; empty where there is none."""
    try:
        return urlsplit(f"//{url.split('://')[-1]}").hostname or ""
    except ValueError:
        return ""


def port_of(url: str, default: int = 7860) -> int:
    """The port of an address."""
    try:
        return urlsplit(f"//{url.split('://')[-1]}").port or default
    except ValueError:
        return default


def loopback(host: str) -> bool:
    """Whether it means the machine that asks."""
    return host in ("localhost", "::1") or host.startswith("127.")


def private(host: str) -> bool:
    """Whether it is an address of a home or office network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_loopback and not address.is_unspecified
