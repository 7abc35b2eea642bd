"""Which container Forge is in, seen from the host, on which port, and the lines that publish it."""

from __future__ import annotations

from typing import NamedTuple

from forgedoctor.check import CERTAIN, LIKELY, POSSIBLE, Confidence, Fix, Step, manual, shell, t
from forgedoctor.facts import Container, Processes
from forgedoctor.facts.container import Unit
from forgedoctor.firewall.container import ask, is_loopback

_USUAL = range(7860, 7960)


class Boxed(NamedTuple):
    """A container with a Forge, the TCP port that Forge has in it, and how sure that is."""

    unit: Unit
    port: int
    loopback: bool | None
    confidence: Confidence


def boxed(container: Container, processes: Processes | None) -> list[Boxed]:
    """The containers of this host that hold a Forge; from inside one none can be seen.

    A name alone is no sign (a database may be called after what it serves): one of Forge's usual ports must go with it.
    """
    found = [] if container.inside else container.forges()
    return [_boxed(one, processes) for one in found if one.because != "name" or _usual(one)]


def _usual(unit: Unit) -> list[int]:
    ports = {*unit.exposed, *(row.port for row in (*(unit.published or ()), *unit.bound))}
    return sorted(port for port in ports if port in _USUAL)


def _boxed(unit: Unit, processes: Processes | None) -> Boxed:
    ports = [pair for one in (processes.forges if processes else ()) if one.pid in unit.pids for pair in one.ports]
    if ports:
        outside = sorted(port for address, port in ports if not is_loopback(address))
        port = outside[0] if outside else min(port for _, port in ports)
        return Boxed(unit, port, not outside, CERTAIN)
    sure = {"process": LIKELY, "command": LIKELY, "only": LIKELY}.get(unit.because, POSSIBLE)
    if unit.port:
        return Boxed(unit, unit.port, unit.loopback, sure)
    likely = _usual(unit)
    return Boxed(unit, likely[0] if likely else 7860, unit.loopback, sure if likely else POSSIBLE)


def called(unit: Unit) -> str:
    """The container's name for people."""
    return unit.name or unit.id or "?"


def publish(unit: Unit, port: int, outside: int | None = None) -> Fix:
    """The lines that publish the port; a container that exists already cannot be changed, only made anew."""
    mapping = f"{outside or port}:{port}"
    service = unit.service or unit.name or "forge"
    steps: list[Step] = [
        manual(t("docker run: put this before the name of the image: {words}", words=f"-p {mapping}")),
        manual(
            t(
                'docker compose: this under the service {service}: ports: ["{mapping}"]',
                service=service,
                mapping=mapping,
            )
        ),
    ]
    if unit.service:
        steps.append(shell(f"docker compose up -d --force-recreate {unit.service}"))
    return Fix(
        title=t("Make the container anew with its port published to all addresses of the host:"),
        steps=tuple(steps),
        safety="needs-person",
        undo=t("make it anew without that line"),
    )


def look(unit: Unit) -> Fix:
    """See what is published."""
    return Fix(title=t("See what is published:"), steps=(shell(str(ask(unit))),), safety="safe")


def network_note(unit: Unit) -> str:
    """The name of a network of one's own, where other containers (a reverse proxy) reach all ports; else empty."""
    return "" if unit.network in ("", "bridge", "default", "none", "slirp4netns", "pasta") else unit.network
