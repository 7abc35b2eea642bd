from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Launch


@check("api-flag-missing", severity=ERROR, group="launch")
def api_flag_missing(launch: Launch | None, endpoint: Endpoint | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """Forge runs without its API: --api is not among the flags.

    What happens: the page opens, but every /sdapi/v1 address answers 404 {"detail":"Not Found"}, exactly like a
    mistyped address. /sdapi/v1/loras answers all the same: it belongs to an extension and proves nothing.
    Why: the routes are only made when --api (or --nowebui) is given. --nowe, an abbreviation, does not do.
    Fix: add --api to COMMANDLINE_ARGS of the file that is really started, restart, look at /docs.
    Source: webui.py webui_worker, modules/launch_utils.py start; recorded answers of a Forge without --api.
    """
    evidence = []
    seen = False
    known = bool(launch and launch.seen and launch.effective.exit is None)
    if known and launch and launch.effective.api:
        return
    if endpoint:
        page, api = endpoint.probe("page"), endpoint.probe("progress")
        if not (page and api and page.status == 200 and api.status == 404 and _not_found(api.body)):
            return
        if endpoint.routes is None or any(path.startswith("/sdapi/v1/txt2img") for path in endpoint.routes):
            return
        evidence.append(Evidence(t("the page answers, {path} answers 404", path=api.path.split("?")[0]), endpoint.url))
        seen = True
    for one in exchanges.exchanges if exchanges else ():
        if one.path.startswith("/sdapi/v1/") and _route_missing(one.method, one.status, one.body, one.path):
            text = f"{one.method} {one.path} -> {one.status}"
            evidence.append(Evidence(plain(text), one.where))
            seen = True
    if not seen and not known:
        raise NotApplicable(t("no command line and no answer was seen"))
    if launch and known:
        where = t("the flags hold no --api ({count} flags seen)", count=len(launch.effective.argv))
        evidence.append(Evidence(where, launch.origin))
    if not seen and launch and launch.source.startswith("pasted"):
        return  # somebody may well use the page alone: without an answer from the API this is no fault
    add = [fixes.change_flags(launch, add=["--api"])] if launch else [fixes.advise(t("Add --api to the launch flags and restart Forge"))]
    yield Finding(
        t("The API is off: Forge was started without --api.") if seen else t("The API will be off: --api is not among the flags."),
        evidence=evidence,
        fixes=add,
        severity=ERROR if seen else WARNING,
        confidence=CERTAIN if seen and known else LIKELY,
    )


def _not_found(body: str) -> bool:
    return '"Not Found"' in body


def _route_missing(method: str, status: int | None, body: str, path: str) -> bool:
    if path.startswith("/sdapi/v1/loras"):
        return False
    if status == 405:  # without the routes, the web UI's catch-all page takes GET and refuses POST
        return method == "POST"
    return status == 404 and (not body.strip() or _not_found(body))
