from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown
from forgedoctor_checks.security._open import starts, tunnelled


@check("share-exposes", severity=WARNING, group="security", explains=["insecure-exposure"])
def share_exposes(launch: Launch) -> Iterator[Finding]:
    """--share or --ngrok puts this Forge on the internet.

    What happens: anyone with the link can use the page, and the API when it is on and has no login of its own.
    Why: the tunnel carries every path, /sdapi too. --share is often advised as a cure for a proxy problem: it hides it.
    Fix: drop it, or give --gradio-auth and --api-auth.
    Source: gradio share links; modules/ngrok.py.
    """
    if not starts(launch) or not tunnelled(launch):
        return
    webui, api = launch.effective.mode == "webui", launch.effective.api
    if launch.given("gradio_auth", "gradio_auth_path") if webui else launch.given("api_auth"):
        return
    names = [name for name in ("--share", "--ngrok") if launch.given(name[2:])]
    login = [f"--gradio-auth {fixes.LOGIN}"] if webui else []
    if api and not launch.given("api_auth"):
        login.append(f"--api-auth {fixes.LOGIN}")
    keep = fixes.change_flags(launch, add=login, title=t("Or ask for a login:"))
    yield Finding(
        t("{flag} puts this Forge on the internet without a login.", flag=names[0]),
        evidence=[shown(launch)],
        fixes=[fixes.change_flags(launch, drop=names), keep],
        confidence=CERTAIN,
    )
