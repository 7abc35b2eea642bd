from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor.forge.effective import Ignored
from forgedoctor_checks.launch._words import fork_name

_SAID_ELSEWHERE = ("--nowebui", "--api")  # arg-abbreviated and api-flag-missing name what is to be done instead


@check("arg-ignored-by-this-fork", severity=INFO, group="launch")
def arg_ignored_by_this_fork(launch: Launch) -> Iterator[Finding]:
    """A flag is accepted and does nothing.

    What happens: nothing, which is the trouble: --medvram and --lowvram do not lower the VRAM use of Forge, --api-log
    prints nothing, --cors-allow-origins has no effect beside the web UI, --gradio-auth none with --nowebui.
    Why: Forge took over the command line of AUTOMATIC1111 and manages memory by itself.
    Fix: drop it; where something in this fork does the same, the finding names it.
    Source: read in the code of each fork: flags that are defined and used nowhere.
    """
    if launch.effective.exit is not None:
        return
    found = [one for one in launch.effective.ignored if one.instead not in _SAID_ELSEWHERE]
    if not found:
        return
    names = list(dict.fromkeys(one.flag for one in found))
    what = t("{flags} does nothing in {fork} here; it can go.", flags=names[0], fork=fork_name(launch))
    if len(names) > 1:
        what = t("{flags} do nothing in {fork} here; they can go.", flags=", ".join(names), fork=fork_name(launch))
    fix = fixes.change_flags(launch, drop=names, safety="safe")
    yield Finding(what, evidence=_why(found), fixes=[fix], confidence=CERTAIN)


def _why(found: Sequence[Ignored]) -> list[Evidence]:
    return [
        Evidence(t("{flag}: {why}; instead: {instead}", flag=one.flag, why=one.why, instead=one.instead))
        if one.instead
        else Evidence(t("{flag}: {why}", flag=one.flag, why=one.why))
        for one in found
    ]
