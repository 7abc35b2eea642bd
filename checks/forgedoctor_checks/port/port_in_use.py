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
    taken = [test for test in sockets.tests if test.outcome == "in-use"]
    if it.port_range:
        if len(taken) <= it.port_range[1] - it.port_range[0]:
            return
    elif not taken:
        return
    port = taken[0].port
    holders = sockets.holders(it.host, port)
    summary = _summary(port, holders, processes)
    if it.port_range:
        summary = t("All ports from {first} to {last} are taken.", first=it.port_range[0], last=it.port_range[1])
    yield Finding(
        summary,
        evidence=_evidence(port, holders, sockets),
        fixes=_fixes(launch, sockets, holders, port, host),
        confidence=CERTAIN if holders else LIKELY,
    )


def _summary(port: int, holders: tuple[Listener, ...], processes: Processes | None) -> Message:
    known = next((one for one in holders if one.pid), None)
    if known is None:
        return t("Port {port} is taken by another program.", port=port)
    if processes and any(one.pid == known.pid for one in processes.forges):
        return t("Port {port} is taken by a Forge that already runs (pid {pid}).", port=port, pid=known.pid)
    return t("Port {port} is taken by {process} (pid {pid}).", port=port, process=known.process, pid=known.pid)


def _evidence(port: int, holders: tuple[Listener, ...], sockets: Sockets) -> list[Evidence]:
    found = [
        Evidence(t("{address} is held by: {command}", address=f"{one.address}:{one.port}", command=one.command or one.process))
        for one in holders[:3]
        if one.command or one.process
    ]
    test = sockets.test(port)
    if test:
        found.append(Evidence(t("binding {host}:{port} was tried and refused: {message}", host=test.host, port=port, message=test.message)))
    if not any(one.pid for one in holders):
        found.append(Evidence(t("who holds it can only be seen with more rights")))
    return found


def _fixes(launch: Launch, sockets: Sockets, holders: tuple[Listener, ...], port: int, host: Host | None) -> list[Fix]:
    pid = next((one.pid for one in holders if one.pid), None)
    made = [fixes.stop_process(pid, host) if pid else fixes.find_holder(port, host)]
    free = sockets.next_free(port)
    if free:
        title = t("Or use port {port}, which is free:", port=free)
        drop = ["--port"] if launch.effective.port is not None else []
        made.append(fixes.change_flags(launch, drop=drop, add=[f"--port {free}"], title=title))
    return made
