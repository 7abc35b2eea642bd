from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Launch
from forgedoctor_checks.endpoint._seen import behind_proxy, status, told


@check("api-auth-required", severity=WARNING, group="endpoint")
def api_auth_required(endpoint: Endpoint | None, exchanges: Exchanges | None, launch: Launch | None) -> Iterator[Finding]:
    """The API wants a user name and password that the client does not send, or sends wrongly.

    What happens: 401 {"detail":"Incorrect username or password"} or {"detail":"Not authenticated"} on /sdapi.
    Why: Forge was started with --api-auth, or a proxy or container image in front asks for a login of its own. The
    page's login (--gradio-auth) is another one and does not count here.
    Fix: HTTP Basic with the --api-auth pair: curl -u USER:PASSWORD ...
    Source: modules/api/api.py auth; recorded answers.
    """
    if endpoint is None and exchanges is None:
        raise NotApplicable(t("no answer was seen"))
    if endpoint and status(endpoint, "progress") == 401:
        yield _live(endpoint)
    for one in exchanges.exchanges if exchanges else ():
        if one.status == 401 and one.path.startswith("/sdapi/"):
            known = bool(launch and launch.given("api_auth"))
            yield Finding(
                t("The API wants a login, and the client sent none or a wrong one."),
                evidence=[Evidence(plain(f"{one.method} {one.path} -> 401 {one.detail}".strip()), one.where)],
                fixes=[fixes.advise(t("Send the --api-auth pair as HTTP Basic, for instance: curl -u USER:PASSWORD URL"))],
                severity=ERROR,
                confidence=CERTAIN if known or one.detail else LIKELY,
            )
            return


def _live(endpoint: Endpoint) -> Finding:
    proxy = behind_proxy(endpoint)
    evidence = told(endpoint, "progress")
    if proxy:
        evidence.append(Evidence(t("the answer comes from {server}, which stands in front of Forge", server=proxy), endpoint.url))
    if endpoint.credentials_sent:
        summary = t("The API refuses this user name and password.")
        fix = fixes.advise(t("Use the pair after --api-auth in the launch flags; the page's --gradio-auth pair is another one"))
    else:
        summary = t("The API is on and asks for a login.")
        fix = fixes.advise(t("Give it with --auth USER:PASSWORD (or in FORGEDOCTOR_AUTH); clients send it as HTTP Basic"))
    return Finding(summary, evidence=evidence, fixes=[fix], severity=ERROR if endpoint.credentials_sent else INFO, confidence=CERTAIN)
