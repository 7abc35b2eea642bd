from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch


@check("port-ephemeral", severity=INFO, group="port")
def port_ephemeral(launch: Launch, host: Host) -> Iterator[Finding]:
    """The port lies in the range that the system lends to outgoing connections.

    What happens: now and then the start fails with "address already in use", and next time it works.
    Why: the system may have given that very port to some outgoing connection.
    Fix: a port below the range.
    Source: net.ipv4.ip_local_port_range (ip(7)); netsh int ipv4 show dynamicport tcp.
    """
    port = launch.effective.listens if launch.effective.port is not None else None
    if port is None or host.ephemeral is None or launch.effective.exit is not None:
        return
    first, last = host.ephemeral
    if first <= port <= last:
        yield Finding(
            t("Port {port} may be lent to an outgoing connection at any time.", port=port),
            evidence=[Evidence(t("this system lends out ports {first} to {last}", first=first, last=last))],
            fixes=[fixes.change_flags(launch, drop=["--port"], add=["--port 7860"])],
            confidence=CERTAIN,
        )
