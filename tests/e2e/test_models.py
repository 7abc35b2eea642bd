"""``forgedoctor models`` as it is run: a folder of real-shaped files, and what is said of them."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.forge_like import doctor, folder
from tests.models import make


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    root = folder(tmp_path / "forge")
    models = root / "models"
    make.write(models / "Stable-diffusion" / "sd.safetensors", make.typed(make.FULL["sd15"]()))
    make.write(models / "Stable-diffusion" / "flux.safetensors", make.typed(make.DENOISERS["flux_dev"](), "F8_E4M3"))
    make.write(models / "VAE" / "ae.safetensors", make.typed(make.PARTS["vae_16ch"]()))
    return root


def listed(*words: str) -> dict[str, Any]:
    done = doctor("models", "--format", "json", *words)
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["report"]["summary"]["exit_code"] == done.returncode and b"Traceback" not in done.stderr
    return loaded


def causes(made: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["severity"] for one in made["report"]["findings"]}


def test_the_list_tells_family_precision_parts_and_lacks(forge: Path) -> None:
    made = listed("--dir", str(forge))
    files = {one["name"]: one for one in made["files"]}
    assert files["sd.safetensors"]["family"] == "sd15" and files["sd.safetensors"]["lacks"] == []
    flux = files["flux.safetensors"]
    assert (flux["family"], flux["precision"], flux["lacks"]) == ("flux_dev", "fp8", ["clip_l", "t5xxl", "vae_16ch"])
    assert [Path(one).name for one in flux["completed_by"]["vae_16ch"]] == ["ae.safetensors"]
    assert flux["parts"][0]["params"] == 11_901_408_320
    assert causes(made) == {"missing-text-encoder-or-vae": "warning"}


def test_the_chosen_flux_without_encoders_is_an_error_and_with_them_is_none(forge: Path) -> None:
    encoders = forge / "models" / "text_encoder"
    settings = {
        "sd_model_checkpoint": "flux.safetensors",
        "forge_additional_modules": [str(forge / "models" / "VAE" / "ae.safetensors")],
    }
    (forge / "config.json").write_text(json.dumps(settings))
    assert causes(listed("--dir", str(forge)))["missing-text-encoder-or-vae"] == "error"
    for name in ("clip_l", "t5xxl"):
        path = make.write(encoders / f"{name}.safetensors", make.typed(make.PARTS[name]()))
        settings["forge_additional_modules"].append(str(path))  # type: ignore[attr-defined]
    (forge / "config.json").write_text(json.dumps(settings))
    assert causes(listed("--dir", str(forge))) == {}


def test_the_fix_of_a_renamed_file_brings_it_back(forge: Path) -> None:
    path = forge / "models" / "Stable-diffusion" / "sd.safetensors"
    path.rename(f"{path}.corrupted")
    made = listed("--dir", str(forge))
    finding = next(one for one in made["report"]["findings"] if one["check"] == "model-renamed-corrupted")
    command = finding["fixes"][0]["steps"][0]["command"]
    if finding["fixes"][0]["steps"][0]["interpreter"] == "sh":
        subprocess.run(shlex.split(command), check=True)
        assert path.exists()
        assert "model-renamed-corrupted" not in causes(listed("--dir", str(forge)))


def test_files_that_are_named_are_judged_without_a_forge(tmp_path: Path) -> None:
    page = tmp_path / "page.safetensors"
    page.write_text("<!DOCTYPE html><title>Log in</title>")
    made = listed(str(page))
    assert made["report"]["summary"]["exit_code"] == 1 and causes(made) == {"model-file-corrupt": "error"}
    whole = make.write(tmp_path / "vae.safetensors", make.typed(make.PARTS["vae_4ch"]()))
    assert listed(str(whole))["files"][0]["family"] == "vae_4ch"


def test_the_text_fits_a_terminal_and_speaks_chinese(forge: Path) -> None:
    done = doctor("models", "--dir", str(forge), "--ascii")
    text = done.stdout.decode("ascii")
    assert "flux.safetensors" in text and "FLUX.1 dev" in text and "holds CLIP-L, VAE" in text
    done = doctor("models", "--dir", str(forge), "--lang", "zh_CN")
    assert done.returncode == 0 and "flux.safetensors" in done.stdout.decode("utf-8")


def test_what_cannot_be_looked_at_is_one_sentence(tmp_path: Path) -> None:
    for words in (("--dir", str(tmp_path / "none")), (str(tmp_path / "none.safetensors"),)):
        done = doctor("models", *words)
        assert done.returncode == 2 and b"Traceback" not in done.stderr and done.stderr.strip()
