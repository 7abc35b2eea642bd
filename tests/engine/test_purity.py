"""A check never touches the system, the network or the clock: all cases hold with these taken away."""

from __future__ import annotations

import builtins
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from forgedoctor import engine, testing
from tests.test_cases import CHECKS, FILES


class Touched(AssertionError):
    """A check used something that it must not."""


def _forbidden(*args: Any, **kwargs: Any) -> Any:
    raise Touched(f"a check touched the system: {args[:1]}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_checks_are_pure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = CHECKS[path.parent.name]
    case = testing.case_of(testing.read(path), check)
    engine.judge(check, case)  # once, so that data files of the package are read and cached
    for owner, name in (
        (builtins, "open"), (socket, "socket"), (socket, "getaddrinfo"), (subprocess, "Popen"), (time, "time"), (time, "monotonic"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, _forbidden)
    outcome = engine.judge(check, case)
    monkeypatch.undo()
    assert outcome.status.value != "crashed", str(outcome.reason)
