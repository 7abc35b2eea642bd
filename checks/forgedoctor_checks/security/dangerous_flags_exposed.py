from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.security._open import exposed, why

_FLAGS = {
    "allow_code": t("--allow-code lets a request run Python code on this machine."),
    "disable_safe_unpickle": t("--disable-safe-unpickle lets a model file run code when it is loaded."),
    "api_server_stop": t("--api-server-stop lets a request end or restart the program."),
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
        if not launch.given(dest) or (dest == "api_server_stop" and not _anyone_may_stop(launch)):
            continue
        fix = fixes.change_flags(launch, drop=["--" + dest.replace("_", "-")])
        yield Finding(text, evidence=[why(launch)], fixes=[fix], confidence=CERTAIN)


def _anyone_may_stop(launch: Launch) -> bool:
    """These routes belong to the core API, which --api-auth guards."""
    return launch.effective.api and not launch.given("api_auth")
