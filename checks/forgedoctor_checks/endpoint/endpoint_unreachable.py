from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Endpoint, Probe
from forgedoctor.reach.meaning import Reading, ids, read
from forgedoctor.reach.symptom import Symptom, kind_of
from forgedoctor_checks.endpoint._seen import is_local, kind, where

# Of several addresses the one whose symptom says most.
_TELLING = (
    "refused", "prohibited", "protocol-unreachable", "host-unreachable", "timeout", "invalid", "net-unreachable",
    "no-address", "unresolvable",
)  # fmt: skip
_MOST_CAUSES = 4


@check("endpoint-unreachable", severity=ERROR, group="endpoint")
def endpoint_unreachable(endpoint: Endpoint) -> Iterator[Finding]:
    """Nothing takes a connection at this address.

    What happens: clients say "connection refused", "timed out", "no route to host" or "name not known".
    Why: refused: nothing listens on that port at that address, Forge listens for its own machine only, or a firewall
    rejects. Timed out: a firewall drops the packets, the machine is off, or a hung program's queue is full. No route at
    once: a firewall says so; after three seconds: no machine has that address, or the Wi-Fi keeps its devices apart.
    Unknown name: a typing error, or no DNS. Refused never rules a firewall out, and timed out never proves one.
    Fix: start Forge, look at the line "Running on local URL" for its real port; from another machine it needs --listen.
    To tell a firewall from Forge, run forgedoctor reach on that machine and open the address that it shows.
    Source: RFC 9293 (reset on a closed port); connect(2); symptoms of real rules and routes, recorded between two hosts.
    """
    if kind(endpoint) != "unreachable":
        return
    tries = endpoint.named("connect")
    if not tries:
        return
    symptom = _telling([_symptom(one) for one in tries])
    reading = read(symptom, where(endpoint), endpoint.port)
    local = is_local(endpoint.host)
    yield Finding(
        _summary(endpoint, symptom, local),
        evidence=[
            *(Evidence(plain(_line(one)), endpoint.url) for one in tries[:3]),
            *(Evidence(text) for text in reading.caveats if not local),
        ],
        fixes=_fixes(endpoint, symptom, reading, local),
        confidence=CERTAIN if symptom.kind == "unresolvable" else LIKELY,
    )


def _symptom(probe: Probe) -> Symptom:
    kind_, error = kind_of(probe.outcome, probe.stage, probe.detail)
    address = probe.path.rpartition(":")[0].strip("[]")
    told = probe.json if isinstance(probe.json, dict) else {}
    place = "loopback" if is_local(address) and address != "0.0.0.0" else str(told.get("place", ""))
    return Symptom(
        kind=kind_,
        family="ipv6" if ":" in address else "ipv4",
        elapsed=probe.elapsed,
        place=place,
        client=str(told.get("client", "")),
        inside=str(told.get("inside", "")),
        error=error,
    )


def _telling(seen: Sequence[Symptom]) -> Symptom:
    order = {name: place for place, name in enumerate(_TELLING)}
    return min(seen, key=lambda one: order.get(one.kind, len(order)))


def _line(one: Probe) -> str:
    took = f" after {one.elapsed:.1f} s" if one.outcome != "refused" and one.elapsed >= 0.1 else ""
    return f"{one.path}: {one.outcome}{took}" + (f" ({one.detail})" if one.detail else "")


def _summary(endpoint: Endpoint, symptom: Symptom, local: bool) -> Message:
    place = where(endpoint)
    if symptom.kind == "refused" and local:
        return t("Nothing listens on {where}.", where=place)
    if symptom.kind == "refused":
        return t("{where} refuses the connection: most likely nothing listens there for other machines.", where=place)
    if symptom.kind == "timeout":
        return t("{where} does not answer at all: dropped on the way, the machine is off, or hangs.", where=place)
    if symptom.kind == "unresolvable":
        return t("The name {host} is not known.", host=endpoint.host)
    return t("{where} cannot be reached: there is no way to it from here, or it is barred.", where=place)


def _fixes(endpoint: Endpoint, symptom: Symptom, reading: Reading, local: bool) -> list[Fix]:
    if symptom.kind == "refused" and local and not symptom.inside:
        return [fixes.advise(_START)]
    made = [fixes.advise(_cause(one.meaning, one.settle)) for one in reading.causes[:_MOST_CAUSES]]
    if "loopback-only" in ids(reading.causes):
        made.append(
            fixes.advise(t("On that machine Forge needs --listen: without it only the machine itself can connect"))
        )
    if not symptom.here and symptom.kind != "unresolvable":
        on = t("On that machine, in place of Forge: forgedoctor reach --port {port}", port=endpoint.port)
        made.append(fixes.advise(on))
    return made


_START = t('Start Forge, and look in its log for "Running on local URL" or "Uvicorn running on": that is the address')


def _cause(meaning: Message, settle: Message | None) -> Message:
    return t("{meaning} To settle it: {settle}", meaning=meaning, settle=settle) if settle else meaning
