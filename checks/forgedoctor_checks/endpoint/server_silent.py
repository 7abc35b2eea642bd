from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, POSSIBLE, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import kind, told, where


@check("server-silent", severity=ERROR, group="endpoint")
def server_silent(endpoint: Endpoint) -> Iterator[Finding]:
    """The server takes the connection and gives no answer in time.

    What happens: requests hang until the client gives up.
    Why: its event loop is blocked (a ControlNet detect call, an extension's heavy work in an async route), the
    machine swaps, or a program that speaks another protocol waits for the client to begin.
    Fix: wait for the job to end, look at the load of the machine; end and restart the program.
    Source: recorded probes; uvicorn runs async routes on its one event loop.
    """
    state = kind(endpoint)
    if state not in ("silent", "slow"):
        return
    place = where(endpoint)
    summary = t("{where} takes the connection and gives no answer in time.", where=place)
    if state == "slow":
        summary = t("{where} answers some addresses, and the API gives no answer in time.", where=place)
    yield Finding(
        summary,
        evidence=[
            Evidence(t("it took the connection at {peer}", peer=endpoint.peer), endpoint.url),
            *told(endpoint, "progress", "ping", "samplers", "openapi"),
        ],
        fixes=[
            fixes.advise(t("Wait for the running job to end, and ask again with a longer --timeout")),
            fixes.advise(t("If it stays so, look what the program's console says, end it and start it again")),
        ],
        confidence=LIKELY if state == "silent" else POSSIBLE,
    )
