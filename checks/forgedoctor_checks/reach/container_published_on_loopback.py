from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import Container, Processes
from forgedoctor.firewall.container import is_loopback, leading_to, written
from forgedoctor_checks.reach._units import boxed, called, publish


@check("container-published-on-loopback", severity=INFO, group="reach", explains=["endpoint-unreachable"])
def container_published_on_loopback(container: Container, processes: Processes | None) -> Iterator[Finding]:
    """Forge's container is published for the host itself only (127.0.0.1).

    What happens: the host reaches Forge; other machines are refused, although Forge listens on 0.0.0.0 in its
    container.
    Why: -p 127.0.0.1:7860:7860 binds the published port to the host's loopback. That is right behind a reverse proxy
    on the host, and where nobody else is meant to come in.
    Fix: -p 7860:7860, if other machines are to come in.
    Source: Docker, "Publishing ports"; measured: other machines are refused.
    """
    for one in boxed(container, processes):
        rows = leading_to(one.unit, one.port)
        if one.unit.network == "host" or not rows or any(not is_loopback(row.host_ip) for row in rows):
            continue
        summary = t(
            "Only this host reaches Forge's container {name}: it is published on {ports}.",
            name=called(one.unit),
            ports=written(rows[0]),
        )
        yield Finding(
            summary,
            evidence=[Evidence(plain(written(row)), f"{one.unit.engine} inspect") for row in rows],
            fixes=[publish(one.unit, one.port, rows[0].host_port)],
            confidence=one.confidence,
        )
