from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.security._open import exposed


@check("password-in-sysinfo", severity=WARNING, group="security")
def password_in_sysinfo(launch: Launch) -> Iterator[Finding]:
    """The password stands in COMMANDLINE_ARGS, which /internal/sysinfo shows without a login.

    What happens: GET /internal/sysinfo (web UI) lists the environment, COMMANDLINE_ARGS with --api-auth in clear; no
    login guards it. The launch log prints it as well.
    Why: sysinfo hides a password only where it is a word of its own on the command line.
    Fix: --gradio-auth-path with a file; --api-auth typed on the command line as two words; /internal/ blocked by a
    proxy.
    Source: modules/sysinfo.py get_argv, get_environment.
    """
    args = launch.env.get("COMMANDLINE_ARGS", "")
    if not exposed(launch) or launch.effective.mode != "webui":
        return
    names = [name for name in ("--api-auth", "--gradio-auth") if f"{name} " in args + " " or f"{name}=" in args]
    if not names:
        return
    yield Finding(
        t("/internal/sysinfo shows the password of {flags} to anyone who reaches the page.", flags=" and ".join(names)),
        evidence=[Evidence(t("it stands in COMMANDLINE_ARGS, and the page lists the environment without a login"), launch.origin)],
        fixes=[fixes.advise(t("Block /internal/ in a reverse proxy; keep page logins in a file with --gradio-auth-path"))],
        confidence=CERTAIN,
    )
