from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Launch, Sockets


@check("windows-port-reserved", severity=ERROR, group="port", systems=["windows"], explains=["endpoint-unreachable", "server-thread-dead", "port-in-use"])
def windows_port_reserved(launch: Launch, sockets: Sockets) -> Iterator[Finding]:
    """Windows does not let the program have the port, although nobody listens on it.

    What happens: WinError 10013, hidden above a misleading "Port 7860 is in use" or "All ports from 7860 to 7959 are
    in use".
    Why: Hyper-V, WSL and Docker reserve ranges of ports at each start of Windows; security software can do so too.
    Fix: see the reserved ranges, and take a port outside; or restart the winnat service.
    Source: Windows sockets error 10013 (WSAEACCES); netsh interface ipv4 show excludedportrange.
    """
    denied = [test for test in sockets.tests if test.outcome == "denied"]
    if launch.running or not denied:
        return
    test = denied[0]
    free = sockets.next_free(test.port + 200)
    made = [
        Fix(
            title=t("See which ranges Windows has reserved:"),
            steps=(shell("netsh interface ipv4 show excludedportrange protocol=tcp", "cmd"),),
            safety="safe",
        )
    ]
    if free:
        made.append(fixes.change_flags(launch, drop=["--port"] if launch.effective.port is not None else [], add=[f"--port {free}"]))
    made.append(
        Fix(
            title=t("Or let Windows draw its ranges anew:"),
            steps=(shell("net stop winnat && net start winnat", "cmd"),),
            needs_admin=True,
            undo=t("nothing to undo: the ranges are drawn anew at each start"),
        )
    )
    yield Finding(
        t("Windows keeps port {port} for itself; nobody listens on it, and Forge may not have it.", port=test.port),
        evidence=[Evidence(t("binding {host}:{port} was tried and refused: {message}", host=test.host, port=test.port, message=test.message))],
        fixes=made,
        confidence=CERTAIN,
    )
