from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import told


@check("endpoint-redirects", severity=WARNING, group="endpoint", explains=["wrong-program-on-port"])
def endpoint_redirects(endpoint: Endpoint) -> Iterator[Finding]:
    """The API's address sends the client elsewhere.

    What happens: a POST becomes a GET on the way, a client without redirects fails, a login page comes in place of
    JSON.
    Why: a proxy in front sends http to https, or to its login. Forge itself never redirects /sdapi.
    Fix: use the final address in the client; log in as the proxy wants it.
    Source: RFC 9110 15.4; recorded answers of Forge.
    """
    probe = endpoint.probe("progress")
    if probe is None:
        return
    if probe.outcome == "redirect-loop":
        yield Finding(
            t("{url} redirects in a circle.", url=endpoint.url),
            evidence=told(endpoint, "progress"),
            fixes=[fixes.advise(t("Ask Forge directly, on its own port, and correct the proxy in front"))],
            confidence=CERTAIN,
        )
        return
    where = probe.headers.get("location", "") if probe.status and 300 <= probe.status < 400 else ""
    final = where or (probe.redirects[-1] if probe.redirects else "")
    if final:
        yield Finding(
            t("The API's address sends the client on to {where}.", where=final),
            evidence=[Evidence(plain(one), endpoint.url) for one in (probe.redirects or (final,))[:3]],
            fixes=[fixes.advise(t("Give the client the final address; POST requests do not survive a redirect"))],
            confidence=CERTAIN,
        )
