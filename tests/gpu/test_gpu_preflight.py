"""The whole way: a driver that answers so, the real command, the finding that people read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.forge_like import folder
from tests.gpu.fake import RTX_3070, RTX_4090, build, environment, needs_gcc, script

pytestmark = [pytest.mark.real, needs_gcc]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


def found(
    library: Path, tmp_path: Path, says: str, user_sh: str, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The findings of the group gpu, by the check's id."""
    file = tmp_path / "says.txt"
    file.write_text(says, encoding="utf-8")
    forge = folder(tmp_path / "sd", user_sh=user_sh)
    words = [
        sys.executable,
        "-m",
        "forgedoctor",
        "preflight",
        "--dir",
        str(forge),
        "--select",
        "gpu",
        "--format",
        "json",
    ]
    surroundings = environment(library, file) | dict(env or {})
    done = subprocess.run(words, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    return {one["check"]: one for one in json.loads(done.stdout)["findings"]}


API = 'export COMMANDLINE_ARGS="--api"\n'


def test_a_sound_machine_has_nothing_to_report(library: Path, tmp_path: Path) -> None:
    assert found(library, tmp_path, script(RTX_4090), API) == {}


def test_a_card_that_is_not_there(library: Path, tmp_path: Path) -> None:
    one = found(library, tmp_path, script(RTX_4090, RTX_3070), API + "export CUDA_VISIBLE_DEVICES=2\n")
    assert list(one) == ["wrong-gpu-selected"]
    shown = json.dumps(one["wrong-gpu-selected"])
    assert "webui-user.sh line 2" in shown and f"export CUDA_VISIBLE_DEVICES={RTX_4090['uuid']}" in shown


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (script(init="!18"), "nvidia-library-mismatch"),
        (script(RTX_4090, RTX_3070 | {"memory": "!15"}), "gpu-lost"),
        (script(RTX_4090 | {"handle": "!16"}), "gpu-reset-required"),
        (script(RTX_4090 | {"reasons": "0x40", "temperature": "91"}), "gpu-throttled"),
        (script(RTX_4090 | {"width": "1"}), "pcie-width-reduced"),
        (script(RTX_4090 | {"mig": "1"}), "mig-slice"),
        (script(RTX_4090 | {"ecc": "1", "uncorrected": "2"}), "gpu-memory-errors"),
    ],
)
def test_what_the_driver_says_becomes_the_cause(library: Path, tmp_path: Path, says: str, expected: str) -> None:
    assert list(found(library, tmp_path, says, API)) == [expected]


def test_a_driver_that_hangs_does_not_hold_the_run(library: Path, tmp_path: Path) -> None:
    says = script(RTX_4090, RTX_3070 | {"name": "hang"})
    one = found(library, tmp_path, says, API)
    assert "1 of 2 cards answered before" in json.dumps(one["nvidia-driver-hangs"])
