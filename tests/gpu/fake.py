"""The stand-in for NVML: built by gcc, loaded by the real nvidia-ml-py in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from forgedoctor.facts._gpu_types import Card
from forgedoctor.facts._nvml import Told

SOURCE = Path(__file__).with_name("fake_nvml.c")
needs_gcc = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("gcc"), reason="builds a library with gcc on Linux"
)
GIB_24, GIB_8 = 24564, 8188

RTX_4090 = {
    "name": "NVIDIA GeForce RTX 4090",
    "uuid": "GPU-1a2b3c4d-0000-1111-2222-333344445555",
    "bus": "00000000:01:00.0",
    "capability": "8.9",
    "memory": f"{GIB_24} 23000",
    "utilisation": "12",
    "temperature": "61",
    "power": "84250",
    "limit": "450000",
    "reasons": "0x1",
    "display": "1",
    "width": "16",
    "max-width": "16",
    "generation": "1",
    "max-generation": "4",
    "mig": "!3",
    "ecc": "!3",
    "compute": "",
    "graphics": "",
}
RTX_3070 = RTX_4090 | {
    "name": "NVIDIA GeForce RTX 3070",
    "uuid": "GPU-99887766-5544-3322-1100-aabbccddeeff",
    "bus": "00000000:05:00.0",
    "capability": "8.6",
    "memory": f"{GIB_8} 7000",
    "display": "0",
}


def script(*cards: Mapping[str, str], **more: str) -> str:
    """What the library shall answer: cards as key and value, and lines such as ``init="18"``."""
    lines = {"driver": "551.61", "cuda": "12040", "count": str(len(cards)), **more}
    told = [f"{key} {value}" for key, value in lines.items()]
    return (
        "\n".join(told + [f"{n}.{key} {value}" for n, card in enumerate(cards) for key, value in card.items()]) + "\n"
    )


def build(folder: Path, *defines: str) -> Path:
    """Compile it; the folder is what LD_LIBRARY_PATH must name."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "libnvidia-ml.so.1"
    words = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-Wl,-soname,libnvidia-ml.so.1", *defines]
    subprocess.run([*words, "-o", str(out), str(SOURCE)], check=True, capture_output=True, text=True, timeout=60)
    return folder


def environment(library: Path, says: Path) -> dict[str, str]:
    """The variables that make a new process load the stand-in."""
    return {**os.environ, "LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(says)}


def run(library: Path, tmp_path: Path, says: str, code: str) -> str:
    """Run Python code in a process that loads the stand-in; what it prints."""
    file = tmp_path / "says.txt"
    file.write_text(says, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(library, file),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(library: Path, tmp_path: Path, says: str, patience: float = 20.0) -> Told:
    """What forgedoctor learns from a library that answers so."""
    code = (
        "import msgspec; from forgedoctor.facts import _nvml\n"
        f"print(msgspec.json.encode(_nvml.ask({patience})).decode(), flush=True)"
    )
    return msgspec.json.decode(run(library, tmp_path, says, code), type=Told)


def only(told: Told) -> Card:
    """The one card."""
    assert len(told.cards) == 1
    return told.cards[0]
