from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor.forge.effective import Unknown
from forgedoctor.forge.flags import display_name, find
from forgedoctor_checks.launch._words import confirmed, fork_name, shown, slip, stop_note


@check("arg-not-in-this-build", severity=ERROR, group="launch", explains=["endpoint-unreachable", "server-thread-dead"])
def arg_not_in_this_build(launch: Launch, transcript: Transcript | None) -> Iterator[Finding]:
    """A flag is spelt right but belongs to another fork, another version or a missing extension.

    What happens: "error: unrecognized arguments", status 2, after a long start.
    Why: the forks share many flags and not all: --medvram is taken (and does nothing) in Forge and reForge, stops
    Classic and Neo; --lowvram works in Neo; --cuda-malloc stops AUTOMATIC1111. Extensions bring flags of their own,
    which vanish with them.
    Fix: drop it, or write what this fork has in its place.
    Source: modules/cmd_args.py and backend/args.py of each fork.
    """
    sure = confirmed(launch, transcript)
    for one in {one.token: one for one in launch.effective.unknown}.values():
        token = one.token.strip()
        if token[:1] != "-" or " " in token or slip(token, one.nearest, one.elsewhere):
            continue
        name = token.partition("=")[0]
        yield Finding(
            t("{fork} has no flag {flag}.", fork=fork_name(launch), flag=name),
            evidence=_evidence(launch, name, one),
            fixes=[_fix(launch, name, one)],
            severity=ERROR if launch.effective.exit is not None and sure else WARNING,
            confidence=CERTAIN if launch.fork_known and one.elsewhere else LIKELY,
        )


def _evidence(launch: Launch, name: str, one: Unknown) -> list[Evidence]:
    found = [item for item in (stop_note(launch), shown(launch)) if item]
    if one.elsewhere:
        forks = ", ".join(display_name(fork) for fork in one.elsewhere)
        found.insert(0, Evidence(t("{flag} exists in {forks}", flag=name, forks=forks)))
    else:
        found.append(Evidence(t("an extension that is not there may have brought it")))
    if not launch.fork_known:
        found.append(Evidence(t("which fork this is was not seen; {fork} is assumed", fork=fork_name(launch))))
    return found


def _fix(launch: Launch, name: str, one: Unknown) -> Fix:
    """Its counterpart in its place, with the value where both take one; else drop it."""
    if not one.instead:
        return fixes.change_flags(launch, drop=[name])
    ours = find(launch.effective.fork, one.instead)
    theirs = next((flag for fork in one.elsewhere if (flag := find(fork, name))), None)
    if ours and theirs and not ours.switch and not theirs.switch:
        return fixes.change_flags(launch, rename={name: one.instead})
    return fixes.change_flags(launch, drop=[name], add=[one.instead])
