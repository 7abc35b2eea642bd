from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import ForgeProcess, Host, Launch, Processes

STARTING = 180.0  # seconds in which a start may still load torch, packages and extensions


@check("server-thread-dead", severity=ERROR, group="endpoint", explains=["endpoint-unreachable"])
def server_thread_dead(processes: Processes, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """The Forge process runs and listens on nothing: its server never came up, or died.

    What happens: the process looks alive in every list, and every client is refused.
    Why: in the Forge family the server lives in a thread of its own. A taken port, a bad login string, a broken
    extension or a wrong TLS file ends that thread; the main thread loops on. A start that is still loading looks the
    same for a minute or two.
    Fix: read the last traceback in its log; end the process; mend the cause; start again.
    Source: launch_utils.start, modules_forge/main_thread.py; recorded starts that hung.
    """
    if not processes.forges:
        raise NotApplicable(t("no Forge process runs here"))
    for one in processes.forges:
        if not one.ports and one.sockets_read:
            yield _finding(one, launch if launch and launch.pid == one.pid else None, host)


def _finding(one: ForgeProcess, launch: Launch | None, host: Host | None) -> Finding:
    fails = launch.effective.fails if launch else None
    starting = 0 < one.age < STARTING and fails is None
    evidence = [Evidence(plain(one.command), f"pid {one.pid}"), _idle(one)]
    if launch and fails:
        evidence.append(Evidence(t("its flags lead to this: {message}", message=fails.message), launch.origin))
    summary = t("Forge (pid {pid}) runs but serves nothing: its server died or never started.", pid=one.pid)
    if starting:
        summary = t("Forge (pid {pid}) has just been started and listens on nothing yet.", pid=one.pid)
    wait = fixes.advise(t('Wait until its log says "Startup time", then ask again'))
    again = fixes.advise(t('Start it again from a console, and read the first error after "Launching"'))
    return Finding(
        summary,
        evidence=evidence,
        fixes=[wait] if starting else [fixes.stop_process(one.pid, host), again],
        severity=INFO if starting else ERROR,
        confidence=CERTAIN if one.age > STARTING else LIKELY,
        explains=[] if starting else ["listen-missing"],
    )


def _idle(one: ForgeProcess) -> Evidence:
    if one.age:
        return Evidence(t("it has run for {seconds} s and holds no listening port", seconds=round(one.age)))
    return Evidence(t("it holds no listening port"))
