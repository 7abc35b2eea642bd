from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch, Processes


@check("another-forge-running", severity=WARNING, group="port")
def another_forge_running(launch: Launch, processes: Processes, host: Host | None) -> Iterator[Finding]:
    """More than one Forge runs on this machine, or one already runs before this start.

    What happens: the second one moves to another port, or fails on the same; both fill the GPU's memory.
    Why: after a crash of its server the process of the Forge family stays; closing the browser does not end it.
    Fix: end the one that is not wanted.
    Source: modules_forge/main_thread.py (the main thread loops on); recorded second starts.
    """
    others = [one for one in processes.forges if one.pid != launch.pid]
    if not others:
        return
    evidence = []
    for one in others[:4]:
        ports = ", ".join(str(port) for port in sorted({port for _, port in one.ports}))
        template = "pid {pid} in {folder}, listening on nothing that can be seen"
        if ports:
            template = "pid {pid} in {folder}, listening on {ports}"
        evidence.append(Evidence(t(template, pid=one.pid, folder=one.folder or one.cwd or "?", ports=ports)))
    yield Finding(
        t("Another Forge already runs on this machine (pid {pid}).", pid=others[0].pid),
        evidence=evidence,
        fixes=[fixes.stop_process(others[0].pid, host)],
        confidence=CERTAIN,
    )
