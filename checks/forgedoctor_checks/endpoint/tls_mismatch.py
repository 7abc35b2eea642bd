from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, plain, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import kind, told


@check(
    "tls-mismatch",
    severity=ERROR,
    group="endpoint",
    explains=["server-silent", "wrong-program-on-port", "server-closes", "tls-cert-unusable"],
)
def tls_mismatch(endpoint: Endpoint) -> Iterator[Finding]:
    """http was used where https is spoken, or the other way round.

    What happens: "Remote end closed connection without response" (http to a TLS port), WRONG_VERSION_NUMBER (https to
    a plain one).
    Why: with --tls-keyfile and --tls-certfile Forge speaks https only; without them http only.
    Fix: change the scheme in the client's address.
    Source: recorded answers of both kinds; OpenSSL.
    """
    if kind(endpoint) != "other-scheme":
        return
    scheme, _, rest = endpoint.url.partition("://")
    if scheme == "http":
        right, tls = f"https://{rest}", endpoint.probe("tls")
        yield Finding(
            t("This port speaks https, and http was asked for."),
            evidence=[
                *told(endpoint, "progress"),
                Evidence(plain(f"TLS -> {(tls and tls.detail) or 'handshake done'}"), right),
            ],
            fixes=[fixes.advise(t("Use {url}", url=right))],
            confidence=CERTAIN,
        )
    else:
        yield Finding(
            t("This port speaks plain http, and https was asked for."),
            evidence=told(endpoint, "progress", "plain"),
            fixes=[
                fixes.advise(t("Use {url}, or start Forge with --tls-keyfile and --tls-certfile", url=f"http://{rest}"))
            ],
            confidence=CERTAIN,
        )
