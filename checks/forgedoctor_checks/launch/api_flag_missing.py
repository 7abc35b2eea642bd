from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchange, Exchanges, Launch, LaunchFiles, Transcript
from forgedoctor_checks.launch._words import shown

# The routes that every fork of the family makes with --api; one that only some have proves nothing when it is missing.
_POST = frozenset({
    "txt2img", "img2img", "extra-single-image", "extra-batch-images", "png-info", "interrupt", "skip", "options",
    "refresh-checkpoints", "refresh-embeddings", "refresh-vae", "unload-checkpoint",
})  # fmt: skip
_GET = frozenset({
    "progress", "options", "cmd-flags", "samplers", "upscalers", "latent-upscale-modes", "sd-models", "face-restorers",
    "prompt-styles", "embeddings", "scripts", "script-info", "memory", "extensions",
})  # fmt: skip
_TOLD = re.compile(
    r"(?i)\bAPI (?:seems to be|is) (?:disabled|not enabled|off)\b|COMMANDLINE_ARGS does not contain --api\b"
)


@check("api-flag-missing", severity=ERROR, group="launch")
def api_flag_missing(
    launch: Launch | None,
    endpoint: Endpoint | None,
    exchanges: Exchanges | None,
    transcript: Transcript | None,
    files: LaunchFiles | None,
) -> Iterator[Finding]:
    """Forge runs without its API: --api is not among the flags.

    What happens: the page opens, but every /sdapi/v1 address answers 404 {"detail":"Not Found"}, exactly like a
    mistyped address. /sdapi/v1/loras answers all the same: it belongs to an extension and proves nothing.
    Why: the routes are only made when --api (or --nowebui) is given. --nowe, an abbreviation, does not do.
    Fix: add --api to COMMANDLINE_ARGS of the file that is really started, restart, look at /docs.
    Source: webui.py webui_worker, modules/launch_utils.py start; recorded answers of a Forge without --api.
    """
    known = _known(launch, files)
    if (known and launch and launch.effective.api) or _answers(endpoint, exchanges):
        return
    seen = [*_missing(endpoint), *_refused(exchanges), *_told(transcript)]
    if not seen and not known:
        raise NotApplicable(t("no command line and no answer was seen"))
    if not seen and transcript:
        return  # somebody may well use the page alone: without an answer from the API this is no fault
    flags = [shown(launch)] if launch and known else []
    fix = fixes.advise(t("Add --api to the launch flags and restart Forge"))
    if launch and known:
        fix = fixes.change_flags(launch, add=["--api"], files=files)
    off = t("The API is off: Forge was started without --api.")
    if endpoint and not known:
        off = t("The API is not there: most likely Forge was started without --api.")
    yield Finding(
        off if seen or (launch and launch.running) else t("The API will be off: --api is not among the flags."),
        evidence=[*seen[:4], *flags],
        fixes=[fix],
        severity=ERROR if seen else WARNING,
        confidence=CERTAIN if seen and known else LIKELY,
    )


def _known(launch: Launch | None, files: LaunchFiles | None) -> bool:
    """Whether the flags are known; also where the launcher files were read and set none."""
    if launch is None or launch.effective.exit is not None:
        return False
    return launch.seen or (files is not None and launch.origin == "defaults")


def _answers(endpoint: Endpoint | None, exchanges: Exchanges | None) -> bool:
    """Whether the API was seen to answer."""
    probe = endpoint.probe("progress") if endpoint else None
    if probe and probe.status in (200, 401):
        return True
    return any(_route(one) and one.status in (200, 422) for one in (exchanges.exchanges if exchanges else ()))


def _missing(endpoint: Endpoint | None) -> Iterator[Evidence]:
    """The page and its own routes answer, the API does not. Without the page's own /internal/ping it is another
    program, or a start that broke off half-way."""
    page, api = (endpoint.probe("page"), endpoint.probe("progress")) if endpoint else (None, None)
    ping = endpoint.probe("ping") if endpoint else None
    if not (endpoint and page and api and page.status == 200 and api.status == 404 and '"Not Found"' in api.body):
        return
    listed = any(path.startswith("/sdapi/v1/txt2img") for path in endpoint.routes or ())
    if listed or ping is None or ping.status != 200:
        return
    yield Evidence(t("the page answers, {path} answers 404", path=api.path.split("?")[0]), endpoint.url)


def _refused(exchanges: Exchanges | None) -> Iterator[Evidence]:
    for one in exchanges.exchanges if exchanges else ():
        if _route(one) and _no_route(one):
            yield Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)


def _told(transcript: Transcript | None) -> Iterator[Evidence]:
    for line in transcript.lines if transcript else ():
        if _TOLD.search(line.text):
            yield Evidence(plain(line.text.strip()[:200]), line.where)


def _route(one: Exchange) -> bool:
    """Whether this asks for a route that every fork has, in the way it wants to be asked."""
    name = one.path.split("?")[0].rstrip("/").rpartition("/sdapi/v1/")[2] if one.path.startswith("/sdapi/v1/") else ""
    return name in _POST | _GET


def _no_route(one: Exchange) -> bool:
    if one.status == 405:  # AUTOMATIC1111's page takes every unknown GET and refuses the POST
        return one.method == "POST" and one.path.rstrip("/").rpartition("/")[2] in _POST
    return one.status == 404 and (not one.body.strip() or '"Not Found"' in one.body)
