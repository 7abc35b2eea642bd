"""How long forgedoctor takes, as ratios against peers measured in the same run.

    python benchmarks/startup.py [--runs N] [--check]

Every row is run N times, the rows taking turns, so that a busy machine is unfair to all of them alike; shown are
medians of the wall-clock time and of the processor time (user and system, children included). ``--check`` exits with 1
where a row is over its budget. Needs the ``test`` extra: the healthy server is ``tests/standin``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.forge_like import folder, free_port  # noqa: E402
from tests.standin.launcher import standin  # noqa: E402


class Row(NamedTuple):
    """One command. ``peer``: the row it is compared with; ``ratio``, ``seconds``: its budgets, 0 for none."""

    name: str
    command: list[str]
    peer: str = ""
    ratio: float = 0.0
    seconds: float = 0.0


class Sample(NamedTuple):
    """Seconds on the wall and of the processor."""

    wall: float
    cpu: float


def rows(forge: Path, healthy: str, silent: str) -> list[Row]:
    """What is measured. The budgets are those that the project set itself before there was code to fit."""
    python, doctor = sys.executable, _doctor()
    local = ["--dir", str(forge)]
    triage = [*doctor, "triage", *local, "--url"]
    return [
        Row("python -c pass", [python, "-c", "pass"]),
        Row("import click", [python, "-c", "import click"]),
        Row("forgedoctor --version", [*doctor, "--version"], "import click", 1.5),
        Row("forgedoctor --help", [*doctor, "--help"], "import click", 1.5),
        Row("forgedoctor checks", [*doctor, "checks"], "import click", 1.5),
        Row("forgedoctor explain port-in-use", [*doctor, "explain", "port-in-use"], "import click", 1.5),
        Row("import psutil, click", [python, "-c", "import psutil, click"]),
        Row("forgedoctor preflight", [*doctor, "preflight", *local], "import psutil, click", 3.0),
        Row("import httpx, rich.console", [python, "-c", "import httpx, rich.console"]),
        Row("triage, healthy server", [*triage, healthy], "import httpx, rich.console", 3.0, 0.9),
        Row("triage, server that never answers", [*triage, silent], seconds=3.5),
    ]


def _doctor() -> list[str]:
    script = Path(sys.executable).with_name("forgedoctor.exe" if os.name == "nt" else "forgedoctor")
    return [str(script)] if script.exists() else [sys.executable, "-m", "forgedoctor"]


@contextlib.contextmanager
def surroundings(work: Path) -> Iterator[list[Row]]:
    """A Forge-like folder, a healthy stand-in, and a socket whose connections are taken and never answered."""
    forge = folder(work / "stable-diffusion-webui-forge", user_sh='export COMMANDLINE_ARGS="--api --port 7860"\n')
    with standin("ui-api", port=free_port()) as healthy, socket.create_server(("127.0.0.1", 0)) as quiet:
        quiet.listen(128)
        yield rows(forge, healthy, f"http://127.0.0.1:{quiet.getsockname()[1]}")


def environment(work: Path) -> dict[str, str]:
    """As on a user's machine: bytecode is written (here beside nothing of theirs), no proxy, no Forge variables."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "COMMANDLINE_ARGS", "FORGEDOCTOR_NO_CACHE"):
        kept.pop(name, None)
    cache = str(work / "cache")
    return {**kept, "PYTHONPYCACHEPREFIX": str(work / "bytecode"), "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}


def measure(command: list[str], env: dict[str, str], where: Path) -> Sample:
    """Run it once. Raises RuntimeError where it does not do its work at all."""
    used, began = processor_time(), time.perf_counter()
    done = subprocess.run(command, env=env, cwd=where, capture_output=True, text=True, check=False)
    sample = Sample(time.perf_counter() - began, processor_time() - used)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return sample


def processor_time() -> float:
    """Seconds that all children so far have used; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(every: list[Row], env: dict[str, str], where: Path, runs: int) -> dict[str, list[Sample]]:
    """Samples by row, after one round that is thrown away (it compiles the modules and warms the page cache)."""
    for row in every:
        measure(row.command, env, where)
    samples: dict[str, list[Sample]] = {row.name: [] for row in every}
    for _ in range(runs):
        for row in every:
            samples[row.name].append(measure(row.command, env, where))
    return samples


def middle(samples: list[Sample]) -> Sample:
    """The median of each column."""
    return Sample(statistics.median(one.wall for one in samples), statistics.median(one.cpu for one in samples))


def report(every: list[Row], samples: dict[str, list[Sample]]) -> list[str]:
    """Print the table; returns the rows that are over budget."""
    over = []
    print(f"{'':34} {'wall ms':>8} {'cpu ms':>8}   ratio wall / cpu   budget")
    for row in every:
        mid = middle(samples[row.name])
        line = f"{row.name:34} {mid.wall * 1000:8.0f} {mid.cpu * 1000:8.0f}"
        budget = [f"{row.ratio} x {row.peer}"] if row.ratio else []
        budget += [f"{row.seconds} s"] if row.seconds else []
        if row.peer:
            peer = middle(samples[row.peer])
            line += f"   {mid.wall / peer.wall:8.2f} / {mid.cpu / (peer.cpu or 1):4.2f}"
            bad = mid.wall > row.ratio * peer.wall
        else:
            line += " " * 18
            bad = False
        bad = bad or bool(row.seconds and mid.wall > row.seconds)
        over += [row.name] if bad else []
        print(f"{line}   {', '.join(budget)}{'   OVER' if bad else ''}".rstrip())
    return over


def main() -> int:
    """Measure and print; 1 with ``--check`` where a row is over its budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=11, help="rounds (default 11)")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a row is over its budget")
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="forgedoctor-benchmark-"))
    try:
        with surroundings(work) as every:
            over = report(every, run(every, environment(work), work, max(1, given.runs)))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if given.check and over else 0


if __name__ == "__main__":
    raise SystemExit(main())
