"""What a launch says about the card it wants: variables and flags, and where a running Forge is seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from forgedoctor.facts import _psutil
from forgedoctor.facts._gpu_types import Card
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.launch_files import LaunchFiles

VISIBLE, ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"
# The flags that choose among NVIDIA cards, by fork. Source: the forks' flag tables (forge/data/flags-*.json). All but
# AUTOMATIC1111's set CUDA_VISIBLE_DEVICES themselves, over what it was.
FLAGS = {"reforge": ("--cuda-device", "cuda_device"), "a1111": ("--device-id", "device_id")}
_OTHERS = ("--gpu-device-id", "gpu_device_id")

# A line of a launcher file that sets a variable; comments begin otherwise.
_SETS = re.compile(r"""\s*@?(?:set|export)\s+"?(CUDA_\w+)=([^#\n]*)""", re.IGNORECASE)

Variables = dict[str, "tuple[str, str]"]


class Wanted(NamedTuple):
    """What CUDA will be told: the list of visible cards, and the number among them. ``wrong``: no number at all."""

    visible: str | None
    ordinal: int = 0
    wrong: bool = False


def variables(launch: Launch, files: LaunchFiles | None, env: Mapping[str, str]) -> Variables | None:
    """CUDA_* of the launch as (value, where): of the running process, else of the files over this environment."""
    if launch.running and launch.pid:
        told = _environment(launch.pid)
        return None if told is None else _of_cuda(told, f"process {launch.pid}")
    return _with_files(_of_cuda(env, "environment"), files)


def _with_files(found: Variables, files: LaunchFiles | None) -> Variables | None:
    """The variables as the launcher files leave them; None where it hangs on a condition that is not known.

    A file that empties a variable removes it on Windows; on Linux an empty list hides every card.
    """
    for name, one in _written(files).items():
        if one[1].endswith("(conditional)"):
            return None
        found[name] = one
    return {name: one for name, one in found.items() if not _removes(files, name)}


def _written(files: LaunchFiles | None) -> Variables:
    """CUDA_* in the launcher files: the followed ones, and what only the text shows (the order, slips of the pen)."""
    if files is None:
        return {}
    found: Variables = {}
    for script in files.scripts:
        for number, line in enumerate(script.text.splitlines(), 1):
            match = _SETS.match(line)
            if match and _is_cuda(match[1]):
                value = match[2].strip().strip("\"'")
                found[match[1]] = (value[:200], f"{script.name} line {number}")
    followed = {name: one for name, one in files.variables.items() if _is_cuda(name)}
    if VISIBLE not in followed:
        found.pop(VISIBLE, None)  # set after the start of Forge, or without export
    return found | followed


def _removes(files: LaunchFiles | None, name: str) -> bool:
    """Whether the last that a launcher file does with the variable is to take it away."""
    given = [one for script in (files.scripts if files else ()) for one in script.assignments if one.name == name]
    return bool(given) and given[-1].removed


def _environment(pid: int) -> dict[str, str] | None:
    ps: Any = _psutil.load()
    told: dict[str, str] | None = _psutil.attempt(lambda: ps.Process(pid).environ(), None)
    return told


def _of_cuda(env: Mapping[str, str], where: str) -> Variables:
    return {name: (value[:200], where) for name, value in env.items() if _is_cuda(name)}


def _is_cuda(name: str) -> bool:
    """CUDA_* and what may be a slip of the pen for it; CUDA_PATH and CUDA_HOME are the toolkit's."""
    upper = name.upper()
    return upper in (VISIBLE, ORDER) or _is_slip(upper)


def _is_slip(upper: str) -> bool:
    return upper != VISIBLE and "DEVICE" in upper and bool(difflib.get_close_matches(upper, [VISIBLE], 1, 0.88))


def slips(found: Mapping[str, tuple[str, str]]) -> tuple[tuple[str, str, str], ...]:
    """The variables that were probably meant as CUDA_VISIBLE_DEVICES."""
    return tuple((name, *one) for name, one in found.items() if _is_slip(name.upper()))


def flag_of(launch: Launch) -> tuple[str, str]:
    """(flag, value) that chooses a card in this fork; empty where none is given."""
    flag, dest = FLAGS.get(launch.effective.fork, _OTHERS)
    value = launch.effective.options.get(dest)
    return (flag, str(value)) if value is not None and value is not False else ("", "")


def asked(flag: str, value: str, visible: str | None) -> Wanted:
    """What the flag makes of the list: Forge's takes its place, AUTOMATIC1111's counts in it."""
    if not flag:
        return Wanted(visible)
    if flag != "--device-id":
        return Wanted(value)
    number = value.strip()
    return Wanted(visible, int(number)) if number.isdecimal() and len(number) < 5 else Wanted(visible, wrong=True)


def seen_on(cards: Iterable[Card], pid: int | None) -> tuple[int, ...]:
    """The cards that a process, or a child of it, is seen on."""
    if pid is None:
        return ()
    return tuple(one.index for one in cards if any(pid in (each.pid, each.parent) for each in one.processes or ()))
