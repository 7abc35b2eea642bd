from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Message, check, plain, t
from forgedoctor.facts import Endpoint, Probe
from forgedoctor_checks.endpoint._seen import kind, line, told

_LOGIN = re.compile(r"log-?in|sign-?in|auth|sso\b", re.IGNORECASE)


@check("endpoint-redirects", severity=ERROR, group="endpoint", explains=["wrong-program-on-port"])
def endpoint_redirects(endpoint: Endpoint) -> Iterator[Finding]:
    """The API's address sends the client elsewhere.

    What happens: a POST becomes a GET on the way, a client without redirects fails, a login page comes in place of
    JSON.
    Why: a proxy in front sends http to https, or to its login. Forge itself never redirects /sdapi.
    Fix: use the final address in the client; log in as the proxy wants it.
    Source: RFC 9110 15.4; recorded answers of Forge.
    """
    probe = endpoint.probe("progress")
    state = kind(endpoint)
    if probe is None or state not in ("circle", "elsewhere", "usable"):
        return
    if state == "circle":
        yield Finding(
            t("{url} redirects in a circle.", url=endpoint.url),
            evidence=told(endpoint, "progress"),
            fixes=[fixes.advise(t("Ask Forge directly, on its own port, and correct the proxy in front"))],
            confidence=CERTAIN,
        )
        return
    final = probe.redirects[-1] if probe.redirects else probe.headers.get("location", "")
    if not final and state == "elsewhere":
        yield Finding(
            t("The API's address sends the client on without saying where to."),
            evidence=told(endpoint, "progress"),
            fixes=[fixes.advise(t("Ask Forge directly, on its own port, and correct the proxy in front"))],
            confidence=CERTAIN,
        )
    elif final:
        yield _sent_on(endpoint, probe, final, works=state == "usable")


def _sent_on(endpoint: Endpoint, probe: Probe, final: str, *, works: bool) -> Finding:
    login = not works and bool(_LOGIN.search(final) or 'type="password"' in probe.body)
    sent = [f"{probe.method} {probe.path.split('?')[0]} -> {one}" for one in probe.redirects[:3] or (final,)]
    use = t("Give clients the final address, {url}: a POST does not survive a redirect", url=_base(final, probe))
    enter = t(
        "Give clients an address that needs no login page: Forge's own port, or a proxy rule without it for /sdapi"
    )
    return Finding(
        _summary(endpoint, final, works=works, login=login),
        evidence=[Evidence(plain(one), endpoint.url) for one in (*sent, line(probe))],
        fixes=[fixes.advise(enter if login else use)],
        severity=WARNING if works else ERROR,
        confidence=LIKELY if login else CERTAIN,
    )


def _summary(endpoint: Endpoint, final: str, *, works: bool, login: bool) -> Message:
    if login:
        return t("A login page stands in front of the API: {where}.", where=final)
    if endpoint.scheme == "http" and final.startswith("https:"):
        return t("This address sends http on to https: {where}.", where=final)
    if works:
        return t("The API answers only after a redirect, to {where}.", where=final)
    return t("The API's address sends the client on to {where}, where there is no API.", where=final)


def _base(final: str, probe: Probe) -> str:
    """The address to give to a client: the final one without the route that was asked."""
    asked = probe.path.split("?")[0]
    parts = urlsplit(final)
    path = parts.path.removesuffix(asked).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}" if parts.netloc else final
