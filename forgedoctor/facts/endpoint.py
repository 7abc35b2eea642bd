"""The server at a URL as a client sees it: which probes it answers, how fast, and what it says of itself.

All probes run at once, so a server that keeps silent costs ``target.timeout`` seconds, not one for each. With
``target.generate`` one image is made besides, which may take 60 seconds more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts._probe import Deadline, Exchange, Generated, Probe
from forgedoctor.facts._url import Url, bracketed, split_url
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.forge.fingerprint import guess
from forgedoctor.message import plain, t
from forgedoctor.target import Target

if TYPE_CHECKING:
    from forgedoctor.facts._connect import Reached

__all__ = ["Endpoint", "Generated", "Probe", "Url", "split_url"]

BUDGET = 30.0
MOST_ROUTES = 1000
_GRADIO = re.compile(r'"version"\s*:\s*"(\d+\.[0-9A-Za-z.+-]{1,30})"')


class Endpoint(Fact, frozen=True, kw_only=True):
    """A server, probed from a client's side.

    ``url`` has no credentials and no trailing slash. ``addresses`` are what the host resolves to, ``peer`` the one that
    was asked (empty: none took the connection). ``fork`` is a guess from outside (empty: cannot be told) and
    ``fork_because`` its reasons. ``routes`` are the path names of /openapi.json, None where it was not had. ``since``
    is when the serving process started (unix seconds) where it is known.
    """

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...] = ()
    peer: str = ""
    probes: tuple[Probe, ...] = ()
    fork: str = ""
    fork_because: str = ""
    gradio: str = ""
    routes: tuple[str, ...] | None = None
    openapi_title: str = ""
    credentials_sent: bool = False
    since: float | None = None
    generated: Generated | None = None

    def probe(self, name: str) -> Probe | None:
        """The probe of that name; of several (``connect``, one an address) the first that was answered."""
        found = self.named(name)
        return next((one for one in found if one.outcome == "answered"), found[0] if found else None)

    def named(self, name: str) -> tuple[Probe, ...]:
        """All probes of that name."""
        return tuple(one for one in self.probes if one.name == name)


class _Info(msgspec.Struct):
    title: str = ""


class _OpenApi(msgspec.Struct):
    """What is read of /openapi.json; the rest is skipped."""

    paths: dict[str, msgspec.Raw]
    info: _Info = msgspec.field(default_factory=_Info)


@collector(Endpoint, scopes=("endpoint",), budget=BUDGET)
def collect(target: Target) -> Endpoint:
    """The server at ``target.url``. Raises Unavailable with one sentence where that is no URL."""
    return examine(_url(target.url), target)


@collector(Endpoint, scopes=("live",), budget=BUDGET)
def collect_live(target: Target, launch: Launch | None, processes: Processes | None) -> Endpoint:
    """``target.url``; else where the running Forge listens; else where its flags say that it will."""
    if target.url:
        return examine(_url(target.url), target)
    forge = processes.forges[0] if processes and processes.forges else None
    if forge is None and (processes is not None or launch is None):
        raise Unavailable(
            t("no Forge is running here and no --url was given"),
            settle=t("start Forge, or name its address with --url"),
        )
    place = _listening(forge, launch) or _planned(launch)
    if place is None:
        raise Unavailable(t("the running Forge listens on no port yet"), settle=t("name its address with --url"))
    scheme = "https" if launch and launch.tls else "http"
    return examine(_url(f"{scheme}://{place}"), target, since=(forge.started or None) if forge else None)


def _url(text: str) -> Url:
    try:
        return split_url(text)
    except ValueError as error:
        raise Unavailable(plain(str(error))) from None


def _listening(forge: ForgeProcess | None, launch: Launch | None) -> str | None:
    """Where the process listens: of several ports the one it was told first, of several addresses IPv4 first."""
    wanted = _planned_port(launch)
    ports = forge.ports if forge else ()
    chosen = min(ports, key=lambda one: (one[1] != wanted, one[1], ":" in one[0]), default=None)
    return _as_client(*chosen) if chosen else None


def _planned(launch: Launch | None) -> str | None:
    port = _planned_port(launch)
    return _as_client(launch.effective.host, port) if launch and port else None


def _planned_port(launch: Launch | None) -> int | None:
    if launch is None:
        return None
    plan = launch.effective
    if plan.listens is not None:
        return plan.listens
    return plan.port if plan.port is not None else plan.port_range[0] if plan.port_range else None


def _as_client(address: str, port: int) -> str:
    """A listening address as a client on this machine would write it: a wildcard is reached over loopback."""
    host = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(address, address)
    return f"{bracketed(host)}:{port}"


def examine(url: Url, target: Target, since: float | None = None) -> Endpoint:
    """Probe a URL. Never raises for what a server does; ``since`` is handed through."""
    from forgedoctor.facts._connect import Reached
    from forgedoctor.facts._http import Client
    from forgedoctor.facts._questions import generate, put, put_otherwise, untried

    credentials = target.credentials or url.credentials
    deadline = Deadline(target.timeout)
    reached = Reached(url, deadline)
    generated = None
    if reached.peer:
        client = Client(url, reached.peer, credentials)
        try:
            found = put(client, url, reached.peer, credentials, deadline)
            found += put_otherwise(url, reached.peer, found, deadline)
            generated = generate(client, url) if target.generate else None
        finally:
            client.close()
    else:
        found = untried(url, credentials)
    endpoint = _endpoint(url, reached, found)
    return msgspec.structs.replace(
        endpoint, credentials_sent=bool(credentials and reached.peer), since=since, generated=generated
    )


def _endpoint(url: Url, reached: Reached, found: Sequence[Exchange]) -> Endpoint:
    probes = (*reached.probes(), *(exchange.probe for exchange in found))
    by_name = {exchange.name: exchange for exchange in found}
    schema = _read_openapi(by_name.get("openapi"))
    routes = tuple(schema.paths)[:MOST_ROUTES] if schema else None
    gradio = _gradio_version(by_name.get("config")) or _gradio_version(by_name.get("page"))
    fork, because = guess(routes, [one.headers for one in probes], [one.json for one in probes], gradio)
    return Endpoint(
        source=url.base,
        url=url.base,
        scheme=url.scheme,
        host=url.host,
        port=url.port,
        addresses=reached.addresses,
        peer=reached.peer,
        probes=probes,
        fork=fork,
        fork_because=because,
        gradio=gradio,
        routes=routes,
        openapi_title=schema.info.title[:200] if schema else "",
    )


def _read_openapi(exchange: Exchange | None) -> _OpenApi | None:
    if exchange is None or exchange.probe.outcome != "answered" or exchange.status != 200:
        return None
    try:
        return msgspec.json.decode(bytes(exchange.body), type=_OpenApi)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _gradio_version(exchange: Exchange | None) -> str:
    """From the beginning of /config, or of the page, which has the same text in it."""
    if exchange is None or exchange.status != 200:
        return ""
    found = _GRADIO.search(exchange.body.decode("utf-8", "replace"))
    return found[1] if found else ""
