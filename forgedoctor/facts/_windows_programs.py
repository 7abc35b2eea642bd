"""Which python.exe Windows sees as the program that listens: that of the process, or the one that will be started."""

from __future__ import annotations

import os
from collections.abc import Iterator

from forgedoctor.facts.launch import Launch
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import Processes

_NAMES = ("Scripts\\python.exe", "python.exe")


def programs(launch: Launch | None, processes: Processes | None, packages: Packages | None) -> tuple[str, ...]:
    """The candidates, the likeliest first; one alone is certain where it listens already. Empty where none is known.

    A venv's python.exe only starts the interpreter under it, and that one listens; one made by copying listens itself.
    Source: PEP 405 and CPython's venv launcher.
    """
    forges = processes.forges if processes else ()
    running = next((one for one in forges if launch and launch.running and one.pid == launch.pid), None)
    if running and running.python:
        seen = [] if running.ports else list(_under(os.path.dirname(os.path.dirname(running.python))))
        return tuple(dict.fromkeys([*seen, running.python]))
    if packages is None:
        return ()
    own = [path for name in _NAMES if os.path.isfile(path := os.path.join(packages.venv, *name.split("\\")))]
    return tuple(dict.fromkeys([*_under(packages.venv), *own[:1]]))


def _under(venv: str) -> Iterator[str]:
    """The interpreter that a venv was made of, from its pyvenv.cfg."""
    try:
        with open(os.path.join(venv, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            lines = file.read(10_000).splitlines()
    except OSError:
        return
    held = {key.strip(): value.strip() for key, sign, value in (line.partition("=") for line in lines) if sign}
    for key in ("base-executable", "executable"):
        if held.get(key):
            yield held[key]
            return
    if held.get("home"):
        yield os.path.join(held["home"], "python.exe")
