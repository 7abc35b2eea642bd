"""Runs the real ``forgedoctor reach`` and hears what it says while it waits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.forge_like import ROOT


class Reach:
    """A ``reach`` that waits, as a process; its JSON comes with :meth:`report`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        if not self._ready.wait(30):
            raise AssertionError(f"it never waited: {self.said}")

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line)
            if "Ctrl-C" in line:
                self._ready.set()
        self._ready.set()

    def report(self, *, interrupt: bool = False) -> dict[str, Any]:
        """Its report, once it has ended; ``interrupt`` presses Ctrl-C first."""
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        assert self.process.stdout
        out = self.process.stdout.read()
        self._reader.join(20)
        made: dict[str, Any] = json.loads(out)
        assert made["exit_code"] == self.process.wait(20)
        assert "Traceback" not in self.text
        return made

    @property
    def text(self) -> str:
        """What it said so far."""
        return "".join(self.said)


def clean(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without proxies and launch variables."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "COMMANDLINE_ARGS"}
    return {**kept, "PYTHONPATH": str(ROOT), "FORGEDOCTOR_LANG": "en", "COLUMNS": "100", **(env or {})}


@contextmanager
def waiting(
    *words: str, cwd: Any = None, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[Reach]:
    """``forgedoctor reach WORDS --format json`` that waits already; ended with the block. ``before``: what runs it."""
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "forgedoctor", "reach", "--format", "json", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=clean(env),
    )  # fmt: skip
    try:
        yield Reach(process)
    finally:
        process.kill()
        process.wait()
