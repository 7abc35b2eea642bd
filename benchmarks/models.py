"""How long forgedoctor takes to look into thousands of model files, against opening each with the safetensors library.

    python benchmarks/models.py [--files N] [--runs N] [--check]

The files are made here: names, shapes and headers as real ones have them, bodies sparse; mostly LoRAs, as in folders
of people who have thousands of files. Both sides read the same files in turns, with the page cache as it is after
writing. Shown are medians, their ratio, and the growth of the
largest process over what it needs for one file. ``--check``
exits with 1 where it takes more than three seconds, or longer than the library. Needs ``safetensors`` and ``numpy``.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.models import make  # noqa: E402

SECONDS, FILES = 3.0, 5000
# Shares of a collection, in per cent.
MIX = {
    "lora_sd15": 35, "lora_sdxl": 35, "lora_flux_dev": 15, "embedding": 5, "full_sd15": 3, "full_sdxl": 4,
    "flux_dev": 1, "vae_4ch": 1, "controlnet_sd15": 1,
}  # fmt: skip

OURS = """
import gc, resource, sys, time
gc.disable()
began = time.perf_counter()
from forgedoctor.models import scan
entries = scan.listed(scan.Folder(place="lora", path=sys.argv[1]))
first = scan.examined(entries[:1])
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = scan.examined_together(entries)
assert all(one.kind and one.whole for one in found), [one.path for one in found if not one.kind][:3]
grown = max(resource.getrusage(one).ru_maxrss for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) - base
print(len(found), time.perf_counter() - began, grown / 1024)
"""
THEIRS = """
import sys, time
from pathlib import Path
began = time.perf_counter()
from safetensors import safe_open
count = 0
for path in sorted(Path(sys.argv[1]).rglob("*.safetensors")):
    with safe_open(str(path), "np") as opened:
        count += bool(opened.keys() is not None)
print(count, time.perf_counter() - began, 0)
"""


def generate(folder: Path, files: int) -> int:
    """Write the files; returns the bytes of all headers."""
    made = {**make.ADAPTERS, **make.PARTS, **make.DENOISERS, **{f"full_{name}": one for name, one in make.FULL.items()}}
    written = 0
    for name, share in MIX.items():
        tensors = make.typed(made[name]()) if name in made else {"emb_params": ("F32", (4, 768))}
        text, size = make.header(
            tensors, {"ss_network_dim": "32", "ss_tag_frequency": "x" * 4000} if "lora" in name else None
        )
        for number in range(files * share // 100):
            path = folder / f"{number % 40:02}" / f"{name}-{number:05}.safetensors"
            path.parent.mkdir(exist_ok=True)
            with open(path, "wb") as file:
                file.write(len(text).to_bytes(8, "little") + text)
                file.truncate(8 + len(text) + size)
            written += len(text)
    return written


def run(code: str, folder: Path) -> tuple[int, float, float]:
    """(files, seconds, MiB that memory grew by) of one side, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:])
    count, seconds, grown = done.stdout.split()
    return int(count), float(seconds), float(grown)


def main() -> int:
    """Measure and print; 1 with ``--check`` where it is too slow."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="exit with 1 when it is over its budget")
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="forgedoctor-benchmark-"))
    try:
        size = generate(work, given.files)
        samples: dict[str, list[tuple[int, float, float]]] = {OURS: [], THEIRS: []}
        for _ in range(max(1, given.runs)):
            for code, found in samples.items():
                found.append(run(code, work))
                time.sleep(0.1)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    ours, theirs = (statistics.median(one[1] for one in samples[code]) for code in (OURS, THEIRS))
    print(f"{samples[OURS][0][0]} files, {size / 2**20:.0f} MiB of headers")
    print(f"forgedoctor   {ours:6.2f} s   memory +{max(one[2] for one in samples[OURS]):.0f} MiB")
    print(f"safetensors   {theirs:6.2f} s   ratio {ours / theirs:.2f}")
    return 1 if given.check and (ours > SECONDS * given.files / FILES or ours > theirs) else 0


if __name__ == "__main__":
    raise SystemExit(main())
