"""What a launch's flags name is looked for where Forge would look; the settings file is read as Forge reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgedoctor.facts.install import describe
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.named_files import collect, settings_state
from forgedoctor.forge.predict import predict
from forgedoctor.target import Target
from tests.forge_like import causes, folder, report


def look(forge: Path, *argv: str) -> dict[str, str]:
    launch = Launch(effective=predict("forge", argv), argv=argv)
    found = collect(Target(scope="preflight"), launch, describe(forge))
    return {one.option: one.state for one in found.named}


def test_a_relative_path_counts_from_the_forge_folder(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    (forge / "key.pem").write_text("x")
    states = look(
        forge, "--tls-keyfile", "key.pem", "--tls-certfile", "no.pem", "--ckpt-dir", "models", "--lora-dir", "key.pem"
    )
    assert states == {"tls_keyfile": "there", "tls_certfile": "missing", "ckpt_dir": "there", "lora_dir": "other"}


@pytest.mark.parametrize(
    ("content", "state"),
    [(b"{}", "ok"), (b"", "empty"), (b" \n", "empty"), (b'{"a": ', "broken"), (b"[1]", "no-object"), (b"\xff\xfe{", "broken"), (b"[" * 99999, "broken")],
)  # fmt: skip
def test_the_settings_file(tmp_path: Path, content: bytes, state: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    assert settings_state(tmp_path / "config.json")[0] == state
    assert settings_state(tmp_path / "other.json")[0] == "absent"


def test_preflight_says_so(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    (forge / "config.json").write_text("{")
    made = report("preflight", "--dir", str(forge), "--", "--api", "--gradio-auth-path", "nobody.txt")
    assert {"named-file-missing", "config-corrupt"} <= set(causes(made, "error"))
