from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import answered, reached, told


@check("server-silent", severity=ERROR, group="endpoint")
def server_silent(endpoint: Endpoint) -> Iterator[Finding]:
    """The server takes the connection and says nothing.

    What happens: every request hangs until the client gives up.
    Why: its event loop is blocked (a ControlNet detect call, an extension's heavy work in an async route), the
    machine swaps, or a program that speaks another protocol waits for the client to begin.
    Fix: wait for the job to end, look at the load of the machine; end and restart the program.
    Source: recorded probes; uvicorn runs async routes on its one event loop.
    """
    if not reached(endpoint) or answered(endpoint):
        return
    outcomes = {probe.outcome for probe in endpoint.probes if probe.name not in ("connect", "tls", "plain", "verify")}
    if "timeout" not in outcomes or outcomes - {"timeout", "not-tried"}:
        return
    yield Finding(
        t("{where} takes the connection and then says nothing.", where=f"{endpoint.host}:{endpoint.port}"),
        evidence=[Evidence(t("connected to {peer}", peer=endpoint.peer)), *told(endpoint, "progress", "openapi")],
        fixes=[
            fixes.advise(t("Wait for the running job to end and ask again with a longer --timeout")),
            fixes.advise(t("If it stays silent, end that program and start it again")),
        ],
        confidence=LIKELY,
    )
