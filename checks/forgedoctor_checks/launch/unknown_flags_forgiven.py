from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch, LaunchFiles

_NAME = "IGNORE_CMD_ARGS_ERRORS"


@check("unknown-flags-forgiven", severity=INFO, group="launch")
def unknown_flags_forgiven(launch: Launch, files: LaunchFiles | None, host: Host | None) -> Iterator[Finding]:
    """IGNORE_CMD_ARGS_ERRORS is set: misspelt flags vanish without a sign.

    What happens: --lsten is dropped and Forge listens on 127.0.0.1 only, as if nothing had been asked.
    Why: when the variable exists, even empty, the last parser forgives unknown words (never bad values).
    Fix: unset the variable.
    Source: modules/shared_cmd_options.py.
    """
    if _NAME not in launch.env:
        return
    dropped = " ".join(one.token for one in launch.effective.unknown)
    place = files.variables.get(_NAME, ("", ""))[1] if files else ""
    evidence = [Evidence(t("it is set, if only to nothing"), place or launch.origin)]
    if dropped:
        evidence.insert(0, Evidence(t("dropped from this launch: {flags}", flags=dropped), launch.origin))
    yield Finding(
        t("IGNORE_CMD_ARGS_ERRORS is set: unknown flags are dropped without a word."),
        evidence=evidence,
        fixes=[fixes.unset_variable(_NAME, host, files)],
        confidence=CERTAIN,
    )
