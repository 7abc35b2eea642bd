"""What ``docker inspect`` (podman's too), the control groups and the environment tell of containers. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from forgedoctor.forge.predict import predict

_ID = re.compile(r"(?:docker|libpod|cri-containerd|crio)[-/](?:[\w.-]*/)*([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_FAMILY = re.compile(r"forge|stable.?diffusion|sd.?webui|a1111|automatic1111", re.IGNORECASE)
_SCRIPT = re.compile(r"(?:^|/)(?:launch\.py|webui\.py|webui\.sh)$")
_SERVICE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)_SERVICE_PORT(?:_[A-Z0-9_]+)?$")
_VARIABLES = ("COMMANDLINE_ARGS", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT")
MOST_UNITS = 50


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a container that the host hands on. ``host_ip`` 0.0.0.0 and :: stand for every address of the host."""

    host_ip: str
    host_port: int
    port: int
    protocol: str = "tcp"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One container of this host.

    ``network``: its mode: bridge, host, none, ``container:ID`` or the name of a network. ``published``: what is in
    force, None where it could not be asked. ``bound``: what was asked for at its start (ignored with the host's
    network). ``exposed``: ports that are only declared. ``pids``: the Forge processes in it. ``because``: how it is
    known to hold a Forge: process, command, name, only (it is the only one that was pasted); empty: it is not.
    ``port``, ``loopback``: what its command line makes Forge listen on; None where it does not say.
    ``service``: its name in a compose file.
    """

    id: str = ""
    name: str = ""
    image: str = ""
    engine: str = "docker"
    network: str = ""
    published: tuple[Published, ...] | None = None
    bound: tuple[Published, ...] = ()
    exposed: tuple[int, ...] = ()
    pids: tuple[int, ...] = ()
    because: str = ""
    port: int | None = None
    loopback: bool | None = None
    service: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A Kubernetes service of this namespace, as the environment names it."""

    name: str
    ports: tuple[int, ...] = ()


def parse_inspect(text: str, engine: str = "docker") -> tuple[Unit, ...]:
    """The containers of ``docker inspect``; text around the JSON is left out. Raises ValueError where it is none."""
    found = _records(text)
    if not found:
        raise ValueError("this is no output of docker inspect")
    return tuple(_unit(one, engine) for one in found[:MOST_UNITS])


def _records(text: str) -> list[dict[str, Any]]:
    """The records of containers in the first JSON value that holds some."""
    decoder = json.JSONDecoder()
    for match in islice(re.finditer(r"^[ \t]*([\[{])", text, re.MULTILINE), 20):
        try:
            value, _ = decoder.raw_decode(text, match.start(1))
        except (ValueError, RecursionError):
            continue
        rows = value if isinstance(value, list) else [value]
        found = [row for row in rows if isinstance(row, dict) and "NetworkSettings" in row]
        if found:
            return found
    return []


def _unit(record: dict[str, Any], engine: str) -> Unit:
    host, settings, config = (_dict(record.get(key)) for key in ("HostConfig", "NetworkSettings", "Config"))
    ports = settings.get("Ports")
    known = isinstance(ports, dict) or "Ports" in settings
    exposed = {number for key in (*_dict(ports), *_dict(config.get("ExposedPorts"))) if (number := _port(key)[0])}
    words = [_text(record.get("Path")), *map(_text, _list(record.get("Args")))]
    name, image = _text(record.get("Name")).lstrip("/"), _text(config.get("Image"))
    port, loopback = asked(words, _environment(config.get("Env")))
    return Unit(
        id=_text(record.get("Id"))[:12],
        name=name,
        image=image,
        engine=engine,
        network=_text(host.get("NetworkMode")),
        published=tuple(_bindings(_dict(ports))) if known else None,
        bound=tuple(_bindings(_dict(host.get("PortBindings")))),
        exposed=tuple(sorted(exposed)),
        because="command" if _flags(words) is not None else "name" if _FAMILY.search(f"{name} {image}") else "",
        port=port,
        loopback=loopback,
        service=_text(_dict(config.get("Labels")).get("com.docker.compose.service")),
    )


def _bindings(ports: Mapping[str, Any]) -> Iterator[Published]:
    """``{"7860/tcp": [{"HostIp": "", "HostPort": "7860"}]}``; null is a port that is only exposed."""
    for key, rows in ports.items():
        number, protocol = _port(key)
        for row in _list(rows):
            outside = _text(_dict(row).get("HostPort"))
            if number and outside.isdigit():
                address = _text(_dict(row).get("HostIp")) or "0.0.0.0"
                yield Published(host_ip=address, host_port=int(outside), port=number, protocol=protocol)


def _port(key: Any) -> tuple[int, str]:
    number, _, protocol = str(key).partition("/")
    return (int(number) if number.isdigit() else 0), protocol or "tcp"


def asked(words: Sequence[str], env: Mapping[str, str]) -> tuple[int | None, bool | None]:
    """(port, whether it stays on loopback) that a container's command line makes Forge listen on.

    A shell may add flags that do not show here (webui-user.sh, ``$CLI_ARGS``): then only "not on loopback" counts.
    """
    flags = _flags(words)
    if flags is None:
        return None, None
    open_end = any(word.endswith("webui.sh") or "$" in word for word in _split(words))
    plan = predict("forge", [word for word in flags if "$" not in word], dict(env))
    port = plan.listens or plan.port or (plan.port_range[0] if plan.port_range else None)
    loopback = plan.host in ("localhost", "::1") or plan.host.startswith("127.")
    if open_end:
        return (port if "--port" in flags else None), None if loopback else False
    return port, loopback


def _environment(listed: Any) -> dict[str, str]:
    """The variables that change what a launch does; the others, secrets among them, are not kept."""
    pairs = (_text(one).partition("=") for one in _list(listed))
    return {name: value for name, _, value in pairs if name in _VARIABLES}


def _flags(words: Sequence[str]) -> tuple[str, ...] | None:
    """What follows launch.py, webui.py or webui.sh, also inside ``sh -c "…"``; None where none of them is run."""
    split = _split(words)
    at = next((place for place, word in enumerate(split) if _SCRIPT.search(word)), None)
    return None if at is None else tuple(split[at + 1 :])


def _split(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in (word.split() if " " in word else [word])]


def container_of(cgroup: str) -> str:
    """The id (12 digits) of the container that a process is in, from its /proc/PID/cgroup; empty: none is seen."""
    found = next((match for line in cgroup.splitlines() if (match := _ID.search(line))), None)
    return found[1][:12] if found else ""


def services(env: Mapping[str, str]) -> tuple[Service, ...]:
    """The services that Kubernetes puts into the environment, but its own; names and ports only.

    Source: Kubernetes, "Service", environment variables: NAME_SERVICE_HOST, NAME_SERVICE_PORT[_PORTNAME].
    """
    found: dict[str, set[int]] = {}
    for key, value in env.items():
        match = _SERVICE.fullmatch(key)
        if match and value.isdigit() and match["name"] != "KUBERNETES" and f"{match['name']}_SERVICE_HOST" in env:
            found.setdefault(match["name"].lower().replace("_", "-"), set()).add(int(value))
    return tuple(Service(name=name, ports=tuple(sorted(ports))) for name, ports in sorted(found.items()))[:MOST_UNITS]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value[:300] if isinstance(value, str) else ""
