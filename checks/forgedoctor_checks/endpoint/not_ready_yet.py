from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, Message, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges
from forgedoctor_checks.endpoint._seen import in_front, kind, told

_WAIT = t('Wait until Forge\'s log says "Startup time", and poll /sdapi/v1/progress before sending work')


@check("not-ready-yet", severity=ERROR, group="endpoint", explains=["wrong-program-on-port"])
def not_ready_yet(endpoint: Endpoint | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """A proxy answers, and Forge behind it does not: it is not up, or not ready yet.

    What happens: 502, 503 or 504 with the proxy's own page, often in the first minutes after a start.
    Why: the proxy found no server at the address it was given, or none that answers. Forge takes a minute or more to
    load.
    Fix: wait for "Startup time" in Forge's log; poll /sdapi/v1/progress before sending work.
    Source: nginx and other proxies; RFC 9110 15.6.3 to 15.6.5.
    """
    if endpoint is None and exchanges is None:
        raise NotApplicable(t("no answer was seen"))
    probe = endpoint.probe("progress") if endpoint else None
    if endpoint and probe and probe.status and kind(endpoint) == "gateway":
        yield Finding(
            _summary(in_front(endpoint) or "?", probe.status),
            evidence=told(endpoint, "page", "progress"),
            fixes=[
                fixes.advise(_WAIT),
                fixes.advise(
                    t("Ask Forge directly, on its own port; if it answers there, correct the proxy's upstream address")
                ),
            ],
            confidence=LIKELY,
        )
    for one in exchanges.exchanges if exchanges else ():
        if one.status in (502, 503):
            yield Finding(
                t("The proxy in front found no Forge behind it: not up, or not ready yet."),
                evidence=[Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)],
                fixes=[fixes.advise(_WAIT)],
                confidence=LIKELY,
            )
            return


def _summary(name: str, status: int) -> Message:
    if status in (504, 524):
        return t(
            "A proxy ({server}) answers {status}: Forge behind it gives no answer in time.", server=name, status=status
        )
    return t(
        "A proxy ({server}) answers {status}: Forge behind it is not up, or not ready.", server=name, status=status
    )
