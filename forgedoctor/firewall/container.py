"""What the engine of containers does with a connection to a port of the host. Pure.

A published port is translated before the host's INPUT rules and ufw see the packet. Source: Docker, "Packet filtering
and firewalls"; measured with the rules that Docker writes.
"""

from __future__ import annotations

from forgedoctor.facts.container import Container, Published, Unit
from forgedoctor.firewall.decision import OPEN, REFUSED, UNDECIDED, Decision
from forgedoctor.message import Message, plain, t

EVERYWHERE = ("0.0.0.0", "::", "")


def evaluate(unit: Unit, *, port: int) -> Decision:
    """Whether other machines are handed on to that port of the container; its program must listen on all addresses."""
    if unit.network == "host":
        return _decided(OPEN, t("the container uses the network of the host, whose own rules count"))
    if unit.network == "none":
        return _decided(REFUSED, t("the container has no network"))
    if unit.network.startswith("container:"):
        why = t("the container uses the network of another container")
        return Decision(verdict=UNDECIDED, because=(why,), manager=unit.engine, settle=ask(unit))
    if unit.published is None:
        why = t("the published ports of the container could not be asked for")
        return Decision(verdict=UNDECIDED, because=(why,), manager=unit.engine, settle=ask(unit))
    rows = leading_to(unit, port)
    outside = [one for one in rows if not is_loopback(one.host_ip)]
    if outside:
        return _decided(OPEN, t("port {port} of the container is published", port=port), written(outside[0]))
    if rows:
        why = t("port {port} of the container is published for the host itself only", port=port)
        return _decided(REFUSED, why, written(rows[0]))
    return _decided(REFUSED, t("port {port} of the container is not published", port=port))


def leading_to(unit: Unit, port: int) -> tuple[Published, ...]:
    """The published TCP ports that lead to that port of the container."""
    return tuple(one for one in unit.published or () if one.port == port and one.protocol == "tcp")


def published_to_all(container: Container) -> tuple[tuple[Unit, Published], ...]:
    """The ports of Forge's containers that are open on every address of the host, whatever ufw and INPUT say.

    For whoever knows the host's firewall: such a port passes it by, and is filtered in the chain DOCKER-USER only.
    """
    found = [
        (unit, row)
        for unit in container.forges()
        if unit.network != "host"
        for row in unit.published or ()
        if row.host_ip in EVERYWHERE and row.protocol == "tcp" and (unit.port is None or unit.port == row.port)
    ]
    once = {(unit.id or unit.name, row.host_port): (unit, row) for unit, row in reversed(found)}
    return tuple(reversed(once.values()))


def is_loopback(address: str) -> bool:
    """Whether only the host itself reaches it."""
    return address.startswith("127.") or address in ("::1", "localhost")


def written(row: Published) -> str:
    """``127.0.0.1:7860->7860/tcp``, as docker ps has it."""
    host = f"[{row.host_ip}]" if ":" in row.host_ip else row.host_ip
    return f"{host}:{row.host_port}->{row.port}/{row.protocol}"


def ask(unit: Unit) -> Message:
    """The command that tells what is published."""
    return plain(f"{unit.engine} port {unit.name or unit.id or 'CONTAINER'}")


def _decided(verdict: str, why: Message, rule: str = "") -> Decision:
    return Decision(verdict=verdict, because=(why,), rule=rule, manager="docker")
