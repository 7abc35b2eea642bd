"""What is in force where nginx passes requests on: settings inherited as nginx inherits them.

Source: nginx.org; a directive counts from the nearest block that has it. proxy_set_header, limit_req, limit_conn, allow
and deny are taken over from the block above only where the block itself has none at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from forgedoctor.proxies import named, units
from forgedoctor.proxies.address import host_port, split
from forgedoctor.proxies.model import DEFAULTS, Limit, Listen, Location, Place, Setting, Upstream
from forgedoctor.proxies.statements import Statement

_KEPT_HEADERS = ("host", "upgrade", "connection", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-for")
_GUARDS = ("auth_basic", "auth_request", "auth_jwt", "allow", "deny", "ssl_verify_client", "satisfy")
_METHODS = ("least_conn", "ip_hash", "hash", "random", "least_time", "sticky", "sticky_cookie_insert", "fair")
_REWRITES = ("rewrite", "rewrite_by_lua_block", "rewrite_by_lua_file", "js_content", "try_files")
_BODY = "client_max_body_size"
MOST = 300  # locations that are looked at
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Scope(NamedTuple):
    """What holds in one block: everything that the blocks around it and it itself say."""

    settings: Mapping[str, Setting] = {}
    headers: Mapping[str, Setting] = {}
    headers_at: Place | None = None
    guards: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    variables: Mapping[str, str | None] = {}
    path: str = ""
    modifier: str = ""
    at: Place | None = None
    names: tuple[str, ...] = ()
    listens: tuple[Listen, ...] = ()
    rewrites: bool = False
    named: str = ""
    come_from: Place | None = None
    body: Setting | None = None


class Read(NamedTuple):
    """All places that pass requests on, and whether the http block around them was seen."""

    locations: tuple[Location, ...]
    whole: bool


def read(statements: tuple[Statement, ...], lines: Mapping[str, list[str]]) -> Read:
    """The locations of a configuration. ``lines``: the lines of each file, for the edits of a fix."""
    http = [one for one in statements if one.name == "http" and one.block is not None]
    whole = bool(http) or any(one.name == "events" for one in statements)
    top = tuple(inner for one in http for inner in one.block or ()) if whole else statements
    reader = _Reader(lines, top)
    found = []
    for location in reader.block(top, Scope()):
        found.append(location)
        if len(found) == MOST:
            break
    return Read(tuple(found), whole)


class _Reader:
    """One reading of the inside of the http block."""

    def __init__(self, lines: Mapping[str, list[str]], top: tuple[Statement, ...]) -> None:
        self.lines = lines
        self.upstreams = {one.args[0]: self.upstream(one) for one in top if one.name == "upstream" and one.args}
        zones = [one for one in top if one.name == "limit_req_zone"]
        self.rates = {zone: rate for one in zones for zone, rate in [_zone(one.args)]}
        self.jumps: named.Jumps[Scope] = {}

    def place(self, one: Statement) -> Place:
        """Where a statement stands, with its line if that holds nothing else: no line with a secret is kept."""
        if one.name == "proxy_set_header" and one.args[0].lower() not in _KEPT_HEADERS:
            return Place(one.file, one.line)
        if one.name == "proxy_pass" and "@" in one.args[0]:
            return Place(one.file, one.line)
        lines = self.lines.get(one.file, [])
        raw = lines[one.line - 1] if 0 < one.line <= len(lines) else ""
        alone = rf"\s*{re.escape(one.name)}\b[^;{{}}#]*" + (r"\{" if one.block is not None else ";") + r"\s*"
        return Place(one.file, one.line, raw if len(raw) < 400 and re.fullmatch(alone, raw) else "")

    def block(self, statements: tuple[Statement, ...], above: Scope) -> Iterator[Location]:
        """The locations in a block and in those inside it."""
        here = self.scope(statements, above)
        named.note(self.jumps, statements, here)
        for one in statements:
            if one.name == "proxy_pass" and one.args:
                yield self.location(one, here)
            elif one.block is not None and one.name in ("server", "location", "if", "limit_except"):
                if one.name == "server":
                    self.jumps = {}
                if not named.is_named(one):
                    yield from self.block(one.block, self.entered(one, here))
        for one in named.ordered([one for one in statements if named.is_named(one)]):
            yield from self.taking_over(one, here)

    def taking_over(self, one: Statement, here: Scope) -> Iterator[Location]:
        """What a named location passes on, once for each block that jumps to it."""
        entered = self.entered(one, here)._replace(named=one.args[0], path="", modifier="")
        for origin in self.jumps.get(one.args[0], [None]):
            yield from self.block(one.block or (), joined(entered, origin) if origin else entered)

    def entered(self, block: Statement, here: Scope) -> Scope:
        """The scope at the beginning of a block: what it inherits, and its own name."""
        inherited = {name: Setting(one.value, one.at) for name, one in here.settings.items()}
        here = here._replace(settings=inherited, headers={n: Setting(h.value, h.at) for n, h in here.headers.items()})
        if block.name == "server":
            return here._replace(at=self.place(block))
        if block.name != "location" or not block.args:
            return here
        modifier, path = ("", block.args[0]) if len(block.args) == 1 else (block.args[0], block.args[1])
        if len(block.args) == 1 and (glued := re.match(r"(=|\^~|~\*|~)(?=.)", path)):
            modifier, path = glued[1], path[glued.end() :]
        return here._replace(path=path, modifier=modifier, at=self.place(block))

    def scope(self, statements: tuple[Statement, ...], above: Scope) -> Scope:
        """What holds in a block with these statements."""
        own = {
            one.name: Setting(" ".join(one.args), self.place(one), own=True)
            for one in statements
            if one.name in DEFAULTS and one.args
        }
        headers = [one for one in statements if one.name == "proxy_set_header" and len(one.args) > 1]
        limits = [self.limit(one) for one in statements if one.name in ("limit_req", "limit_conn") and one.args]
        guards = [one.name for one in statements if one.name in _GUARDS and one.args]
        off = {one.name for one in statements if one.name in _GUARDS and one.args[:1] == ("off",)}
        return above._replace(
            settings={**above.settings, **own},
            headers={one.args[0].lower(): self.header(one) for one in headers} or above.headers,
            headers_at=self.last_header(headers) or above.headers_at,
            guards=tuple(dict.fromkeys(name for name in (*above.guards, *guards) if name not in off)),
            limits=tuple(limits) or above.limits,
            variables={**above.variables, **_set(statements)},
            names=tuple(name for one in statements if one.name == "server_name" for name in one.args) or above.names,
            listens=tuple(_listen(one.args) for one in statements if one.name == "listen" and one.args)
            or above.listens,
            rewrites=above.rewrites
            or any(one.name in _REWRITES and not (named.target(one) and one.name == "try_files") for one in statements),
        )

    def header(self, one: Statement) -> Setting:
        kept = one.args[0].lower() in _KEPT_HEADERS
        return Setting(one.args[1] if kept else "", self.place(one), own=True)

    def last_header(self, headers: list[Statement]) -> Place | None:
        """After which line another header belongs."""
        places = [self.place(one) for one in headers]
        return next((one for one in reversed(places) if one.raw), places[-1] if places else None)

    def limit(self, one: Statement) -> Limit:
        if one.name == "limit_conn":
            count = one.args[1] if len(one.args) > 1 else ""
            return Limit(
                kind="connections",
                zone=one.args[0],
                connections=int(count) if count.isdigit() and len(count) < 9 else 0,
                at=self.place(one),
            )
        named = dict(word.partition("=")[::2] for word in one.args)
        burst = named.get("burst", "")
        zone = named.get("zone", "")
        return Limit(
            kind="requests",
            zone=zone,
            rate=self.rates.get(zone),
            burst=int(burst) if burst.isdigit() and len(burst) < 9 else 0,
            at=self.place(one),
        )

    def upstream(self, group: Statement) -> Upstream:
        inner = group.block or ()
        chosen = next((one for one in inner if one.name in _METHODS), None)
        kept = next((one.args[0] for one in inner if one.name == "keepalive" and one.args), "")
        servers = [
            one.args[0]
            for one in inner
            if one.name == "server" and one.args and not {"down", "backup"} & set(one.args[1:])
        ]
        return Upstream(
            name=group.args[0],
            method=" ".join((chosen.name, *chosen.args)) if chosen else "",
            servers=tuple(dict.fromkeys(servers))[:50],
            keepalive=int(kept) if kept.isdigit() and len(kept) < 9 else 0,
            at=self.place(group),
            method_at=self.place(chosen) if chosen else None,
        )

    def location(self, one: Statement, here: Scope) -> Location:
        """What a proxy_pass comes to in its scope."""
        target, unknown = _filled(one.args[0], here.variables)
        scheme, authority, uri = split(target)
        group = self.upstreams.get(authority)
        hosts = tuple(host_port(server, scheme) for server in group.servers) if group else ()
        at = self.place(one)
        return Location(
            named=here.named,
            come_from=here.come_from,
            path=here.path,
            modifier=here.modifier,
            at=here.at or at,
            names=here.names[:20],
            listens=here.listens or (() if here.at is None else (Listen(),)),
            target=f"{scheme}://{authority}{uri or ''}",
            scheme=scheme,
            uri=uri,
            hosts=hosts or (() if unknown and "$" in authority else (host_port(authority, scheme),)),
            variables="$" in one.args[0],
            rewrites=here.rewrites,
            pass_at=at,
            upstream=group,
            settings=_settings(here),
            headers=dict(here.headers),
            headers_at=here.headers_at,
            guards=here.guards,
            limits=here.limits,
        )


def joined(entered: Scope, origin: Scope) -> Scope:
    """The scope at the beginning of a named location for the requests that one block hands to it."""
    return entered._replace(
        path=origin.path,
        modifier=origin.modifier,
        come_from=origin.come_from or origin.at or entered.at,
        guards=tuple(dict.fromkeys((*entered.guards, *origin.guards))),
        limits=tuple(dict.fromkeys((*entered.limits, *origin.limits))),
        variables={**entered.variables, **origin.variables},
        rewrites=entered.rewrites or origin.rewrites,
        body=origin.body if origin.come_from else origin.settings.get(_BODY),
    )


def _settings(here: Scope) -> dict[str, Setting]:
    """The settings of a block; the limit on the body is that of the one where the request came in. Measured."""
    if here.come_from is None:
        return dict(here.settings)
    settings = {name: one for name, one in here.settings.items() if name != _BODY}
    return {**settings, _BODY: here.body} if here.body else settings


def _zone(args: tuple[str, ...]) -> tuple[str, float | None]:
    """The name and the rate that a limit_req_zone defines."""
    name = next((word[5:].partition(":")[0] for word in args if word.startswith("zone=")), "")
    return name, next((rate for word in args if (rate := units.rate(word)) is not None), None)


def _set(statements: tuple[Statement, ...]) -> dict[str, str | None]:
    """The variables that a block sets: a constant, or None where it is set to more than one thing."""
    found: dict[str, str | None] = {}
    for one in statements:
        if one.name == "set" and len(one.args) == 2:
            name = one.args[0].lstrip("$")
            found[name] = None if name in found or "$" in one.args[1] else one.args[1]
    return found


def _filled(text: str, variables: Mapping[str, str | None]) -> tuple[str, bool]:
    """A target with the constants in place of variables; whether one is left that is not known."""
    filled = _VARIABLE.sub(lambda match: variables.get(match[1]) or match[0], text)
    return filled, "$" in filled


def _listen(args: tuple[str, ...]) -> Listen:
    """Where a server takes requests: ``8080``, ``127.0.0.1:80``, ``[::]:443 ssl``."""
    word = args[0]
    tls = "ssl" in args or "quic" in args
    if word.isdigit() and len(word) < 6:
        return Listen(port=int(word), tls=tls or int(word) == 443)
    address, port = host_port(word, "http")
    tls = tls or port == 443
    every = address in ("*", "0.0.0.0", "::")
    return Listen(address="" if every else address, port=port, tls=tls)
