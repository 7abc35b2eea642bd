"""Target: what one examination is about, as it was asked for."""

from __future__ import annotations

import msgspec

# live: this machine and the Forge on it; preflight: the same before launch; endpoint: a URL, from a client's side;
# args: a command line alone; text: something that was pasted;
# nginx: a configuration of nginx, by itself.
SCOPES = ("live", "preflight", "endpoint", "args", "text", "nginx")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at, and how long a probe may take (``timeout``, seconds)."""

    scope: str
    directory: str = ""
    url: str = ""
    argv: tuple[str, ...] | None = None
    fork: str = ""
    system: str = ""
    env: dict[str, str] = {}
    texts: tuple[tuple[str, str], ...] = ()
    credentials: str = ""
    generate: bool = False
    timeout: float = 2.0
