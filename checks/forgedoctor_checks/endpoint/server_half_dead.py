from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Message, Undecided, check, t
from forgedoctor.facts import Endpoint, ForgeProcess, Launch, Processes
from forgedoctor_checks.endpoint._seen import kind, told

STARTING = 60.0  # seconds between the open port and the API routes on a slow machine


@check("server-half-dead", severity=ERROR, group="endpoint", explains=["api-flag-missing", "generation-failed"])
def server_half_dead(endpoint: Endpoint, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """The page answers and the API does not, although --api was given: the start broke off half-way.

    What happens: / is 200 and /sdapi is 404. For a moment every start looks so: the port opens before the routes are
    made.
    Why: after the page is up, the same thread makes the API. A malformed --api-auth, a proxy variable that catches
    gradio's look at itself, or a self-signed certificate (AUTOMATIC1111) ends it in between.
    Fix: mend that cause and restart; the log's last traceback names it.
    Source: webui.py webui_worker; recorded half-starts.
    """
    state = kind(endpoint)
    if state not in ("off", "half"):
        return
    known = launch is not None and launch.seen and launch.effective.exit is None
    wanted = known and launch is not None and launch.effective.api
    if state == "off" and not known:
        raise Undecided(
            t("the flags are not known: if --api is among them, the start is not over yet or broke off half-way"),
            t("ask again in a minute, and look for --api and for a traceback in Forge's log"),
        )
    if state == "half" or wanted:
        yield _finding(endpoint, launch, _process(launch, processes), wanted=wanted)


def _process(launch: Launch | None, processes: Processes | None) -> ForgeProcess | None:
    forges = processes.forges if processes else ()
    return next((one for one in forges if launch and one.pid == launch.pid), None)


def _finding(endpoint: Endpoint, launch: Launch | None, process: ForgeProcess | None, *, wanted: bool) -> Finding:
    age = process.age if process else 0.0
    starting = 0 < age < STARTING
    evidence = told(endpoint, "page", "ping", "progress")
    if process and age:
        evidence.append(Evidence(t("the process has run for {seconds} s", seconds=round(age)), f"pid {process.pid}"))
    fails = launch.effective.fails if launch else None
    if launch and fails:
        evidence.append(Evidence(t("its flags lead to this: {message}", message=fails.message), launch.origin))
    wait = fixes.advise(t("Wait a minute and ask again: a start looks like this until its last step"))
    mend = fixes.advise(
        t(
            "Read the last traceback in Forge's log, mend its cause, restart; "
            "a proxy variable without NO_PROXY=localhost,127.0.0.1 and a malformed --api-auth are the usual ones"
        )
    )
    return Finding(
        _summary(age, wanted=wanted),
        evidence=evidence,
        fixes=[wait] if starting else [mend] if age else [wait, mend],
        severity=WARNING if starting else ERROR,
        confidence=CERTAIN if wanted and age and not starting else LIKELY,
    )


def _summary(age: float, *, wanted: bool) -> Message:
    if 0 < age < STARTING:
        return t("The page is up and the API is not yet there: Forge is still starting.")
    if age and wanted:
        return t("The page is up but the API is not, although it was asked for: the start broke off half-way.")
    if wanted:
        return t("The page is up and the API that was asked for is not: the start is not over, or broke off half-way.")
    return t("The page is up and nothing else of Forge is: the start is not over, or broke off half-way.")
