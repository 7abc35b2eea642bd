"""What a proxy's configuration comes to for the requests that it passes to Forge: plain data."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where something stands. ``raw``: its line, where that holds nothing else (so that it can be replaced)."""

    file: str
    line: int
    raw: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Setting(msgspec.Struct, frozen=True):
    """A value in force. ``at`` is None where nothing sets it and it is nginx's default.

    ``own``: it stands in the very block that passes the request on, and a second line there would be an error.
    """

    value: str
    at: Place | None = None
    own: bool = False


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """A group of servers. ``method``: how one is chosen, with its arguments; empty is nginx's round robin.

    ``servers``: as written, less those that are ``down`` or only a ``backup``.
    """

    name: str
    method: str = ""
    servers: tuple[str, ...] = ()
    keepalive: int = 0
    at: Place | None = None
    method_at: Place | None = None


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where nginx takes requests. ``address`` is empty for every address."""

    address: str = ""
    port: int = 80
    tls: bool = False


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit in force: ``requests`` with ``rate`` a second (None: not known) and ``burst``, or ``connections``."""

    kind: str
    zone: str = ""
    rate: float | None = None
    burst: int = 0
    connections: int = 0
    at: Place | None = None


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A block that passes requests on, with all that is in force there.

    ``path`` and ``modifier`` (``=``, ``^~``, ``~``, ``~*``) are the location's; the path is empty where the block has
    none. ``target`` is what proxy_pass names, and ``uri`` its path (None: none is written, which is not the same as
    ``/``). ``hosts``: the addresses (host, port) that this comes to. ``variables``: it holds some that are not known,
    so that the rest may be incomplete. ``rewrites``: the path is changed by other means besides. ``headers``: those
    set for Forge, by name in lower case; the values of others than the usual ones are not kept. ``guards``: the
    directives that ask for a login or an address.

    ``named``: the name of a location such as ``@forge``, which takes requests over as they are; ``path``, ``modifier``
    and ``come_from`` are then those of the block that jumps to it (None: no such block was seen). nginx measures the
    body of a request there too, before the jump: ``client_max_body_size`` is that block's.
    """

    named: str = ""
    come_from: Place | None = None
    path: str = ""
    modifier: str = ""
    at: Place
    names: tuple[str, ...] = ()
    listens: tuple[Listen, ...] = ()
    target: str
    scheme: str = "http"
    uri: str | None = None
    hosts: tuple[tuple[str, int], ...] = ()
    variables: bool = False
    rewrites: bool = False
    pass_at: Place
    upstream: Upstream | None = None
    settings: dict[str, Setting] = {}
    headers: dict[str, Setting] = {}
    headers_at: Place | None = None
    guards: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()

    @property
    def lost(self) -> bool:
        """Whether nothing that was seen leads to it."""
        return bool(self.named) and self.come_from is None

    @property
    def label(self) -> str:
        """The block as it is written, less its brace."""
        words = ("location", self.named) if self.named else ("location", self.modifier, self.path)
        return " ".join(word for word in words if word)

    @property
    def tls(self) -> bool:
        """Whether clients speak https to it."""
        return any(one.tls for one in self.listens)

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of backends."""
        return tuple(port for _, port in self.hosts)

    def setting(self, name: str) -> Setting:
        """A setting in force; nginx's default where none is written."""
        return self.settings.get(name) or Setting(DEFAULTS.get(name, ""))

    def header(self, name: str) -> str | None:
        """A header's value as it is set for Forge; None where none is, and nginx's own default holds."""
        found = self.headers.get(name.lower())
        return found.value if found else None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the way of reading.

    ``kind``: ``syntax`` (nginx would refuse the configuration), ``unread`` (a file that could not be read here) or
    ``unseen`` (one that was not given). ``text`` is nginx's or the system's wording.
    """

    kind: str
    text: str
    file: str = ""
    line: int = 0


# Source: nginx.org, ngx_http_core_module and ngx_http_proxy_module; measured with 1.22.1.
DEFAULTS = {
    "client_max_body_size": "1m",
    "proxy_read_timeout": "60s",
    "proxy_send_timeout": "60s",
    "proxy_connect_timeout": "60s",
    "proxy_buffering": "on",
    "proxy_request_buffering": "on",
    "proxy_http_version": "1.0",
    "proxy_redirect": "default",
    "gzip": "off",
    "resolver": "",
}
