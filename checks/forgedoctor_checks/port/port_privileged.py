from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch, Sockets

_LOW = 1024


@check(
    "port-privileged", severity=ERROR, group="port", systems=["linux", "macos"],
    explains=["endpoint-unreachable", "server-thread-dead"],
)  # fmt: skip
def port_privileged(launch: Launch, host: Host, sockets: Sockets | None) -> Iterator[Finding]:
    """The port is below 1024 and an ordinary user may not open it.

    What happens: the web UI says "Cannot find empty port in range: 80-80", which sounds as if it were taken; --nowebui
    says "[Errno 13] ... permission denied". The process stays and serves nothing.
    Why: Linux reserves low ports (net.ipv4.ip_unprivileged_port_start) for root and programs with the capability;
    macOS does so for a single address, not for 0.0.0.0.
    Fix: a port from 1024 up, and a reverse proxy where port 80 is wanted.
    Source: recorded starts on port 80 without CAP_NET_BIND_SERVICE; ip(7).
    """
    port = launch.effective.listens if launch.effective.port is not None else None
    if launch.running or launch.effective.exit is not None or port is None or not 0 < port < _LOW:
        return
    test = sockets.test(port) if sockets else None
    tried = bool(sockets and sockets.tests)
    denied = bool(test and test.outcome == "denied")
    if not denied and (tried or port >= host.low_port or host.elevated or host.container):
        return
    evidence = [
        Evidence(t("ports below {limit} need administrator rights on this system", limit=host.low_port or _LOW))
    ]
    if test:
        template = "binding {host}:{port} was tried and refused: {message}"
        evidence.insert(0, Evidence(t(template, host=test.host, port=port, message=test.message)))
    free = (sockets.next_free(7859) if sockets else None) or 7860
    proxy = t("Where port {port} must be, put a reverse proxy in front; do not run Forge as root", port=port)
    yield Finding(
        t("Port {port} may not be opened by this user.", port=port)
        if denied
        else t("Port {port} may only be opened with administrator rights.", port=port),
        evidence=evidence,
        fixes=[fixes.change_flags(launch, drop=["--port"], add=[f"--port {free}"]), fixes.advise(proxy)],
        severity=ERROR if denied or host.elevated is False else WARNING,
        confidence=CERTAIN if denied else LIKELY,
    )
