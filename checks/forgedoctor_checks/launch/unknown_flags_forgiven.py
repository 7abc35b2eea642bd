from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch


@check("unknown-flags-forgiven", severity=INFO, group="launch")
def unknown_flags_forgiven(launch: Launch) -> Iterator[Finding]:
    """IGNORE_CMD_ARGS_ERRORS is set: misspelt flags vanish without a sign.

    What happens: --lsten is dropped and Forge listens on 127.0.0.1 only, as if nothing had been asked.
    Why: when the variable exists, even empty, the last parser forgives unknown words (never bad values).
    Fix: unset the variable.
    Source: modules/shared_cmd_options.py.
    """
    if "IGNORE_CMD_ARGS_ERRORS" not in launch.env:
        return
    dropped = [one.token for one in launch.effective.unknown]
    evidence = [Evidence(plain(" ".join(dropped)), launch.origin)] if dropped else []
    yield Finding(
        t("IGNORE_CMD_ARGS_ERRORS is set: unknown flags are dropped without a word."),
        evidence=evidence,
        fixes=[fixes.advise(t("Unset IGNORE_CMD_ARGS_ERRORS, so that a misspelt flag is told"))],
        confidence=CERTAIN,
    )
