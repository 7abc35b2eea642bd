from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Launch, Sockets


@check(
    "windows-port-reserved", severity=ERROR, group="port", systems=["windows"],
    explains=["endpoint-unreachable", "server-thread-dead", "port-in-use"],
)  # fmt: skip
def windows_port_reserved(launch: Launch, sockets: Sockets) -> Iterator[Finding]:
    """Windows does not let the program have the port, although nobody listens on it.

    What happens: WinError 10013, hidden above a misleading "Port 7860 is in use" or "All ports from 7860 to 7959 are
    in use".
    Why: Hyper-V, WSL and Docker reserve ranges of ports at each start of Windows; security software can do so too.
    Fix: see the reserved ranges, and take a port outside; or reserve the port for yourself before they do.
    Source: Windows sockets error 10013 (WSAEACCES); netsh interface ipv4 show excludedportrange.
    """
    denied = [test for test in sockets.tests if test.outcome == "denied"]
    if launch.running or not denied or sockets.holders(launch.effective.host, denied[0].port):
        return
    test = denied[0]
    walks_on = launch.effective.port_range is not None and sockets.tests[-1].outcome == "free"
    template = "binding {host}:{port} was tried and refused: {message}"
    evidence = [Evidence(t(template, host=test.host, port=test.port, message=test.message))]
    if walks_on:
        evidence.append(Evidence(t("the web UI will take {port} instead", port=sockets.tests[-1].port)))
    yield Finding(
        t("Windows keeps port {port} for itself; nobody listens on it, and Forge may not have it.", port=test.port),
        evidence=evidence,
        fixes=list(_fixes(launch, sockets, test.port)),
        severity=WARNING if walks_on else ERROR,
        confidence=CERTAIN,
    )


def _fixes(launch: Launch, sockets: Sockets, port: int) -> Iterator[Fix]:
    yield Fix(
        title=t("See which ranges Windows has reserved:"),
        steps=(shell("netsh interface ipv4 show excludedportrange protocol=tcp", "cmd"),),
        safety="safe",
    )
    free = sockets.next_free(port + 200)  # ranges are mostly a hundred ports wide
    if free:
        yield fixes.change_flags(launch, drop=["--port"], add=[f"--port {free}"])
    yield Fix(
        title=t("Or reserve the port for Forge, before Hyper-V draws its ranges anew:"),
        steps=(
            shell("net stop winnat", "cmd"),
            shell(f"netsh int ipv4 add excludedportrange protocol=tcp startport={port} numberofports=1", "cmd"),
            shell("net start winnat", "cmd"),
        ),
        needs_admin=True,
        undo=t("netsh int ipv4 delete excludedportrange protocol=tcp startport={port} numberofports=1", port=port),
    )
