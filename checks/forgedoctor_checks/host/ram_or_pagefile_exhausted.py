from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import LIKELY, POSSIBLE, WARNING, Evidence, Finding, Message, NotApplicable, Undecided, check, t
from forgedoctor.facts import Gpus, Host, Launch, Memory, Models
from forgedoctor_checks.host import _memory

_NEARLY = 0.95  # of all that Windows can promise
_LITTLE = 0.03  # of the RAM
_PLENTY = 32 * _memory.GIB  # with so much RAM a missing page file is rarely felt


@check("ram-or-pagefile-exhausted", severity=WARNING, group="host")
def ram_or_pagefile_exhausted(
    memory: Memory, host: Host, launch: Launch | None, models: Models | None, gpus: Gpus | None
) -> Iterator[Finding]:
    """RAM and swap (Windows: the page file) are too small for the model.

    What happens: Forge ends while it loads a model: "os error 1455", "DefaultCPUAllocator: not enough memory", or no
    word at all: the last line is "Loading Model", and the window says "Press any key".
    Why: a file is read whole into RAM before it goes to the card; FLUX with its text encoders takes 33 GB. Windows
    counts what was promised to programs, not what they use: with a small page file it refuses while RAM is free.
    Fix: a page file that Windows manages, on a drive with room; swap on Linux; a smaller file; more RAM.
    Source: labelled reports; backend/utils.py load_torch_file; learn.microsoft.com, Introduction to page files.
    """
    wanted = _memory.need(models)
    running = bool(launch and launch.running)
    if host.system == "windows":
        yield from _windows(memory, wanted, running)
    elif host.system == "linux":
        yield from _now(memory, host) if running else _linux(memory, host, wanted, gpus)
    else:
        raise NotApplicable(t("macOS makes swap as it needs it"))


def _windows(memory: Memory, wanted: _memory.Need, running: bool) -> Iterator[Finding]:
    commit = memory.commit
    if commit is None:
        raise Undecided(t("Windows did not tell how much memory it may promise"), _look_at())
    most = commit.limit if memory.ceiling is None else max(memory.ceiling, commit.limit)
    room = most - commit.used
    promised = Evidence(
        t("promised to programs: {used} of {limit}", used=_memory.gib(commit.used), limit=_memory.gib(commit.limit)),
        "GetPerformanceInfo",
    )
    files = memory.page_files
    short = commit.used > _NEARLY * most if running else room < wanted.whole
    if short and memory.ceiling is None and files != ():
        raise Undecided(t("how far the page file may grow is not known"), _look_at())
    evidence = [promised, *([] if running else [Evidence(wanted.text)]), _memory.ram(memory)]
    if memory.ceiling is not None and memory.ceiling > commit.limit:
        evidence.insert(1, Evidence(t("the page file can grow until {size} are promised", size=_memory.gib(most))))
    if short and running:
        summary = t("Windows has nearly nothing left to promise: the next model may end Forge without a word.")
    elif short:
        summary = t(
            "The page file is too small: Windows can promise {room} more, and Forge will ask for about {need}.",
            room=_memory.gib(max(0, room)),
            need=_memory.gib(wanted.whole),
        )
    elif files == () and memory.total < _PLENTY:
        summary = t(
            "Windows has no page file: with {total} of RAM a larger model ends Forge without a word.",
            total=_memory.gib(memory.total),
        )
    else:
        return
    confidence = LIKELY if short and (running or room < wanted.files) else POSSIBLE
    yield Finding(
        summary, evidence=evidence, fixes=[_memory.page_file(), _memory.smaller_model()], confidence=confidence
    )


def _linux(memory: Memory, host: Host, wanted: _memory.Need, gpus: Gpus | None) -> Iterator[Finding]:
    room = memory.available + memory.swap_free
    if room >= wanted.whole or _memory.goes_to_the_card(wanted, memory, gpus):
        return
    limited = memory.limited
    if limited and limited.left is not None and limited.left < memory.available:
        raise NotApplicable(t("a limit of this container or service is tighter than the machine"))
    yield Finding(
        t(
            "RAM and swap are too small: {room} are free, and Forge will take about {need}; the kernel would end it.",
            room=_memory.gib(room),
            need=_memory.gib(wanted.whole),
        ),
        evidence=[_memory.ram(memory), Evidence(wanted.text)],
        fixes=[_memory.more_swap(wanted.whole - room, host), _memory.smaller_model()],
        confidence=LIKELY if room < wanted.files else POSSIBLE,
    )


def _now(memory: Memory, host: Host) -> Iterator[Finding]:
    """Forge runs: its model is among what is used already."""
    if memory.available >= _LITTLE * memory.total or memory.swap_free >= _memory.GIB:
        return
    yield Finding(
        t("RAM and swap are nearly used up: the next model may get Forge ended by the kernel."),
        evidence=[_memory.ram(memory)],
        fixes=[_memory.more_swap(8 * _memory.GIB, host), _memory.smaller_model()],
    )


def _look_at() -> Message:
    return t("look at Task Manager, Performance, Memory: Committed")
