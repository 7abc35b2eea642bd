from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import told


@check("concurrent-requests", severity=ERROR, group="endpoint", explains=["server-silent"])
def concurrent_requests(endpoint: Endpoint) -> Iterator[Finding]:
    """The server is full: 40 requests wait for the one that is being generated.

    What happens: /internal/ping, /sdapi/v1/progress and the page time out, while /openapi.json and /docs still
    answer: busy, not dead.
    Why: one lock lets one job run; each waiting request holds one of 40 worker threads, and ordinary routes need one
    too. There is no limit and no 429. A client that gives up does not end its job.
    Fix: send one request at a time, with a queue on the client's side; wait, or POST /sdapi/v1/interrupt.
    Source: modules/call_queue.py; recorded with 50 requests at once.
    """
    slow = [probe for probe in (endpoint.probe("progress"), endpoint.probe("ping")) if probe and probe.outcome == "timeout"]
    quick = endpoint.probe("openapi")
    if len(slow) < 2 or quick is None or quick.status != 200:
        return
    yield Finding(
        t("Forge is busy, not dead: too many requests wait, and no thread is left to answer."),
        evidence=[*told(endpoint, "progress", "ping", "openapi"), Evidence(t("routes that need a worker thread hang, the others answer"))],
        fixes=[fixes.advise(t("Wait until the queue is shorter; send one request at a time, with a queue on the client's side"))],
        confidence=CERTAIN if endpoint.routes else LIKELY,
    )
