"""A folder and a process that look like a Forge, for tests with the real program."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.models import make

ROOT = Path(__file__).resolve().parents[1]

SERVE = """
import sys
sys.path.insert(0, {root!r})
port = sys.argv[sys.argv.index("--port") + 1]
sys.argv = ["standin", "--mode", {mode!r}, "--port", port]
import runpy
runpy.run_module("tests.standin", run_name="__main__")
"""
IDLE = "import time\nprint('up', flush=True)\ntime.sleep(60)\n"


def folder(path: Path, *, user_sh: str = "", launch: str = IDLE, version: str = "2.0.1v1.10.1") -> Path:
    """Make the files by which a Forge is recognised."""
    for name in ("modules", "modules_forge", "backend", "extensions"):
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "modules" / "launch_utils.py").write_text("")
    (path / "modules_forge" / "forge_version.py").write_text(f"version = '{version}'\n")
    (path / "backend" / "args.py").write_text("")
    (path / "launch.py").write_text(launch)
    make.write(path / "models" / "Stable-diffusion" / "v1-5.safetensors", make.typed(_sd15()))
    (path / "webui-user.sh").write_text(user_sh or '#!/bin/bash\n#export COMMANDLINE_ARGS=""\n')
    return path


@functools.cache
def _sd15() -> dict[str, tuple[int, ...]]:
    """A whole checkpoint; its file is sparse and takes no room."""
    return make.FULL["sd15"]()


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(path: Path, *argv: str, port: int | None = None, env: dict[str, str] | None = None) -> Iterator[int]:
    """Start ``python launch.py ARGV`` in a folder; waits until the port is open (or it prints a line)."""
    process = subprocess.Popen(
        [sys.executable, "launch.py", *argv], cwd=path, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}
    )
    try:
        if port is None:
            assert process.stdout
            process.stdout.readline()
        else:
            _until_open(port)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _until_open(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def doctor(
    *words: str, cwd: Path | None = None, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the real program."""
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "COMMANDLINE_ARGS"}
    return subprocess.run(
        [sys.executable, "-m", "forgedoctor", *words],
        cwd=cwd, input=stdin, capture_output=True, timeout=60, env={**clean, "PYTHONPATH": str(ROOT), **(env or {})}, check=False,
    )  # fmt: skip


def report(*words: str, **more: Any) -> dict[str, Any]:
    """Run the real program and read its JSON report; standard output must hold nothing else."""
    done = doctor(words[0], "--format", "json", *words[1:], **more)
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["summary"]["exit_code"] == done.returncode
    assert b"Traceback" not in done.stderr
    return loaded


def causes(made: dict[str, Any], severity: str = "") -> list[str]:
    """The checks of the findings that are causes, in order."""
    return [one["check"] for one in made["findings"] if not one["explained_by"] and severity in ("", one["severity"])]
