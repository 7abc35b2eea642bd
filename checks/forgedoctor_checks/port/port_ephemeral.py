from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Host, Launch

_USUAL = {"webui": 7860, "api-only": 7861}


@check("port-ephemeral", severity=INFO, group="port")
def port_ephemeral(launch: Launch, host: Host) -> Iterator[Finding]:
    """The port lies in the range that the system lends to outgoing connections.

    What happens: now and then the start fails with "address already in use", and next time it works.
    Why: the system may have given that very port to some outgoing connection.
    Fix: a port below the range; where the range covers all of them, reserve the port.
    Source: net.ipv4.ip_local_port_range (ip(7)); netsh int ipv4 show dynamicport tcp.
    """
    port = launch.effective.listens if launch.effective.port is not None else None
    if port is None or host.ephemeral is None or launch.effective.exit is not None:
        return
    first, last = host.ephemeral
    if first <= port <= last:
        usual = _USUAL[launch.effective.mode]
        fix = fixes.change_flags(launch, drop=["--port"], add=[f"--port {usual}"])
        yield Finding(
            t("Port {port} may be lent to an outgoing connection at any time.", port=port),
            evidence=[Evidence(t("this system lends out ports {first} to {last}", first=first, last=last))],
            fixes=[_keep(port, host) if first <= usual <= last else fix],
            confidence=CERTAIN,
        )


def _keep(port: int, host: Host) -> Fix:
    """Take the port, or the ports down there, out of the range."""
    if host.system == "windows":
        steps = tuple(
            shell(f"netsh int {family} set dynamicport tcp start=49152 num=16384", "cmd") for family in ("ipv4", "ipv6")
        )
        return Fix(
            title=t("Give the range back its usual place, then restart Windows:"),
            steps=steps,
            needs_admin=True,
            undo=t("the same commands with the old start and number"),
        )
    if host.system == "macos":
        command = "sudo sysctl -w net.inet.ip.portrange.first=49152"
        return Fix(title=t("Give the range back its usual place:"), steps=(shell(command),), needs_admin=True)
    return Fix(
        title=t("Keep the system from lending it:"),
        steps=(shell(f"sudo sysctl -w net.ipv4.ip_local_reserved_ports={port}"),),
        needs_admin=True,
        undo=t("the same command with the old list of ports"),
    )
