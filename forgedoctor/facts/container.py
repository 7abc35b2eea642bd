"""Containers: whether the doctor is in one, and which of this host's containers hold a Forge, with what published."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _command, _container, _host
from forgedoctor.facts._container import Published, Service, Unit
from forgedoctor.facts.host import Host
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.processes import Processes
from forgedoctor.facts.transcript import Transcript
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["Container", "Published", "Service", "Unit", "collect"]

# Docker contexts that are this machine. Source: the names that Docker Desktop, colima and their like register.
_LOCAL = frozenset(
    {"", "default", "desktop-linux", "desktop-windows", "rootless", "colima", "orbstack", "rancher-desktop"}
)
_SIGNS = (".dockerenv", "run/.containerenv")
_PATIENCE = 1.5  # seconds for each of two questions to the engine


class Container(Fact, frozen=True, kw_only=True):
    """What is known of containers.

    ``inside``: the doctor itself runs in one, of that ``kind`` (docker, podman, kubernetes, container); the host's
    rules and published ports cannot be seen from there. ``signs``: how that is known. ``host_network``: it is seen to
    share the host's network (None: not told). ``services``: Kubernetes services of the namespace.
    From outside: ``engine`` is the one that was asked (docker, podman), ``asked`` what came of it: answered, no-engine,
    no-daemon, denied, late, elsewhere (its daemon is on another machine, which was left alone), failed, or inside.
    ``units``: this host's containers, as far as they were told; those of processes seen here always.
    """

    kind: str = ""
    inside: bool = False
    signs: tuple[str, ...] = ()
    host_network: bool | None = None
    services: tuple[Service, ...] = ()
    engine: str = ""
    asked: str = ""
    units: tuple[Unit, ...] = ()

    def forges(self) -> tuple[Unit, ...]:
        """The containers that hold a Forge: those whose process is seen, else those that are named or started so."""
        seen = tuple(one for one in self.units if one.because in ("process", "only"))
        return seen or tuple(one for one in self.units if one.because)

    def of(self, pid: int | None) -> Unit | None:
        """The container that holds that process."""
        return next((one for one in self.units if pid is not None and pid in one.pids), None)


@collector(Container, scopes=("live", "preflight"), budget=4.0)
def collect(target: Target, host: Host, interfaces: Interfaces | None, processes: Processes | None) -> Container:
    """Inside: files and variables. Outside: ``docker ps`` and ``docker inspect`` of a daemon on this machine."""
    if host.container:
        return Container(
            source="/proc, environment",
            kind=host.container,
            inside=True,
            signs=signs(Path("/"), os.environ),
            host_network=_host_network(interfaces),
            services=_container.services(os.environ),
            asked="inside",
        )
    told = _ask_engine(os.environ, Path.home())
    return Container(
        source=f"{told.engine} inspect" if told.engine else "",
        engine=told.engine,
        asked=told.asked,
        units=_with_processes(told.units, processes, told.engine or "docker"),
    )


@collector(Container, scopes=("text",))
def pasted(transcript: Transcript) -> Container:
    """A pasted ``docker inspect``."""
    if '"NetworkSettings"' not in transcript.text:
        raise Unavailable(t("the text holds no docker inspect"), sought=False)
    try:
        units = _container.parse_inspect(transcript.text)
    except ValueError:
        raise Unavailable(t("the output of docker inspect in the text is not whole")) from None
    if len(units) == 1:
        units = (msgspec.structs.replace(units[0], because="only"),)
    return Container(source=transcript.source, engine="docker", asked="answered", units=units)


def signs(root: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """The marks of a container that are there, for people."""
    found = [f"/{name}" for name in _SIGNS if (root / name).exists()]
    if env.get("KUBERNETES_SERVICE_HOST"):
        found.append("KUBERNETES_SERVICE_HOST")
    if env.get("container"):
        found.append(f"container={env['container'][:40]}")
    return tuple(found) or ("/proc/self/mountinfo, /proc/self/cgroup",)


def _host_network(interfaces: Interfaces | None) -> bool | None:
    """The bridge of Docker or libvirt is never inside a network of the container's own."""
    names = {one.interface for one in interfaces.addresses} if interfaces else set()
    return True if names & {"docker0", "podman0", "virbr0"} else None


class _Told(NamedTuple):
    engine: str
    asked: str
    units: tuple[Unit, ...] = ()


def _ask_engine(env: Mapping[str, str], home: Path) -> _Told:
    """What docker, else podman says of the running containers."""
    engine = next((name for name in ("docker", "podman") if _command.found(name)), "")
    if not engine:
        return _Told("", "no-engine")
    if engine == "docker":
        if is_elsewhere(env, home):
            return _Told(engine, "elsewhere")
        if _no_socket(env):
            return _Told(engine, "no-daemon")
    listed = _command.run([engine, "ps", "--quiet", "--no-trunc"], timeout=_PATIENCE)
    ids = listed.text.split()[: _container.MOST_UNITS]
    if listed.outcome != "ok" or not ids:
        return _Told(engine, _state(listed))
    detail = _command.run([engine, "inspect", "--type", "container", *ids], timeout=_PATIENCE)
    try:
        # One that has ended since makes the command fail, and the others are told all the same.
        return _Told(engine, "answered", _container.parse_inspect(detail.text, engine))
    except ValueError:
        return _Told(engine, _state(detail) if detail.outcome != "ok" else "failed")


def _state(ran: _command.Ran) -> str:
    if ran.outcome == "failed" and "connect to the docker daemon" in ran.said.lower():
        return "no-daemon"
    return {"ok": "answered", "denied": "denied", "timeout": "late", "missing": "no-engine"}.get(ran.outcome, "failed")


def is_elsewhere(env: Mapping[str, str], home: Path) -> bool:
    """Whether the daemon that docker would ask may be another machine's. Source: docker context, DOCKER_HOST."""
    address = env.get("DOCKER_HOST", "")
    if address:
        return not address.startswith(("unix://", "npipe://"))
    context = env.get("DOCKER_CONTEXT", "")
    if not context:
        config = Path(env.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
        try:
            read = json.loads(_host.read(config) or "{}")
        except (ValueError, RecursionError):
            read = {}
        context = str(read.get("currentContext") or "") if isinstance(read, dict) else ""
    return context not in _LOCAL


def _no_socket(env: Mapping[str, str]) -> bool:
    """Linux without a socket of the daemon: there is nobody to ask, so docker need not be started."""
    if sys.platform != "linux" or env.get("DOCKER_HOST"):
        return False
    places = ["/var/run/docker.sock", f"{env.get('XDG_RUNTIME_DIR', '')}/docker.sock"]
    desktop = str(Path.home() / ".docker/desktop/docker.sock")
    return not any(os.path.exists(place) for place in (*places, desktop))


def _with_processes(units: tuple[Unit, ...], processes: Processes | None, engine: str) -> tuple[Unit, ...]:
    """The containers, with the Forge processes that are in them; those that only their process shows are added."""
    found: dict[str, list[int]] = {}
    for forge in processes.forges if processes else ():
        known = _container.container_of(_host.read(Path(f"/proc/{forge.pid}/cgroup")))
        if known:
            found.setdefault(known, []).append(forge.pid)
    told = {one.id for one in units}
    merged = [_seen(one, found.get(one.id, [])) for one in units]
    merged += [_seen(Unit(id=one, engine=engine), pids) for one, pids in found.items() if one not in told]
    return tuple(merged)


def _seen(unit: Unit, pids: list[int]) -> Unit:
    return msgspec.structs.replace(unit, pids=tuple(pids), because="process") if pids else unit
