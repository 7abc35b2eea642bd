"""How many command lines ``forgedoctor.predict`` judges in a second.

    python benchmarks/predict.py [--seconds S]

The command lines are drawn from the flags data of each fork with a fixed seed: valid ones, abbreviated ones, unknown
ones, with and without values.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from forgedoctor import predict
from forgedoctor.forge.flags import flags

FORKS = ("forge", "reforge", "classic", "neo", "a1111")
VALUES = ("7860", "0.0.0.0", "user:pass", "models", "-1", "auto", "")


def command_line(fork: str, draw: random.Random) -> list[str]:
    """Up to eight words of the kind that people type."""
    words: list[str] = []
    names = [one.flag for one in flags(fork)]
    for _ in range(draw.randint(0, 8)):
        name = draw.choice(names)
        words.append(draw.choice((name, name, name, name[:-1], name + "x", draw.choice(VALUES))))
        if draw.random() < 0.4:
            words.append(draw.choice(VALUES))
    return words


def main() -> int:
    """Print the rate of each fork and of all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each fork (default 1)")
    given = parser.parse_args()
    total = spent = 0.0
    for fork in FORKS:
        draw = random.Random(2024)
        lines = [command_line(fork, draw) for _ in range(500)]
        predict(fork, ["--api"])  # reads the flags data
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < given.seconds:
            predict(fork, lines[count % len(lines)])
            count += 1
        print(f"{fork:8} {count / took:8.0f} a second")
        total, spent = total + count, spent + took
    print(f"{'all':8} {total / spent:8.0f} a second")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
