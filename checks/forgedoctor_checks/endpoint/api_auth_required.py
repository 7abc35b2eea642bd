from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchange, Exchanges, Launch
from forgedoctor_checks.endpoint._seen import in_front, is_own_login, kind, told

_POLLED = "/sdapi/v1/progress"  # what health checks ask


@check("api-auth-required", severity=ERROR, group="endpoint")
def api_auth_required(
    endpoint: Endpoint | None, exchanges: Exchanges | None, launch: Launch | None
) -> Iterator[Finding]:
    """The API wants a user name and password that the client does not send, or sends wrongly.

    What happens: 401 {"detail":"Incorrect username or password"} or {"detail":"Not authenticated"} on /sdapi.
    Why: Forge was started with --api-auth, or a proxy or container image in front asks for a login of its own. The
    page's login (--gradio-auth) is another one and does not count here.
    Fix: HTTP Basic with the --api-auth pair: curl -u USER:PASSWORD ...
    Source: modules/api/api.py auth; recorded answers.
    """
    if endpoint is None and exchanges is None:
        raise NotApplicable(t("no answer was seen"))
    if endpoint and kind(endpoint) == "login":
        yield _own(endpoint) if _is_own(endpoint) else _foreign(endpoint)
    refused = [one for one in exchanges.exchanges if _is_refused(one, exchanges)] if exchanges else []
    if refused:
        yield _pasted(refused, launch)


def _is_own(endpoint: Endpoint) -> bool:
    probe = endpoint.probe("progress")
    return probe is not None and is_own_login(probe)


def _own(endpoint: Endpoint) -> Finding:
    wrong = endpoint.credentials_sent
    call = f"curl -u {fixes.LOGIN} {endpoint.url}{_POLLED}"
    pair = t("Use the pair after --api-auth in the launch flags; the page's --gradio-auth pair is another one:")
    give = t("Give it to the doctor with --auth or in FORGEDOCTOR_AUTH; clients send it as HTTP Basic:")
    return Finding(
        t("The API refuses this user name and password.") if wrong else t("The API is on and asks for a login."),
        evidence=told(endpoint, "progress"),
        fixes=[fixes.paste(pair if wrong else give, call)],
        severity=ERROR if wrong else INFO,
        confidence=CERTAIN,
    )


def _foreign(endpoint: Endpoint) -> Finding:
    name = in_front(endpoint) or "?"
    summary = t(
        "{server} in front asks for a login of its own; whether the API behind it is on cannot be seen.", server=name
    )
    if endpoint.credentials_sent:
        summary = t("{server} in front refuses this user name and password.", server=name)
    return Finding(
        summary,
        evidence=told(endpoint, "progress", "page"),
        fixes=[
            fixes.advise(t("Give that login with --auth USER:PASSWORD; it is the proxy's, not --api-auth")),
            fixes.advise(t("Or ask Forge directly, on its own port")),
        ],
        severity=ERROR if endpoint.credentials_sent else WARNING,
        confidence=LIKELY,
    )


def _is_refused(one: Exchange, exchanges: Exchanges) -> bool:
    """Whether this was turned away for want of a login, and no later request to that address was let in."""
    if one.status != 401 or not one.path.startswith("/sdapi/"):
        return False
    later = exchanges.exchanges[exchanges.exchanges.index(one) + 1 :]
    return not any(other.path == one.path and other.status is not None and other.status < 400 for other in later)


def _pasted(refused: list[Exchange], launch: Launch | None) -> Finding:
    known = bool(launch and launch.given("api_auth"))
    # A bare look at the progress in the log of a server that has a login is what health checks do.
    polled = known and all(one.method == "GET" and one.path == _POLLED and not one.detail for one in refused)
    first = refused[0]
    call = f"curl -u {fixes.LOGIN} {first.url or 'http://127.0.0.1:7860' + first.path}"
    return Finding(
        t("The API wants a login, and the client sent none or a wrong one."),
        evidence=[
            Evidence(plain(f"{one.method} {one.path} -> 401 {one.detail}".strip()), one.where) for one in refused[:3]
        ],
        fixes=[fixes.paste(t("Send the --api-auth pair as HTTP Basic, for instance:"), call)],
        severity=WARNING if polled else ERROR,
        confidence=CERTAIN if known or first.detail else LIKELY,
    )
