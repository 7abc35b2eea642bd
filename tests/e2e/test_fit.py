"""``forgedoctor fit`` as it is typed."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forgedoctor.memory.layers import shapes


def fit(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forgedoctor", "fit", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def asked(*words: str) -> dict[str, Any]:
    done = fit("--format", "json", *words)
    assert done.returncode in (0, 1), done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_the_bare_arithmetic() -> None:
    made = asked("--model-mib", "6000", "--loaded-mib", "0", "--reserve-mib", "1024", "--free-mib", "5024")
    assert made["decision"] == "swap" and made["remaining_mib"] == -2000.0
    assert made["gpu_mib"] == pytest.approx(4000 / 1.3, abs=0.01) and made["swap_mib"] == pytest.approx(
        6000 - 4000 / 1.3, abs=0.01
    )
    assert made["phases"] == [] and made["uncertainty"]["text"]


def test_a_known_size_is_split_by_its_layers() -> None:
    made = asked("--model-mib", "11350.07", "--free-mib", "9000")
    assert made["model"] == "FLUX.1 dev (fp8)"
    assert 9000 - 1024 - 1280 - 64 < made["gpu_mib"] < 9000 - 1024 - 1280


def test_a_family_on_a_card_that_one_does_not_have() -> None:
    made = asked("--family", "FLUX.1-dev", "--precision", "fp8", "--gpu", "RTX 3060 12GB", "--os", "linux")
    assert made["decision"] == "swap" and made["model_mib"] == pytest.approx(11350.07, abs=0.2)
    assert made["swap_mib"] > 1000 and [one["name"] for one in made["phases"]] == ["text encoders", "denoiser", "vae"]
    assert made["advice"][0]["decision"] == "full"


def test_text_reads_well_at_80_columns_and_in_ascii() -> None:
    done = fit("--family", "sdxl", "--gpu", "GTX 1660 6GB", "--os", "windows", "--lang", "en", "--", "--medvram")
    assert done.returncode == 0
    assert done.stdout.isascii() and max(map(len, done.stdout.splitlines())) <= 80
    assert "#" in done.stdout and "How sure" in done.stdout
    assert "--medvram changes nothing" in " ".join(done.stdout.split())


def test_the_status_says_whether_it_runs() -> None:
    assert (
        fit("--family", "sdxl", "--free-mib", "3000", "--width", "4096", "--height", "4096", "--os", "linux").returncode
        == 1
    )
    assert fit("--family", "sd15", "--free-mib", "6000").returncode == 0


def test_directml_counts_as_a_card_of_1_gb() -> None:
    made = asked("--family", "sd15", "--free-mib", "16000", "--", "--directml", "0")
    assert made["free_mib"] == 1024.0 and made["decision"] == "swap"  # what really is there is not known


def test_without_a_card_nothing_is_decided() -> None:
    made = asked("--family", "sdxl", "--resident")
    assert made["decision"] == "unknown" and made["remaining_mib"] is None and made["peak_mib"] > 8000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--family", "nothing"], "No model family"),
        (["--family", "sdxl", "--precision", "gold"], "No precision"),
        (["--family", "sdxl", "--gpu", "RTX 3o60"], "Did you mean"),
        (["--model-mib", "100", "--os", "linux", "--resident"], "--free-mib"),
        (["not-there.safetensors"], "There is no file"),
        (["a", "b"], "Name one model"),
        (["--family", "sdxl", "--free-mib", "8000", "--", "--always-gpu", "--always-cpu"], "does not start"),
        (["--family", "sdxl", "--width", "0"], "--width"),
        (["--family", "sdxl", "--free-mib", "nan"], "--free-mib"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], said: str) -> None:
    done = fit(*words)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_no_model_at_all_is_status_3(tmp_path: Path) -> None:
    done = fit("--dir", str(tmp_path), "--free-mib", "8000")
    assert done.returncode == 3 and "no model to judge" in done.stderr


# -- files ---------------------------------------------------------------------------------------------------------


def flux_file(path: Path, dtype: str = "F8_E4M3") -> Path:
    """A file with the header of a FLUX.1 dev denoiser and no weights: a hole of their size."""
    each = {"F8_E4M3": 1, "BF16": 2}[dtype]
    names = {
        "double_blocks.0.img_attn.norm.key_norm.scale": 128, "guidance_in.in_layer.weight": (3072, 256),
        "img_in.weight": (3072, 64),
    }  # fmt: skip
    total = sum(one.times * (one.weight + one.bias) for one in shapes("flux_dev"))
    known = 128 + 3072 * 256 + 3072 * 64
    tensors: dict[str, Any] = {}
    at = 0
    parts = [(name, (one,) if isinstance(one, int) else one) for name, one in names.items()]
    parts += [(f"double_blocks.{number}.img_mlp.0.weight", ((total - known) // 20,)) for number in range(20)]
    for name, shape in parts:
        size = each
        for length in shape:
            size *= length
        tensors[f"model.diffusion_model.{name}"] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [at, at + size],
        }
        at += size
    head = json.dumps(tensors).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.truncate(8 + len(head) + at)
    return path


def test_a_file_is_known_by_its_header(tmp_path: Path) -> None:
    made = asked(str(flux_file(tmp_path / "some.safetensors")), "--gpu", "RTX 3060 12GB", "--os", "linux")
    assert (made["family"], made["precision"]) == ("flux_dev", "fp8")
    assert made["model_mib"] == pytest.approx(11350.07, abs=0.2)
    assert any("text encoders" in one for one in made["uncertainty"]["notes"])


def test_the_models_of_a_folder_are_answered_for(tmp_path: Path) -> None:
    from tests.forge_like import folder

    forge = folder(tmp_path / "stable-diffusion-webui-forge")
    place = forge / "models" / "Stable-diffusion"
    place.mkdir(parents=True, exist_ok=True)
    flux_file(place / "small.safetensors")
    flux_file(place / "large.safetensors", "BF16")
    made = asked("--dir", str(forge), "--free-mib", "13000", "--os", "linux")
    assert {Path(one["file"]).name: one["decision"] for one in made["models"]} == {
        "small.safetensors": "full",
        "large.safetensors": "swap",
        "v1-5.safetensors": "full",
    }
    text = fit("--dir", str(forge), "--free-mib", "13000", "--lang", "en")
    assert "3 models" in text.stdout and "partly from RAM" in text.stdout


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xff" * 64, b"<html>", struct.pack("<Q", 1 << 60) + b"{}"])
def test_what_is_no_model_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    done = fit(str(file), "--free-mib", "8000")
    assert done.returncode == 2 and "model.safetensors" in done.stderr and "Traceback" not in done.stderr
