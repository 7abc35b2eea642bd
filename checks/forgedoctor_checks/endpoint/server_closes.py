from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, POSSIBLE, Finding, check, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import answered, reached, told


@check("server-closes", severity=ERROR, group="endpoint")
def server_closes(endpoint: Endpoint) -> Iterator[Finding]:
    """The server takes the connection and closes it without an answer, or sends one that cannot be read.

    What happens: "empty reply", "connection reset", an answer without end.
    Why: a TLS port asked in plain http (tls-mismatch says so when it is), a container whose program listens on its own
    127.0.0.1, a program that is being ended, or no web server at all.
    Fix: look at what listens there.
    Source: docker-proxy resets connections whose inside is closed; uvicorn closes non-TLS bytes on a TLS port.
    """
    if not reached(endpoint):
        return
    odd = [probe for probe in endpoint.probes if probe.outcome in ("closed", "reset", "too-large", "bad-encoding", "error") and probe.name in ("progress", "page")]
    if not odd or (answered(endpoint) and all(probe.outcome not in ("too-large", "bad-encoding", "error") for probe in odd)):
        return
    if any(probe.status is not None and probe.status < 400 for probe in odd if probe.name == "page" and probe.outcome == "too-large"):
        odd = [probe for probe in odd if probe.name != "page"]
        if not odd:
            return
    yield Finding(
        t("{where} takes the connection and gives no usable answer ({outcome}).", where=f"{endpoint.host}:{endpoint.port}", outcome=odd[0].outcome),
        evidence=told(endpoint, "page", "progress"),
        fixes=[fixes.advise(t("See which program listens there; in a container, Forge needs --listen"))],
        confidence=POSSIBLE,
    )
