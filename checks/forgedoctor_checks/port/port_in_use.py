from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, Message, NotApplicable, check, t
from forgedoctor.facts import Host, Launch, Listener, Processes, Sockets


@check("port-in-use", severity=ERROR, group="port", explains=["endpoint-unreachable", "server-thread-dead"])
def port_in_use(launch: Launch, sockets: Sockets, host: Host | None, processes: Processes | None) -> Iterator[Finding]:
    """Another program already listens on the port that Forge is told to use.

    What happens: with --port, Forge tries that port only: "Cannot find empty port in range: 7860-7860" (web UI) or
    "[Errno 98] error while attempting to bind" (--nowebui). In the Forge family only the server's thread dies: the
    process stays, and serves nothing.
    Why: often an earlier run that was never ended; without --port the web UI walks on to the next free port instead.
    Fix: end the other program, or choose another port.
    Source: webui.py, gradio http_server get_first_available_port; recorded starts with taken ports.
    """
    if launch.running or launch.effective.exit is not None:
        raise NotApplicable(t("nothing is about to be started"))
    it = launch.effective
    taken = list(dict.fromkeys(test.port for test in sockets.tests if _held(test.port, test.outcome, it.host, sockets)))
    if not taken or (it.port_range and len(taken) <= it.port_range[1] - it.port_range[0]):
        return
    holders = sockets.holders(it.host, taken[0])
    summary = _summary(taken[0], holders, processes)
    if it.port_range and it.port_range[0] != it.port_range[1]:
        summary = t("All ports from {first} to {last} are taken.", first=it.port_range[0], last=it.port_range[1])
    yield Finding(
        summary,
        evidence=_evidence(taken[0], holders, sockets),
        fixes=_fixes(launch, sockets, holders, taken[0], host),
        confidence=CERTAIN if holders else LIKELY,
    )


def _held(port: int, outcome: str, host: str, sockets: Sockets) -> bool:
    """Windows says "denied" also where a program holds the port for itself alone (SO_EXCLUSIVEADDRUSE)."""
    return outcome == "in-use" or (outcome == "denied" and bool(sockets.holders(host, port)))


def _summary(port: int, holders: tuple[Listener, ...], processes: Processes | None) -> Message:
    known = next((one for one in holders if one.pid), None)
    if known is None:
        return t("Port {port} is taken by another program.", port=port)
    if processes and any(one.pid == known.pid for one in processes.forges):
        return t("Port {port} is taken by a Forge that already runs (pid {pid}).", port=port, pid=known.pid)
    if not known.process:
        return t("Port {port} is taken by the program with pid {pid}.", port=port, pid=known.pid)
    return t("Port {port} is taken by {process} (pid {pid}).", port=port, process=known.process, pid=known.pid)


def _evidence(port: int, holders: tuple[Listener, ...], sockets: Sockets) -> list[Evidence]:
    found = [
        Evidence(t("{address} is held by: {command}", address=_address(one), command=one.command or one.process))
        for one in holders[:3]
        if one.command or one.process
    ]
    test = sockets.test(port)
    if test:
        template = "binding {host}:{port} was tried and refused: {message}"
        found.append(Evidence(t(template, host=test.host, port=port, message=test.message)))
    if holders and not any(one.pid for one in holders):
        found.append(Evidence(t("who holds it can only be seen with more rights, or from another container")))
    elif not holders and sockets.complete:
        found.append(Evidence(t("nobody listens on it: an outgoing connection may have it for the moment")))
    return found


def _address(one: Listener) -> str:
    return f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}"


def _fixes(launch: Launch, sockets: Sockets, holders: tuple[Listener, ...], port: int, host: Host | None) -> list[Fix]:
    pid = next((one.pid for one in holders if one.pid), None)
    made = [fixes.stop_process(pid, host) if pid else fixes.find_holder(port, host)]
    first, last = launch.effective.port_range or (port, port)
    free = sockets.next_free(last if launch.effective.port_range else first)
    if free:
        title = t("Or use port {port}, which is free:", port=free)
        made.append(fixes.change_flags(launch, drop=["--port"], add=[f"--port {free}"], title=title))
    return made
