"""Where models are looked for, which files count, what a checkpoint lacks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from forgedoctor.facts import models as facts
from forgedoctor.models import lacks, scan
from forgedoctor.models.scan import Entry, Folder, ModelFile
from tests.models import make


def names(path: Path, place: str = "checkpoint") -> list[str]:
    return [one.name for one in scan.listed(Folder(place=place, path=str(path)))]


def examined(path: Path, place: str = "checkpoint") -> ModelFile:
    return scan.examine(Entry(str(path), path.name, place))


def test_a_list_holds_what_forge_lists(tmp_path: Path) -> None:
    for name in (
        "b.safetensors",
        "A.CKPT",
        "sub/c.gguf",
        "x.vae.safetensors",
        "note.txt",
        "d.pt",
        ".git/e.ckpt",
        "old.safetensors.corrupted",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == ["A.CKPT", "b.safetensors", "old.safetensors.corrupted", "sub/c.gguf"]
    assert "d.pt" in names(tmp_path, "lora") and "sub/c.gguf" not in names(tmp_path, "lora")


def test_a_folder_that_holds_itself_and_a_pipe_do_not_hold_it_up(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"x")
    try:
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
        os.mkfifo(tmp_path / "pipe.safetensors")
    except (OSError, AttributeError):
        pytest.skip("no links or pipes here")
    assert names(tmp_path) == ["a.safetensors"]


def test_a_download_of_aria2_is_unfinished_though_it_has_its_size(tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.safetensors", make.typed(make.PARTS["vae_4ch"]()))
    (tmp_path / "a.safetensors.aria2").write_bytes(b"x")
    entry = scan.listed(Folder(place="vae", path=str(tmp_path)))
    assert [one.path for one in entry] == [str(path)] and not scan.examine(entry[0]).whole


def test_the_folders_are_those_of_the_flags(tmp_path: Path) -> None:
    root = str(tmp_path)
    plain = {
        (one.place, os.path.relpath(one.path, root).replace("\\", "/")) for one in scan.folders_of(root, "forge", {})
    }
    assert plain == {
        ("checkpoint", "models/Stable-diffusion"), ("vae", "models/VAE"), ("text-encoder", "models/text_encoder"),
        ("lora", "models/Lora"), ("controlnet", "models/ControlNet"), ("embedding", "embeddings"), ("upscaler", "models/ESRGAN"),
    }  # fmt: skip
    flags = {"models_dir": str(tmp_path / "m"), "ckpt_dir": "more", "lora_dir": "l"}
    found = {one.place: one.path for one in scan.folders_of(root, "forge", flags)}
    assert found["vae"] == str(tmp_path / "m" / "VAE") and found["lora"] == str(tmp_path / "l")
    assert [one.path for one in scan.folders_of(root, "forge", flags) if one.flag == "--ckpt-dir"] == [
        str(tmp_path / "more")
    ]
    several = scan.folders_of(root, "neo", {"ckpt_dirs": ["one", "two"], "model_ref": str(tmp_path / "n")})
    assert len([one for one in several if one.place == "checkpoint"]) == 3
    assert next(one.path for one in several if one.place == "embedding") == str(tmp_path / "n" / "embeddings")
    assert "text-encoder" not in {one.place for one in scan.folders_of(root, "a1111", {})}


def test_the_folders_of_another_installation_count_where_they_exist(tmp_path: Path) -> None:
    (tmp_path / "a1111" / "models" / "VAE").mkdir(parents=True)
    flags = {"forge_ref_a1111_home": str(tmp_path / "a1111")}
    added = [one for one in scan.folders_of(str(tmp_path), "forge", flags) if one.flag == "--forge-ref-a1111-home"]
    assert [one.place for one in added] == ["vae"]


def test_what_flux_lacks_and_which_files_would_do(tmp_path: Path) -> None:
    flux = examined(make.write(tmp_path / "flux.safetensors", make.typed(make.DENOISERS["flux_dev"]())))
    ae = examined(make.write(tmp_path / "ae.safetensors", make.typed(make.PARTS["vae_16ch"]())), "vae")
    sd_vae = examined(make.write(tmp_path / "sd.safetensors", make.typed(make.PARTS["vae_4ch"]())), "vae")
    clip = examined(make.write(tmp_path / "clip_l.safetensors", make.typed(make.PARTS["clip_l"]())), "text-encoder")
    assert lacks.lacking(flux) == ("clip_l", "t5xxl", "vae_16ch")
    assert lacks.lacking(flux, [ae, clip]) == ("t5xxl",)
    assert lacks.fitting("vae_16ch", [sd_vae, clip, ae]) == [ae]
    assert lacks.clashing(flux, [ae, sd_vae, clip]) == [sd_vae]
    full = examined(make.write(tmp_path / "full.safetensors", make.typed(make.FULL["flux_dev"]())))
    assert lacks.lacking(full) == ()


def test_a_part_of_sixteen_tensors_does_not_count(tmp_path: Path) -> None:
    shapes = make.DENOISERS["sd15"]()
    few = dict(list(make.PARTS["clip_l"]().items())[:16])
    file = examined(make.write(tmp_path / "a.safetensors", make.typed(make.checkpoint(shapes, cond_l=few))))
    assert "clip_l" in lacks.lacking(file) and "clip_l" not in file.bundled


def test_gguf_types_without_decoder_are_named(tmp_path: Path) -> None:
    shapes = make.DENOISERS["flux_schnell"]()
    good = examined(make.write_gguf(tmp_path / "a.gguf", make.quantised(shapes, "Q5_K")))
    bad = examined(make.write_gguf(tmp_path / "b.gguf", make.quantised(shapes, "IQ4_NL")))
    assert lacks.undecodable(good) == () and lacks.undecodable(bad) == ("IQ4_NL",)


@pytest.mark.parametrize(
    "setting", ["sub/model.safetensors [0123456789]", "model.safetensors", "sub\\model.safetensors", "model"]
)
def test_the_chosen_checkpoint_is_found_as_forge_writes_it(tmp_path: Path, setting: str) -> None:
    folder = tmp_path / "models" / "Stable-diffusion"
    path = make.write(folder / "sub" / "model.safetensors", {"emb_params": ("F32", (1, 768))})
    make.write(folder / "another-model.safetensors", {"emb_params": ("F32", (1, 768))})
    (tmp_path / "config.json").write_text(
        json.dumps({"sd_model_checkpoint": setting, "forge_additional_modules": [1, "/x/ae"]})
    )
    found = facts.gathered(str(tmp_path), "forge", {})
    assert found.selected == str(path) and found.modules == (os.path.normpath("/x/ae"),)
    assert found.files[0].path == str(path), "what is chosen is looked into first"


def test_a_bounded_look_says_what_it_left_out(tmp_path: Path) -> None:
    for number in range(5):
        make.write(tmp_path / "models" / "Lora" / f"{number}.safetensors", {"emb_params": ("F32", (1, 768))})
    make.write(tmp_path / "models" / "Stable-diffusion" / "a.safetensors", make.typed(make.PARTS["vae_4ch"]()))
    found = facts.gathered(str(tmp_path), "forge", {}, most=3)
    assert len(found.files) == 3 and found.unseen == ("lora",)


@pytest.mark.parametrize("config", [b"[1]", b"{", b"\xff\xfe", b'{"sd_model_checkpoint": 3}', b"[" * 100_000])
def test_settings_that_are_none_choose_nothing(tmp_path: Path, config: bytes) -> None:
    (tmp_path / "config.json").write_bytes(config)
    assert facts.gathered(str(tmp_path), "forge", {}).selected == ""


def test_several_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        make.write(tmp_path / f"{number}.safetensors", {"emb_params": ("F32", (number + 1, 768))}, cut=number % 2)
    entries = scan.listed(Folder(place="embedding", path=str(tmp_path)))
    monkeypatch.setattr(scan, "_MANY", 2)
    monkeypatch.setattr(scan, "_SHARE", 2)
    assert scan.examined_together(entries) == scan.examined(entries)
