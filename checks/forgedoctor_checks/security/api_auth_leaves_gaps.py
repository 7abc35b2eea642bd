from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.security._open import exposed, why


@check("api-auth-leaves-gaps", severity=INFO, group="security")
def api_auth_leaves_gaps(launch: Launch) -> Iterator[Finding]:
    """--api-auth guards the core API only; much else stays open.

    What happens: without a login one still gets /docs, /openapi.json, /sdapi/v1/loras, in the Forge family
    /controlnet/*, and beside the web UI also /internal/sysinfo, /file= and the page itself.
    Why: the login is a part of the routes that the Api class makes, and of no others.
    Fix: with the web UI add --gradio-auth too; for all of it, a reverse proxy with a login in front.
    Source: recorded answers without a login; modules/api/api.py.
    """
    if not exposed(launch) or not launch.effective.api or not launch.given("api_auth"):
        return
    webui = launch.effective.mode == "webui"
    locked = launch.given("gradio_auth", "gradio_auth_path")
    paths = ["/docs", "/sdapi/v1/loras"]
    paths += ["/controlnet/*"] if launch.effective.fork != "a1111" else []  # there it is an extension's
    paths += ["/internal/sysinfo"] if webui else []
    paths += ["/file=…", "/"] if webui and not locked else []
    made = [fixes.advise(t("Put a reverse proxy with a login in front, which guards every path"))]
    if webui and not locked:
        made.insert(0, fixes.change_flags(launch, add=[f"--gradio-auth {fixes.LOGIN}"]))
    yield Finding(
        t("--api-auth does not guard everything: {paths} stay open.", paths=", ".join(paths)),
        evidence=[why(launch), Evidence(t("the login belongs to the core API's routes only"))],
        fixes=made,
        confidence=CERTAIN,
    )
