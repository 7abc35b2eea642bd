from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Container, Processes
from forgedoctor.firewall.container import written
from forgedoctor_checks.reach._units import boxed, called


@check("container-host-network", severity=INFO, group="reach")
def container_host_network(container: Container, processes: Processes | None) -> Iterator[Finding]:
    """Forge's container uses the network of the host, so what is published with -p is ignored.

    What happens: Forge is found on the port that it has itself, not on the one that -p names. The host's firewall
    applies as for any program of the host, and Forge needs --listen only for other machines.
    Why: network_mode: host has no network of its own whose ports could be published; Docker says so once, at the start.
    Fix: give Forge the port that is wanted with --port; or drop network_mode: host.
    Source: Docker, "Host network driver"; docker inspect, HostConfig.NetworkMode.
    """
    for one in boxed(container, processes):
        if one.unit.network != "host" or not one.unit.bound:
            continue
        moved = next((row for row in one.unit.bound if row.host_port != row.port), None)
        asked = ", ".join(written(row) for row in one.unit.bound[:4])
        advice = t("Drop the -p or ports lines, and give Forge the port that you want with --port")
        if moved:
            template = "Start Forge with --port {port}, or drop network_mode: host"
            advice = t(template, port=moved.host_port)
        yield Finding(
            t(
                "Forge's container {name} uses the host's network, so its published ports are ignored.",
                name=called(one.unit),
            ),
            evidence=[Evidence(t("asked for and ignored: {ports}", ports=asked), f"{one.unit.engine} inspect")],
            fixes=[fixes.advise(advice)],
            severity=WARNING if moved else INFO,
            confidence=one.confidence,
        )
