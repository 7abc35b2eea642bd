from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor.forge.flags import flags
from forgedoctor.forge.predict import predict


@check("env-overrides-command-line", severity=WARNING, group="launch")
def env_overrides_command_line(launch: Launch) -> Iterator[Finding]:
    """The variable COMMANDLINE_ARGS overrides a flag that was typed.

    What happens: python launch.py --port 9999 with COMMANDLINE_ARGS="--port 7777" listens on 7777.
    Why: Forge appends the variable after the typed arguments, and the last value wins.
    Fix: give each flag in one place only.
    Source: modules/paths_internal.py (sys.argv += shlex.split(COMMANDLINE_ARGS)).
    """
    if not launch.argv or not launch.env.get("COMMANDLINE_ARGS") or launch.effective.exit is not None:
        return
    typed = predict(launch.effective.fork, launch.argv, {})
    for dest, value in typed.options.items():
        final = launch.effective.options.get(dest)
        if final == value or final is None or isinstance(value, list):
            continue  # a flag that may be repeated adds up
        name = next((one.flag for one in flags(launch.effective.fork) if one.dest == dest and one.known), dest)
        yield Finding(
            t("COMMANDLINE_ARGS overrides {flag} {typed}: {final} is used.", flag=name, final=final, typed=value),
            evidence=[Evidence(t("the variable is appended after what was typed, and the last value wins"))],
            fixes=[fixes.advise(t("Give {flag} once: take it out of COMMANDLINE_ARGS, or do not type it.", flag=name))],
            confidence=CERTAIN,
        )
