from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Message, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchange, Exchanges
from forgedoctor_checks.endpoint._seen import kind, root, told


@check(
    "client-wrong-url",
    severity=ERROR,
    group="endpoint",
    explains=["api-flag-missing", "endpoint-unreachable", "wrong-program-on-port"],
)
def client_wrong_url(endpoint: Endpoint | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """The address in the client is wrong: a double slash, a path too many, localhost that means ::1.

    What happens: 404 on //sdapi/v1/txt2img, 405 on POST /, ECONNREFUSED ::1:7860.
    Why: clients put /sdapi/v1/... after the address they were given; Forge listens on IPv4 only, and newer clients
    ask ::1 first when told localhost.
    Fix: the bare address, http://127.0.0.1:7860, without a slash or path at the end.
    Source: recorded bind addresses; clients' own URL joining.
    """
    if endpoint is None and exchanges is None:
        raise NotApplicable(t("no address was seen"))
    if endpoint and kind(endpoint) == "prefix":
        yield Finding(
            t("The API is there, but not under this path: leave the path away."),
            evidence=told(endpoint, "progress", "progress-root"),
            fixes=[fixes.advise(t("Give the client {url}", url=root(endpoint)))],
            confidence=CERTAIN,
        )
    found = (_reading(one) for one in (exchanges.exchanges if exchanges else ()))
    yield from [one for one in found if one][:1]


def _reading(one: Exchange) -> Finding | None:
    if one.path.startswith("//") and one.status in (404, 405, None):
        return _told(t("The client's address ends in a slash, so it asks {path}.", path=one.path), one)
    if one.method == "POST" and one.path == "/" and one.status == 405:
        return _told(t("The client posts to the bare address, without /sdapi/v1/…"), one)
    if one.error == "refused" and ("::1:" in one.detail or one.url.startswith(("::1", "[::1]"))):
        return Finding(
            t("The client asks ::1 (IPv6) because it was given localhost; Forge listens on IPv4."),
            evidence=[Evidence(plain(one.detail), one.where)],
            fixes=[fixes.advise(t("Write 127.0.0.1 in place of localhost in the client"))],
            confidence=LIKELY,
        )
    return None


def _told(summary: Message, one: Exchange) -> Finding:
    bare = t("Give the client the bare address, such as http://127.0.0.1:7860, without a slash or path at the end")
    return Finding(
        summary,
        evidence=[Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)],
        fixes=[fixes.advise(bare)],
        confidence=CERTAIN,
    )
