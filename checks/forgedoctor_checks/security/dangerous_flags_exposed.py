from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.security._open import exposed, why

_FLAGS = {
    "allow_code": t("--allow-code lets a request run Python code on this machine"),
    "disable_safe_unpickle": t("--disable-safe-unpickle lets a model file run code when it is loaded"),
    "api_server_stop": t("--api-server-stop lets a request end or restart the program"),
}


@check("dangerous-flags-exposed", severity=WARNING, group="security")
def dangerous_flags_exposed(launch: Launch) -> Iterator[Finding]:
    """A flag that is meant for a private machine is set on a server that others reach.

    What happens: --allow-code runs code from a request, --disable-safe-unpickle code from a model file,
    --api-server-stop ends the program on request.
    Why: each removes a guard.
    Fix: drop it, or listen on 127.0.0.1 only.
    Source: modules/cmd_args.py; modules/api/api.py; modules/safe.py.
    """
    if not exposed(launch):
        return
    for dest, text in _FLAGS.items():
        if launch.given(dest) and not (dest == "api_server_stop" and not launch.effective.api):
            yield Finding(text, evidence=[why(launch)], fixes=[fixes.change_flags(launch, drop=["--" + dest.replace("_", "-")])], confidence=CERTAIN)
