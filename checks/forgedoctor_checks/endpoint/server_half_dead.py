from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint, Launch, Processes
from forgedoctor_checks.endpoint._seen import looks_like_forge, status, told

STARTING = 60.0  # seconds between the open port and the API routes on a slow machine


@check("server-half-dead", severity=ERROR, group="endpoint", explains=["api-flag-missing"])
def server_half_dead(endpoint: Endpoint, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """The page answers and the API does not, although --api was given: the start broke off half-way.

    What happens: / is 200 and /sdapi is 404. For a moment every start looks so: the port opens before the routes are
    made.
    Why: after the page is up, the same thread makes the API. A malformed --api-auth, a proxy variable that catches
    gradio's look at itself, or a self-signed certificate (AUTOMATIC1111) ends it in between.
    Fix: mend that cause and restart; the log's last traceback names it.
    Source: webui.py webui_worker; recorded half-starts.
    """
    api_wanted = bool(launch and launch.seen and launch.effective.exit is None and launch.effective.api)
    ping = status(endpoint, "ping")
    half = status(endpoint, "page") == 200 and status(endpoint, "progress") == 404
    if not half or not looks_like_forge(endpoint):
        return
    if not api_wanted and ping != 404:
        return  # without --api this is how it should be; api-flag-missing has the word
    if endpoint.routes is not None and any(path == "/sdapi/v1/txt2img" for path in endpoint.routes):
        return
    process = next((one for one in processes.forges if launch and one.pid == launch.pid), None) if processes else None
    starting = process is not None and 0 < process.age < STARTING
    evidence = told(endpoint, "page", "ping", "progress")
    if launch and launch.effective.fails:
        evidence.append(Evidence(t("its flags lead to this: {message}", message=launch.effective.fails.message), launch.origin))
    summary = t("The page is up but the API is not, although it was asked for: the start broke off half-way.")
    if not api_wanted:
        summary = t("The page is up, but its own routes are missing: the start broke off half-way.")
    if starting:
        summary = t("The page is up and the API is not yet there: Forge is still starting.")
    yield Finding(
        summary,
        evidence=evidence,
        fixes=[
            fixes.advise(t("Wait a minute and ask again"))
            if starting
            else fixes.advise(t("Read the last traceback in Forge's log, mend its cause, restart; a proxy variable and a malformed --api-auth are the usual ones"))
        ],
        severity=WARNING if starting else ERROR,
        confidence=CERTAIN if api_wanted and process and not starting else LIKELY,
    )
