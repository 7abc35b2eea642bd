from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Confidence, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import reached


@check("endpoint-unreachable", severity=ERROR, group="endpoint")
def endpoint_unreachable(endpoint: Endpoint) -> Iterator[Finding]:
    """Nothing takes a connection at this address.

    What happens: clients say "connection refused", "timed out" or "name not known".
    Why: refused: the machine is there, and no program listens on that port at that address. Timed out: something
    drops the packets, mostly a firewall, or the machine is off. Unknown name: a typing error, or no DNS.
    Fix: start Forge, look at the line "Running on local URL" for its real port; from another machine it needs --listen.
    Source: RFC 9293 (reset on a closed port); connect(2).
    """
    if reached(endpoint):
        return
    tries = endpoint.named("connect")
    outcome = tries[0].outcome if tries else "error"
    local = endpoint.host in ("localhost", "::1", "0.0.0.0") or endpoint.host.startswith("127.")
    evidence = [Evidence(plain(f"{one.path or endpoint.host}: {one.outcome} {one.detail}".strip())) for one in tries[:3]]
    yield Finding(_summary(endpoint, outcome), evidence=evidence, fixes=_fixes(endpoint, outcome, local), confidence=_sure(outcome))


def _sure(outcome: str) -> Confidence:
    return CERTAIN if outcome in ("refused", "unresolvable") else LIKELY


def _summary(endpoint: Endpoint, outcome: str) -> Message:
    where = f"{endpoint.host}:{endpoint.port}"
    if outcome == "refused":
        return t("Nothing listens on {where}.", where=where)
    if outcome == "timeout":
        return t("{where} does not answer at all: the packets are dropped on the way, or the machine is off.", where=where)
    if outcome == "unresolvable":
        return t("The name {host} is not known.", host=endpoint.host)
    return t("{where} cannot be reached ({outcome}).", where=where, outcome=outcome)


def _fixes(endpoint: Endpoint, outcome: str, local: bool) -> list[Fix]:
    if outcome == "unresolvable":
        return [fixes.advise(t("Check the spelling, or use the machine's IP address"))]
    if outcome == "timeout":
        return [fixes.advise(t("Allow TCP port {port} in the firewall of the machine that runs Forge, and check its address", port=endpoint.port))]
    made = [fixes.advise(t("Start Forge, and look in its log for \"Running on local URL\" or \"Uvicorn running on\": that is the address"))]
    if not local:
        made.append(fixes.advise(t("On that machine Forge needs --listen; without it only the machine itself can connect")))
    return made
