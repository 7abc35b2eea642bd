from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, POSSIBLE, Finding, Message, check, t
from forgedoctor.facts import Endpoint, Host, Probe
from forgedoctor_checks.endpoint._seen import is_local, kind, told, where


@check("server-closes", severity=ERROR, group="endpoint")
def server_closes(endpoint: Endpoint, host: Host | None) -> Iterator[Finding]:
    """The server takes the connection and closes it without an answer, or sends one that cannot be read.

    What happens: "empty reply", "connection reset", an answer without end.
    Why: a container whose program listens on its own 127.0.0.1 (Docker's proxy takes the connection and drops it), a
    program that is being ended, or no web server at all.
    Fix: look at what listens there; in a container start Forge with --listen.
    Source: docker-proxy drops connections whose inside is closed; uvicorn closes non-TLS bytes on a TLS port.
    """
    if kind(endpoint) != "closes":
        return
    tried = [probe for probe in (endpoint.probe("progress"), endpoint.probe("page")) if probe]
    odd = next(
        (probe for probe in tried if probe.status is None and probe.outcome not in ("timeout", "not-tried")), None
    )
    evidence = told(endpoint, "progress", "page", "openapi")
    yield Finding(
        _summary(where(endpoint), odd),
        evidence=evidence,
        fixes=[
            *([fixes.find_holder(endpoint.port, host)] if is_local(endpoint.host) else []),
            fixes.advise(t("If Forge runs in a container, start it with --listen: its own 127.0.0.1 is not yours")),
        ],
        confidence=POSSIBLE,
    )


def _summary(place: str, odd: Probe | None) -> Message:
    outcome = odd.outcome if odd else "closed"
    if outcome in ("closed", "reset"):
        return t("{where} takes the connection and closes it without an answer.", where=place)
    if outcome == "too-large":
        return t("{where} sends an answer that does not end.", where=place)
    return t(
        "{where} gives an answer that cannot be read: {why}.", where=place, why=(odd.detail if odd else "") or outcome
    )
