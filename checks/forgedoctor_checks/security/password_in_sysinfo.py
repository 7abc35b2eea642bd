from __future__ import annotations

import shlex
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Host, Launch
from forgedoctor.forge.flag_edit import uses
from forgedoctor_checks.security._open import exposed

_SECRET = ("--api-auth", "--gradio-auth")


@check("password-in-sysinfo", severity=WARNING, group="security")
def password_in_sysinfo(launch: Launch, host: Host | None) -> Iterator[Finding]:
    """The password stands in COMMANDLINE_ARGS, which /internal/sysinfo shows without a login.

    What happens: GET /internal/sysinfo (web UI) lists the environment, COMMANDLINE_ARGS with --api-auth in clear; no
    login guards it. The launch log prints it as well.
    Why: sysinfo hides a password only where it is a word of its own on the command line: not in the variable, and not
    in --api-auth=USER:PASSWORD.
    Fix: --gradio-auth-path with a file; --api-auth typed on the command line as two words; /internal/ blocked by a
    proxy.
    Source: modules/sysinfo.py get_argv, get_environment.
    """
    if not exposed(launch) or launch.effective.mode != "webui":
        return
    stored, glued = _in_variable(launch), _glued(launch)
    names = " and ".join(name for name in _SECRET if name in stored or name in glued)
    if not names:
        return
    evidence = t("it stands in COMMANDLINE_ARGS, and the page lists the environment without a login")
    if not stored:
        evidence = t("it is joined to its flag with =, and only a word of its own is hidden")
    block = t("Or block /internal/ in a reverse proxy; keep page logins in a file with --gradio-auth-path")
    yield Finding(
        t("/internal/sysinfo shows the password of {flags} to anyone who reaches the page.", flags=names),
        evidence=[Evidence(evidence, launch.origin)],
        fixes=[_typed(names.split(" and "), host), fixes.advise(block)],
        confidence=CERTAIN,
    )


def _in_variable(launch: Launch) -> set[str]:
    try:
        words = shlex.split(launch.env.get("COMMANDLINE_ARGS", ""))
    except ValueError:
        return set()
    return {use.name for use in uses(words, launch.effective.fork)} & set(_SECRET)


def _glued(launch: Launch) -> set[str]:
    words = launch.effective.argv
    return {use.name for use in uses(words, launch.effective.fork) if "=" in words[use.start]} & set(_SECRET)


def _typed(names: list[str], host: Host | None) -> Fix:
    """webui.bat and webui.sh hand their own arguments on; webui-user.bat takes none itself."""
    words = " ".join(f"{name} {fixes.LOGIN}" for name in names)
    if host and host.system == "windows":
        return fixes.advise(
            t("Take it out of COMMANDLINE_ARGS, and write in webui-user.bat: call webui.bat {words}", words=words)
        )
    return fixes.paste(t("Take it out of COMMANDLINE_ARGS, and start Forge with it:"), f"./webui.sh {words}", host)
