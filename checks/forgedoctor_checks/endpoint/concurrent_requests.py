from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import kind, lists_api, told


@check("concurrent-requests", severity=ERROR, group="endpoint", explains=["server-silent"])
def concurrent_requests(endpoint: Endpoint) -> Iterator[Finding]:
    """The server is full: 40 requests wait for the one that is being generated.

    What happens: /internal/ping, /sdapi/v1/progress and the page time out, while /openapi.json and /docs still
    answer: busy, not dead.
    Why: one lock lets one job run; each waiting request holds one of 40 worker threads, and ordinary routes need one
    too. There is no limit and no 429. A client that gives up does not end its job.
    Fix: send one request at a time, with a queue on the client's side; wait, or restart Forge to drop what waits.
    Source: modules/call_queue.py; recorded with 50 requests at once.
    """
    if kind(endpoint) != "busy":
        return
    queue = t("Wait until the waiting requests are done; then send one at a time, with a queue on the client's side")
    yield Finding(
        t("Forge is busy, not dead: too many requests wait, and no thread is left to answer."),
        evidence=[
            *told(endpoint, "progress", "ping", "samplers", "openapi"),
            Evidence(t("the addresses that need a worker thread hang, the others answer"), endpoint.url),
        ],
        fixes=[
            fixes.advise(queue),
            fixes.advise(t("To drop what waits, restart Forge: a client that gives up does not end its job")),
        ],
        confidence=CERTAIN if lists_api(endpoint) else LIKELY,
    )
