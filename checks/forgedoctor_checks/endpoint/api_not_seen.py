from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, POSSIBLE, Finding, Fix, Message, check, t
from forgedoctor.facts import Endpoint, Launch
from forgedoctor_checks.endpoint._seen import (
    asks_for_page_login,
    code,
    in_front,
    is_family_page,
    is_own_404,
    kind,
    line,
    lists_api,
    prefix,
    root,
    said,
    told,
)


@check("api-not-seen", severity=ERROR, group="endpoint")
def api_not_seen(endpoint: Endpoint, launch: Launch | None) -> Iterator[Finding]:
    """Something answers at this address, and no usable API of Forge was seen.

    What happens: a server answers, but none of the signs that name one cause is there.
    Why: an API-only Forge that was given --subpath answers 404 to everything with recent uvicorn versions; so does any
    other FastAPI program; a proxy in front refuses or rewrites the API's addresses; the API itself fails.
    Fix: look at /docs of that address; ask Forge directly on its own port; drop --subpath with --nowebui.
    Source: recorded answers of --nowebui --subpath with uvicorn 0.54; RFC 9110.
    """
    if kind(endpoint) != "unclear":
        return
    if launch and launch.given("subpath") and launch.effective.mode == "api-only":
        return  # subpath-prefix knows it for certain
    if launch and launch.seen and not launch.effective.api and is_family_page(endpoint):
        return  # and here api-flag-missing does
    summary, fix = _reading(endpoint)
    yield Finding(
        summary,
        evidence=told(endpoint, "progress", "page", "ping", "openapi", "progress-root"),
        fixes=fix,
        confidence=LIKELY if lists_api(endpoint) or is_family_page(endpoint) else POSSIBLE,
    )


def _reading(endpoint: Endpoint) -> tuple[Message, list[Fix]]:
    progress, page = endpoint.probe("progress"), endpoint.probe("page")
    assert progress is not None  # kind() has looked at it
    status = progress.status
    docs = fixes.advise(t("Open {url}/docs: it lists the addresses that this server has", url=root(endpoint)))
    directly = fixes.advise(t("Ask Forge directly, on its own port; if that works, correct the proxy in front"))
    if status not in (404, 405):
        return _refused(endpoint, status, said(progress)), [directly, docs]
    if lists_api(endpoint) or (is_family_page(endpoint) and not is_own_404(progress)):
        return t("Something on the way changes or withholds the API's addresses: {answer}.", answer=line(progress)), [
            directly
        ]
    if page and asks_for_page_login(page):
        return t("A gradio page with a login answers here, and no API: Forge without --api, or another program."), [
            docs
        ]
    if is_family_page(endpoint):
        flag = fixes.advise(t('Add --api to the launch flags, restart, and wait for "Startup time" in the log'))
        return t("The page answers and the API does not: --api is missing, or the start is not over."), [flag, docs]
    if code(endpoint, "openapi") == 404 and page and page.status == 404:
        more = [docs] if prefix(endpoint) else []
        return t("Every address answers 404, with no sign of whose server this is."), [*_all_404(endpoint), *more]
    return t("A server answers here, and it has no API of Forge."), [*_all_404(endpoint), docs]


def _refused(endpoint: Endpoint, status: int | None, words: str) -> Message:
    name = in_front(endpoint)
    if status is not None and status >= 500:
        return t("The API fails with status {status} when asked how it is: {words}", status=status, words=words or "-")
    if name:
        return t("{name} in front refuses the API with status {status}.", name=name, status=status)
    return t("The API refuses the request with status {status}: {words}", status=status, words=words or "-")


def _all_404(endpoint: Endpoint) -> list[Fix]:
    found = []
    if prefix(endpoint):
        found.append(fixes.advise(t("Leave the path away: ask {url}", url=root(endpoint))))
    found.append(
        fixes.advise(t("If this is Forge with --nowebui: start it without --subpath, which makes every address 404"))
    )
    found.append(
        fixes.advise(t('Else use the port that Forge printed: "Running on local URL" or "Uvicorn running on"'))
    )
    return found
