"""What makes images slow without an error: models that take turns, weights that are copied at every step, spilling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from forgedoctor.check import ERROR, INFO, LIKELY, POSSIBLE, WARNING, Check, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Transcript
from forgedoctor.facts.memory_log import Load, MemoryLog
from forgedoctor_checks.memory_log._said import fit_of, lower_weights, mib, tests_of

SLOW_MOVE = 4.0  # seconds; a model that is in main memory and fits moves in one or two
WORTH_SAYING = 10.0  # seconds of moving in one log
_SMALLER = t(
    "Use a smaller variant of the model or of its text encoder (fp8, GGUF, NF4) so that they fit together, more main "
    "memory, a faster disk; on a small card some moving is normal"
)


def swapping(log: MemoryLog, transcript: Transcript) -> Iterator[Finding]:
    """Models take turns on the card, and each turn takes long; or a part of one is copied at every step."""
    slow = [one for one in log.loads if (one.seconds or 0.0) >= SLOW_MOVE]
    turns = Counter(one.target for one in log.loads if one.target)
    again = any(count > 1 for count in turns.values()) or not log.vram  # a whole log shows the first loads, too
    several = log.moves >= 2 and (slow or log.moved_seconds / max(log.moves, 1) >= SLOW_MOVE)
    if several and again and log.moved_seconds >= WORTH_SAYING:
        template = "Models are moved between main memory and the card again and again: {seconds} s in {moves} moves of this log."
        yield Finding(
            t(template, seconds=f"{log.moved_seconds:.0f}", moves=log.moves),
            evidence=[*_slowest(slow), *tests_of(log)][:3],
            fixes=[Fix(title=_SMALLER, safety="needs-person")],
            severity=ERROR,
            confidence=POSSIBLE,
        )
        return
    copied = max((one for one in log.loads if (one.swap or 0.0) > 0), key=lambda one: one.swap or 0.0, default=None)
    if copied is not None:
        yield _copied(copied)


def _copied(load: Load) -> Finding:
    swap, whole = load.swap or 0.0, (load.swap or 0.0) + (load.resident or 0.0)
    template = "{swap} of the {whole} MiB of {target} do not fit on the card and are copied at every step."
    return Finding(
        t(template, swap=mib(swap), whole=mib(whole), target=load.target or t("the model")),
        evidence=[Evidence(fit_of(load), load.where)],
        fixes=[Fix(title=_SMALLER, safety="needs-person")],
        severity=WARNING if swap > 0.5 * whole else INFO,
        confidence=LIKELY,
    )


def _slowest(slow: list[Load]) -> list[Evidence]:
    ordered = sorted(slow, key=lambda one: one.seconds or 0.0, reverse=True)[:2]
    return [
        Evidence(
            t("moving {target} took {seconds} s", target=one.target or t("the model"), seconds=f"{one.seconds:.1f}"),
            one.where,
        )
        for one in ordered
    ]


@check("sysmem-fallback-slow", severity=WARNING, group="memory")
def sysmem_fallback_slow(log: MemoryLog, transcript: Transcript) -> Iterator[Finding]:
    """The Windows driver moves graphics memory that does not fit into main memory.

    What happens: no error; an image suddenly takes five to twenty times as long, s/it in place of it/s, and the task
    manager shows shared GPU memory in use.
    Why: since driver 536.40 NVIDIA's driver for Windows spills over in place of refusing. Linux has nothing like it.
    Fix: NVIDIA control panel, Manage 3D settings, CUDA - Sysmem Fallback Policy: Prefer No Sysmem Fallback (driver
    546.01 or newer), for the python.exe of Forge; and keep more memory for computing, so that there is no error instead.
    Source: NVIDIA's article 5490; backend/sampling/sampling_function.py of Forge.
    """
    if transcript.system in ("linux", "macos") or transcript.wsl:
        return
    rates = [one for one in log.paces if one.steps >= 4]
    if len(rates) < 2:
        return
    best = min(rates, key=lambda one: one.seconds)
    same = [one for one in rates if one.steps == best.steps and one.number > best.number]
    worst = max(same, key=lambda one: one.seconds, default=best)
    tight = any((one.free or 0.0) < 512 for one in log.low) or any(
        one.remaining is not None and one.remaining < 512 for one in log.loads
    )
    if not tight or worst.seconds < 2.0 or worst.seconds < 5 * best.seconds:
        return
    template = "A step took {before} s and later {after} s while the card was nearly full: the driver moves graphics memory out."
    yield Finding(
        t(template, before=f"{best.seconds:.1f}", after=f"{worst.seconds:.1f}"),
        evidence=[
            *tests_of(log),
            Evidence(t("{seconds} s for each step", seconds=f"{worst.seconds:.1f}"), worst.where),
        ],
        fixes=[
            lower_weights(log, 3072.0),
            Fix(
                title=t(
                    "NVIDIA control panel, Manage 3D settings, Program Settings, the python.exe of Forge: CUDA - Sysmem "
                    "Fallback Policy = Prefer No Sysmem Fallback"
                ),
                safety="needs-person",
            ),
        ],
        severity=ERROR,
        confidence=POSSIBLE,
    )


def checks() -> list[Check]:
    """The judge of moves as a further way of knowing what the check of that id knows."""
    return [Check(swapping, id="model-swapping-slow", severity=WARNING, group="memory")]
