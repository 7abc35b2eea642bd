from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Endpoint, Probe
from forgedoctor_checks.endpoint._seen import is_local, kind, where

_TELLING = ("refused", "timeout", "unreachable", "unresolvable")  # of several addresses, the one that says most


@check("endpoint-unreachable", severity=ERROR, group="endpoint")
def endpoint_unreachable(endpoint: Endpoint) -> Iterator[Finding]:
    """Nothing takes a connection at this address.

    What happens: clients say "connection refused", "timed out", "no route to host" or "name not known".
    Why: refused: the machine is there, and no program listens on that port at that address (or a firewall rejects).
    Timed out: something drops the packets, mostly a firewall, or the machine is off. No route: a wrong address, another
    network, or a firewall that says so. Unknown name: a typing error, or no DNS.
    Fix: start Forge, look at the line "Running on local URL" for its real port; from another machine it needs --listen.
    Source: RFC 9293 (reset on a closed port); connect(2).
    """
    if kind(endpoint) != "unreachable":
        return
    tries = endpoint.named("connect")
    outcome = next((word for word in _TELLING if any(one.outcome == word for one in tries)), "error")
    local = is_local(endpoint.host)
    sure = outcome == "unresolvable" or (outcome == "refused" and local)
    yield Finding(
        _summary(endpoint, outcome, local),
        evidence=[Evidence(plain(_line(one)), endpoint.url) for one in tries[:3]],
        fixes=_fixes(endpoint, outcome, local),
        confidence=CERTAIN if sure else LIKELY,
    )


def _line(one: Probe) -> str:
    return f"{one.path}: {one.outcome}" + (f" ({one.detail})" if one.detail else "")


def _summary(endpoint: Endpoint, outcome: str, local: bool) -> Message:
    place = where(endpoint)
    if outcome == "refused" and local:
        return t("Nothing listens on {where}.", where=place)
    if outcome == "refused":
        return t("{where} refuses the connection: nothing listens there for other machines.", where=place)
    if outcome == "timeout":
        return t(
            "{where} does not answer at all: the packets are dropped on the way, or the machine is off.", where=place
        )
    if outcome == "unresolvable":
        return t("The name {host} is not known.", host=endpoint.host)
    return t("{where} cannot be reached: there is no way to it from here.", where=place)


def _fixes(endpoint: Endpoint, outcome: str, local: bool) -> list[Fix]:
    if outcome == "unresolvable":
        return [fixes.advise(t("Check the spelling, or use the machine's IP address"))]
    if outcome == "timeout":
        port = endpoint.port
        return [
            fixes.advise(t("Check the address, and that the machine is on and in this network")),
            fixes.advise(t("Allow TCP port {port} in the firewall of the machine that runs Forge", port=port)),
        ]
    if outcome != "refused":
        return [
            fixes.advise(t("Check the address, and that both machines are in one network; a firewall may say so too"))
        ]
    start = t(
        'Start Forge, and look in its log for "Running on local URL" or "Uvicorn running on": that is the address'
    )
    made = [fixes.advise(start)]
    if not local:
        made.append(
            fixes.advise(t("On that machine Forge needs --listen: without it only the machine itself can connect"))
        )
    return made
