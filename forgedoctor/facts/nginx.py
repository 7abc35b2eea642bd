"""The nginx in front of Forge: what its configuration does to the requests that it passes on."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

import msgspec

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts import _nginx_files, _nginx_running
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.processes import Processes
from forgedoctor.message import t
from forgedoctor.proxies import effective, statements
from forgedoctor.proxies.model import Location, Problem
from forgedoctor.proxies.statements import Sources
from forgedoctor.target import Target

__all__ = ["Nginx", "collect_live", "collect_text", "examined"]

USUAL_PORTS = (7860, 7861)  # the web UI's and the API-only mode's
_LAST_WALKED = 7959  # the web UI takes the next free port up to here
_CONFIG = re.compile(r"^# configuration file \S|^[ \t]*proxy_pass[ \t]+\S", re.M)


class Nginx(Fact, frozen=True, kw_only=True):
    """What nginx does to requests for Forge. ``source`` is its main file.

    ``locations``: the places that pass them on. ``aim`` says how these were known among others: ``port`` (the one that
    Forge listens on), ``usual`` (7860 and the like), ``only`` (no other passes anything on). ``others``: the further
    addresses that requests are passed to. ``problems``: see :class:`~forgedoctor.proxies.model.Problem`. ``whole``:
    the http block was seen, so that what is not there is not set. ``command``: how this nginx is called. ``fork``: the
    one that was named, empty where none was.
    """

    locations: tuple[Location, ...] = ()
    aim: str = ""
    others: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    whole: bool = True
    pid: int | None = None
    command: str = "nginx"
    fork: str = ""

    @property
    def complete(self) -> bool:
        """Whether all of it was read: only then a directive that was not seen is not there."""
        return self.whole and not any(one.kind in ("unread", "unseen") for one in self.problems)

    @property
    def broken(self) -> tuple[Problem, ...]:
        """Why nginx would refuse this configuration."""
        return tuple(one for one in self.problems if one.kind == "syntax")


@collector(Nginx, scopes=("live",), budget=8.0)
def collect_live(target: Target, launch: Launch | None, processes: Processes | None) -> Nginx:
    """The configuration of a running nginx, if any of it passes requests to Forge.

    Reads the list of processes and the files that nginx itself reads. Raises Unavailable where none runs or none of
    its requests go to Forge (nobody asks for it then), and where its files cannot be read.
    """
    running = _nginx_running.find()
    if not running:
        raise Unavailable(t("no nginx runs here"), sought=False)
    ports = ports_of(launch, processes)
    refused: Unavailable | None = None
    for one in running:
        try:
            found = _running(one, ports, target.fork)
        except Unavailable as why:
            refused = why
            continue
        if found.locations and found.aim != "only":
            return found
    raise refused or Unavailable(t("the nginx here passes no requests to Forge"), sought=False)


def _running(one: _nginx_running.Running, ports: Sequence[int], fork: str) -> Nginx:
    if one.inside:
        raise Unavailable(
            t("nginx (process {pid}) runs in a container, whose files cannot be read here", pid=one.pid),
            settle=t("run: docker exec CONTAINER nginx -T | forgedoctor nginx -"),
            sought=False,
        )
    if not one.config:
        raise Unavailable(
            t("the configuration of nginx (process {pid}) was not found", pid=one.pid),
            settle=t("name it: forgedoctor nginx FILE"),
            sought=False,
        )
    try:
        sources = _nginx_files.gather(one.config)
    except _nginx_files.Unreadable as why:
        raise Unavailable(
            t("the configuration of nginx could not be read: {why}", why=f"{one.config}: {why}"),
            state=State.DENIED,
            settle=t("run: sudo nginx -T | forgedoctor nginx -"),
        ) from None
    found = examined(sources, ports, fork=fork)
    return msgspec.structs.replace(found, pid=one.pid, command=one.command)


@collector(Nginx, scopes=("text",), budget=8.0)
def collect_text(target: Target, launch: Launch | None) -> Nginx:
    """A configuration in what was pasted: the output of ``nginx -T``, or a file of it."""
    for name, text in target.texts:
        if _CONFIG.search(text) and re.search(r"[{;]\s*$", text, re.M):
            found = examined(statements.sections(text[:2_000_000], name), ports_of(launch), fork=target.fork)
            if found.broken or (found.locations and found.aim != "only"):
                return found
            raise Unavailable(t("that nginx configuration passes no requests to Forge"), sought=False)
    raise Unavailable(t("the text holds no nginx configuration"), sought=False)


def ports_of(launch: Launch | None, processes: Processes | None = None) -> tuple[int, ...]:
    """The ports that Forge is seen, or said, to listen on; empty where that is not known."""
    seen = tuple(port for forge in (processes.forges if processes else ()) for _, port in forge.ports)
    if seen or launch is None or not launch.seen:
        return seen
    plan = launch.effective
    port = plan.listens if plan.listens is not None else plan.port
    if port is not None:
        return (port,)
    return tuple(range(plan.port_range[0], plan.port_range[1] + 1)) if plan.port_range else ()


def examined(sources: Sources, ports: Sequence[int] = (), *, fork: str = "") -> Nginx:
    """What a configuration does to requests for a Forge on one of these ports (none: not known which)."""
    tree = statements.read(sources)
    lines = {name: text.splitlines() for name, text in sources.files.items()}
    found = effective.read(tree.statements, lines)
    chosen, aim = chosen_for(found.locations, ports)
    others = {f"{host}:{port}" for one in found.locations if one not in chosen for host, port in one.hosts}
    return Nginx(
        source=sources.main,
        locations=chosen,
        aim=aim,
        others=tuple(sorted(others))[:20],
        problems=tree.problems[:50],
        whole=found.whole,
        fork=fork,
    )


def chosen_for(locations: Sequence[Location], ports: Sequence[int]) -> tuple[tuple[Location, ...], str]:
    """The locations that pass requests to Forge, and how they are known."""
    exact = tuple(one for one in locations if set(one.ports) & set(ports))
    usual = tuple(one for one in locations if any(_usual(host, port) for host, port in one.hosts))
    if exact:
        return exact, "port"
    if usual:
        return usual, "usual"
    alone = {one.hosts for one in locations}
    return (tuple(locations), "only") if len(alone) == 1 else ((), "")


def _usual(host: str, port: int) -> bool:
    """Whether a Forge is to be expected there: its default ports; further ones of the walk on this machine."""
    return port in USUAL_PORTS or (USUAL_PORTS[0] <= port <= _LAST_WALKED and is_local(host))


def is_local(host: str) -> bool:
    """Whether an address is nginx's own machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
