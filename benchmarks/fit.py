"""How long ``forgedoctor fit`` takes beyond the start of the program, measured in the same run.

    python benchmarks/fit.py [--runs N] [--check]

Rows take turns; shown are medians. ``--check`` exits with 1 where a row takes more than its budget beyond
``forgedoctor --version``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

BUDGET = 0.3  # seconds beyond start-up
START = ["--version"]
ROWS = {
    "the fit test alone": ["fit", "--model-mib", "11350.07", "--free-mib", "9000"],
    "a family on a named card": ["fit", "--family", "flux-dev", "--precision", "fp8", "--gpu", "RTX 3060 12GB"],
    "the same as JSON": ["fit", "--family", "sdxl", "--gpu", "RTX 2060 6GB", "--format", "json"],
}


def seconds(words: list[str]) -> float:
    """Wall-clock time of one run."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "forgedoctor", *words], capture_output=True, env=dict(os.environ), check=False
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    every = {"start-up": START, **ROWS}
    samples: dict[str, list[float]] = {name: [] for name in every}
    for number in range(given.runs + 1):
        for name, words in every.items():
            took = seconds(words)
            if number:  # the first round warms the caches
                samples[name].append(took)
    start = statistics.median(samples["start-up"])
    over = False
    for name, taken in samples.items():
        middle = statistics.median(taken)
        over |= name in ROWS and middle - start > BUDGET
        print(f"{name:28} {middle * 1000:7.0f} ms   {(middle - start) * 1000:+7.0f} ms beyond start-up")
    return 1 if given.check and over else 0


if __name__ == "__main__":
    sys.exit(main())
