"""Starts a stand-in (or a hostile peer) as a process of its own for the length of a `with` block."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LONGEST_START = 30.0  # seconds; it takes about one
_PACKAGE = Path(__file__).resolve().parent


@contextmanager
def standin(mode: str, **options: str | float | bool | None) -> Iterator[str]:
    """Run the stand-in of that mode and yield its base URL, e.g. "http://127.0.0.1:40123".

    `options` are the long options of `python -m tests.standin` with `_` for `-`: `fork="neo"`, `seconds=1.5`
    (seconds), `tls=True`; False and None leave one out. The process is killed at the end of the block.
    Raises RuntimeError with what the process printed if it ends before it listens.
    """
    command = [
        sys.executable,
        "-m",
        "tests.standin",
        "--mode",
        mode,
        "--until-stdin-closes",
        *_words(options),
    ]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command, cwd=_PACKAGE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        )
        try:
            yield _base_url(process, complaints)
        finally:
            process.kill()
            process.communicate()


def _words(options: dict[str, str | float | bool | None]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            words.append(f"{flag}={value}")
    return words


def _base_url(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(_LONGEST_START, process.kill)
    watchdog.start()
    try:
        for raw in process.stdout:
            word, _, url = raw.decode().strip().partition(" ")
            if word == "READY":
                return url
        process.wait()
    finally:
        watchdog.cancel()
    complaints.seek(0)
    text = complaints.read().decode(errors="replace").strip()
    raise RuntimeError(f"the stand-in ended with exit code {process.returncode} before it listened: {text}")
