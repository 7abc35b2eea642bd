"""What a client's symptom means: the causes in order, how sure each is, and what must not be concluded from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from forgedoctor.check import CERTAIN, LIKELY, POSSIBLE, Confidence
from forgedoctor.message import Message, t
from forgedoctor.reach.causes import CAUSES, LOOK
from forgedoctor.reach.symptom import Symptom

PATIENCE = 3.5  # seconds that a connection must be given to tell a missing machine (3.1 s, measured) from a firewall
_AT_ONCE = 0.3  # seconds: an error that is known sooner needed no packet to come back late
_NEIGHBOUR = (2.5, 3.9)  # seconds after which Linux gives up to find a neighbour (three tries, one a second)
_BEYOND = ("private", "shared", "public")  # places that a router stands before


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would look like this. ``settle``: what would tell whether it is so."""

    id: str
    meaning: Message
    confidence: Confidence
    settle: Message | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a symptom means. ``causes``: likeliest first. ``caveats``: what does not follow from it.

    ``look``: (system, command) pairs that show on the other machine who has the port open, where that would help.
    """

    summary: Message
    causes: tuple[Cause, ...] = ()
    caveats: tuple[Message, ...] = ()
    look: tuple[tuple[str, str], ...] = ()


Rated = list[tuple[str, Confidence]]


def read(symptom: Symptom, where: str, port: int) -> Reading:
    """Read one symptom. ``where``: the address and port for people (``192.168.1.20:7860``)."""
    rated = _RULES[symptom.kind](symptom) if symptom.kind in _RULES else []
    causes = tuple(
        Cause(id=name, meaning=CAUSES[name][0], confidence=confidence, settle=CAUSES[name][1])
        for name, confidence in rated
    )
    there = not symptom.here and any(one.settle == CAUSES["nothing-listens"][1] for one in causes)
    return Reading(
        summary=_summary(symptom, where),
        causes=causes,
        caveats=caveats(symptom),
        look=tuple((system, command.format(port=port)) for system, command in LOOK) if there else (),
    )


def caveats(symptom: Symptom) -> tuple[Message, ...]:
    """What must not be concluded from this symptom."""
    said: list[Message] = []
    if symptom.place == "own":
        said.append(
            t(
                "This address is this machine's own: the packets never leave it, so that this proves nothing about "
                "other machines, whatever comes out."
            )
        )
    elif symptom.place == "loopback":
        said.append(t("This address is the machine itself: it says nothing about other machines."))
    if symptom.kind == "refused":
        said.append(t("A refusal does not rule out a firewall: one that rejects answers in the same way."))
    if symptom.kind == "timeout":
        said.append(t("A time-out proves no firewall: a hung program and a lost reply look the same."))
        if symptom.elapsed < PATIENCE - 0.2 and symptom.place not in ("loopback", "own"):
            short = f"{symptom.elapsed:.2g}"
            said.append(t("Only {seconds} s were waited: a machine that is not there shows after 3.1.", seconds=short))
    return tuple(said)


def _summary(symptom: Symptom, where: str) -> Message:
    kind = symptom.kind
    if kind == "open":
        return t("{where} takes the connection.", where=where)
    if kind == "refused":
        return t("{where} refuses the connection.", where=where)
    if kind == "timeout":
        return t("{where} does not answer at all.", where=where)
    if kind in ("host-unreachable", "net-unreachable", "protocol-unreachable", "no-address", "invalid", "prohibited"):
        return t("{where} cannot be reached: there is no way to it from here, or it is barred.", where=where)
    if kind in ("reset", "closed"):
        return t("{where} takes the connection and ends it without an answer.", where=where)
    if kind == "silent":
        return t("{where} takes the connection and gives no answer in time.", where=where)
    if kind == "unresolvable":
        return t("The name in {where} is not known.", where=where)
    if kind in ("tls-wanted", "tls-not-wanted"):
        return t("{where} speaks another protocol than it was asked with.", where=where)
    if kind == "gateway":
        return t("{where} is a proxy that cannot reach Forge.", where=where)
    if kind in ("other-program", "not-http"):
        return t("{where} is another program than Forge.", where=where)
    return t("{where} could not be asked.", where=where)


def _refused(it: Symptom) -> Rated:
    if it.place == "loopback":
        return [*_wrong_self(it), ("nothing-listens-here", LIKELY), ("firewall-rejects", POSSIBLE)]
    if it.place == "unspecified":
        return [("wildcard", LIKELY), ("nothing-listens-here", POSSIBLE)]
    ipv6: Rated = [("ipv4-only", LIKELY)] if it.family == "ipv6" else []
    nothing = "nothing-listens-here" if it.place == "own" else "nothing-listens"
    common: Rated = [
        (nothing, LIKELY), ("loopback-only", LIKELY), ("container-loopback", POSSIBLE), ("firewall-rejects", POSSIBLE),
    ]  # fmt: skip
    return [*ipv6, *common, *([("no-port-forward", POSSIBLE)] if it.place == "public" else [])]


def _wrong_self(it: Symptom) -> Rated:
    """A client in a box that asks the box for what runs outside."""
    boxed = {"container": "own-container", "wsl": "own-wsl"}.get(it.inside)
    return [(boxed, LIKELY if it.inside == "container" else POSSIBLE)] if boxed else []


def _timeout(it: Symptom) -> Rated:
    if it.place in ("loopback", "own"):
        return [("queue-full", LIKELY), ("local-drop", POSSIBLE)]
    if it.place == "unspecified":
        return [("wildcard", LIKELY)]
    outer: Rated = []
    if it.place == "public":
        outer = [("cloud-rules", LIKELY), ("no-port-forward", LIKELY)]
    elif it.place in _BEYOND:
        outer = [("not-forwarded", LIKELY)]
    return [
        *outer,
        ("firewall-drops", LIKELY),
        *_may_be_away(it),
        ("closed-and-silent", POSSIBLE),
        ("queue-full", POSSIBLE),
        ("local-drop", POSSIBLE),
        ("reply-lost", POSSIBLE),
    ]


def _may_be_away(it: Symptom) -> Rated:
    """A machine of the same network that is not there shows after 3.1 s on Linux, as a time-out on Windows."""
    told_apart = it.place == "lan" and it.client != "windows" and it.elapsed >= PATIENCE - 0.2
    return [] if told_apart else [("machine-away", LIKELY if it.place == "lan" else POSSIBLE)]


def _host_unreachable(it: Symptom) -> Rated:
    if it.error in ("EHOSTDOWN", "10064") or _NEIGHBOUR[0] <= it.elapsed <= _NEIGHBOUR[1]:
        return _no_neighbour(it)
    mac: Rated = [("macos-local-network", LIKELY)] if it.client == "macos" and it.place != "public" else []
    if it.client == "windows":
        return [("no-neighbour", LIKELY), ("firewall-answers", POSSIBLE), ("no-route", POSSIBLE)]
    forbids: Rated = [("firewall-forbids" if it.family != "ipv6" else "firewall-answers", LIKELY)]
    local: Rated = [("local-rule", POSSIBLE)]
    far: Rated = [] if it.place == "lan" else [("no-neighbour-far", POSSIBLE)]
    return [*mac, *forbids, *far, *local]


def _no_neighbour(it: Symptom) -> Rated:
    if it.place in _BEYOND:
        return [("no-neighbour-far", LIKELY), ("firewall-forbids", POSSIBLE)]
    ipv6: Rated = [("icmpv6-dropped", POSSIBLE)] if it.family == "ipv6" else []
    return [("no-neighbour", LIKELY), ("client-isolation", POSSIBLE), *ipv6, ("firewall-forbids", POSSIBLE)]


def _net_unreachable(it: Symptom) -> Rated:
    if it.elapsed >= _AT_ONCE:  # a message came back: no route here would have been known at once
        return [("firewall-answers", LIKELY), ("no-route", POSSIBLE)]
    first = "no-ipv6" if it.family == "ipv6" else "no-route"
    return [(first, LIKELY), ("firewall-answers", POSSIBLE)]


def _prohibited(it: Symptom) -> Rated:
    """For IPv6 this is the firewall's ICMPv6; the IPv4 one is reported as "host unreachable", so that it is ours."""
    if it.client == "windows" or it.error == "10013":
        return [("security-product", LIKELY)]
    if it.family == "ipv6" and it.error != "EPERM":
        return [("firewall-forbids", LIKELY), ("local-rule", POSSIBLE)]
    return [("local-rule", LIKELY), ("security-product", POSSIBLE)]


def _invalid(it: Symptom) -> Rated:
    if it.place == "link-local" and it.family == "ipv6":
        return [("scope-missing", CERTAIN)]
    return [("blackhole", LIKELY)]


def _no_address(it: Symptom) -> Rated:
    if it.place == "unspecified":
        return [("wildcard", CERTAIN)]
    return [("family-off", LIKELY)] if it.family == "ipv6" else [("no-route", LIKELY)]


def _closed(it: Symptom) -> Rated:
    return [
        ("forwarder-empty", LIKELY),
        ("program-died", POSSIBLE),
        ("cut-on-the-way", POSSIBLE),
    ]


def _reset(it: Symptom) -> Rated:
    return [
        ("program-died", LIKELY),
        ("forwarder-empty", POSSIBLE),
        ("cut-on-the-way", POSSIBLE),
    ]


def _silent(it: Symptom) -> Rated:
    mac: Rated = [] if it.place in ("loopback", "own") else [("mac-firewall", POSSIBLE)]
    cut: Rated = [] if it.place == "loopback" else [("begun-only", POSSIBLE)]
    return [("program-hangs", LIKELY), *mac, *cut, ("forwarder-empty", POSSIBLE), ("other-program", POSSIBLE)]


def _always(*rated: tuple[str, Confidence]) -> Callable[[Symptom], Rated]:
    return lambda _: list(rated)


_RULES: dict[str, Callable[[Symptom], Rated]] = {
    "refused": _refused,
    "timeout": _timeout,
    "host-unreachable": _host_unreachable,
    "net-unreachable": _net_unreachable,
    "prohibited": _prohibited,
    "protocol-unreachable": _always(("firewall-answers", LIKELY)),
    "invalid": _invalid,
    "no-address": _no_address,
    "reset": _reset,
    "closed": _closed,
    "silent": _silent,
    "tls-wanted": _always(("tls-wanted", CERTAIN)),
    "tls-not-wanted": _always(("tls-not-wanted", CERTAIN)),
    "not-http": _always(("other-program", CERTAIN)),
    "other-program": _always(("other-program", LIKELY)),
    "gateway": _always(("proxy-alone", LIKELY)),
    "unresolvable": _always(("name-unknown", CERTAIN)),
    "error": _always(("unknown", POSSIBLE)),
}


def ids(causes: Sequence[Cause]) -> tuple[str, ...]:
    """The causes' names, in order."""
    return tuple(one.id for one in causes)
