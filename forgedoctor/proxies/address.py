"""What proxy_pass names, taken apart."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# A path may begin with a variable: right after a port, or as one of nginx's own that hold a path.
_PATH_BEGINS = re.compile(r"[/?]|(?<=\d)\$|\$\{?(?:request_uri|document_uri|uri)\b")


def split(target: str) -> tuple[str, str, str | None]:
    """Scheme, host with port (or the group's name; no user names) and the path, None where none is written."""
    scheme, sign, rest = target.partition("://")
    if not sign:
        scheme, rest = "http", target
    if rest.startswith("unix:"):
        socket, colon, uri = rest[5:].partition(":")
        return scheme, f"unix:{socket}", uri if colon else None
    match = _PATH_BEGINS.search(rest)
    end = match.start() if match else len(rest)
    return scheme, rest[:end].rpartition("@")[2], rest[end:] if match else None


def host_port(authority: str, scheme: str) -> tuple[str, int]:
    """Host and port of an address; -1 where it has none that can be read."""
    if authority.startswith("unix:"):
        return authority, -1
    try:
        parts = urlsplit(f"//{authority}")
        return (parts.hostname or "", parts.port or (443 if scheme == "https" else 80))
    except ValueError:
        return authority, -1
