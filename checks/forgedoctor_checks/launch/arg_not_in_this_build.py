from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor.forge.flags import display_name
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
    for one in launch.effective.unknown:
        token = one.token
        if not token.startswith("--") or " " in token.strip() or slip(token, one.nearest, one.elsewhere):
            continue
        name = token.split("=", 1)[0]
        instead = one.instead
        others = ", ".join(display_name(fork) for fork in one.elsewhere)
        stops = launch.effective.exit is not None
        evidence = [item for item in (stop_note(launch), shown(launch)) if item]
        if others:
            evidence.insert(0, Evidence(t("{flag} exists in {forks}", flag=name, forks=others)))
        if not launch.fork_known:
            evidence.append(Evidence(t("which fork this is was not seen; {fork} is assumed", fork=fork_name(launch))))
        yield Finding(
            t("{fork} has no flag {flag}.", fork=fork_name(launch), flag=name),
            evidence=evidence,
            fixes=[
                fixes.change_flags(launch, drop=[name], add=[instead] if instead.startswith("--") and " " not in instead else []),
                *([fixes.advise(t("In {fork} the same is had by: {instead}", fork=fork_name(launch), instead=instead))] if " " in instead else []),
            ],
            severity=ERROR if stops and confirmed(launch, transcript) else WARNING,
            confidence=CERTAIN if launch.fork_known and others else LIKELY,
        )
