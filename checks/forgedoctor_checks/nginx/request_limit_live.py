from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import LIKELY, POSSIBLE, WARNING, Evidence, Finding, Message, check, plain, t
from forgedoctor.facts import Endpoint, Probe

_PAGE = re.compile(r"<h1>503 Service Temporarily Unavailable</h1>.*<center>nginx", re.S)
_FIX = t("Raise the rate, the burst or the number of connections of that zone, or lift the limit for Forge's location")


@check("nginx-request-limit", severity=WARNING, group="nginx", explains=["not-ready-yet"])
def request_limit_live(endpoint: Endpoint) -> Iterator[Finding]:
    """The same, seen by a client: nginx's own 503. For a Forge that is gone nginx answers 502."""
    refused = [one for one in endpoint.probes if one.status == 503 and _PAGE.search(one.body)]
    passed = [one for one in endpoint.probes if one.status is not None and one.status != 503]
    if refused:
        yield Finding(
            _summary(some=bool(passed)),
            evidence=[Evidence(plain(_line(one)), endpoint.url) for one in (*refused[:2], *passed[:1])],
            fixes=[fixes.advise(_FIX)],
            confidence=LIKELY if passed else POSSIBLE,
        )


def _summary(*, some: bool) -> Message:
    if some:
        return t("nginx answers 503 to some requests and lets others through: it limits how often a client may ask.")
    return t("nginx answers 503 by itself: a limit on requests, or a page for maintenance. It did not ask Forge.")


def _line(one: Probe) -> str:
    return f"{one.method} {one.path.split('?')[0]} -> {one.status}"
