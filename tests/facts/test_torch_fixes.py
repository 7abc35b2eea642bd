"""The commands that the checks of torch give: for that venv, that system and that launcher file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forgedoctor import catalogue
from forgedoctor.check import Finding, Step
from forgedoctor.facts import Host, Install, LaunchFiles, Packages
from forgedoctor.facts.gpu import Card, Gpus
from forgedoctor.facts.torch import Torch, XformersBuild
from forgedoctor.forge.scripts import read_script

CHECKS = {one.id: one for one in catalogue.load().checks}
NEW = Gpus(driver="572.16", cuda=(12, 8), cards=(Card(index=0, name="NVIDIA GeForce RTX 5090", capability=(12, 0)),))
OLD = Gpus(driver="535.183.01", cuda=(12, 2), cards=(Card(index=0, name="Tesla P40", capability=(6, 1)),))
WINDOWS, LINUX = Host(system="windows"), Host(system="linux")


def judged(id: str, torch: Torch, gpus: Gpus | None = None, **facts: Any) -> list[Finding]:
    """What a check says of these facts; the others are not known."""
    check = CHECKS[id]
    given = {"torch": torch, "gpus": gpus, "install": Install(root="/srv/forge", fork="forge"), **facts}
    given.setdefault("packages", Packages(source="/srv/forge/venv", venv="/srv/forge/venv", python="3.10.11"))
    return [
        one for one in check(**{need.name: given.get(need.name) for need in check.needs}) if isinstance(one, Finding)
    ]


def steps(findings: Iterable[Finding]) -> list[Step]:
    return [step for one in findings for fix in one.fixes for step in fix.steps]


def commands(findings: Iterable[Finding]) -> list[str]:
    return [step.command for step in steps(findings) if step.kind == "shell"]


def cuda(full: str, system: str = "linux", **more: Any) -> Torch:
    version, _, tag = full.partition("+")
    return Torch(version=version, full=full, backend="cuda", cuda=f"{tag[2:4]}.{tag[4:]}", system=system, **more)


def test_the_one_click_package_has_its_python_in_system() -> None:
    packages = Packages(venv="D:\\webui_forge\\system\\python", python="3.10.6")
    found = judged("torch-too-old-for-gpu", cuda("2.3.1+cu121", "windows"), NEW, packages=packages, host=WINDOWS)
    assert commands(found) == [
        '"D:\\webui_forge\\system\\python\\python.exe" -m pip install torch==2.7.1+cu128 torchvision==0.22.1+cu128'
        " --index-url https://download.pytorch.org/whl/cu128"
    ]
    assert "webui-user.bat" in str(steps(found)[-1].text)
    assert "set TORCH_COMMAND=pip install torch==2.7.1+cu128" in str(steps(found)[-1].text)


def test_the_commented_line_of_a_shell_launcher_is_used() -> None:
    line = '#export TORCH_COMMAND="pip install torch==1.12.1+cu113 --extra-index-url https://example.org/cu113"'
    script = read_script("webui-user.sh", f"#!/bin/bash\n{line}\n".encode())
    files = LaunchFiles(scripts=(script,))
    found = judged("torch-too-old-for-gpu", cuda("2.3.1+cu121"), NEW, host=LINUX, files=files)
    step = steps(found)[-1]
    assert (step.kind, step.file, step.line, step.before) == ("edit", "webui-user.sh", 2, line)
    assert step.after.startswith('export TORCH_COMMAND="pip install torch==2.7.1+cu128 ')


def test_a_torch_command_that_is_set_is_rewritten() -> None:
    script = read_script(
        "webui-user.bat", b"@echo off\r\nset TORCH_COMMAND=pip install torch==2.5.1\r\ncall webui.bat\r\n"
    )
    files = LaunchFiles(scripts=(script,))
    found = judged("torch-too-old-for-gpu", cuda("2.5.1+cu121", "windows"), NEW, host=WINDOWS, files=files)
    step = steps(found)[-1]
    assert (step.kind, step.line) == ("edit", 2)
    assert step.after.startswith("set TORCH_COMMAND=pip install torch==2.7.1+cu128 ")


def test_back_to_the_forks_own_build_needs_no_torch_command() -> None:
    found = judged("gpu-too-old-for-torch", cuda("2.8.0+cu128"), OLD, host=LINUX)
    assert [one.kind for one in steps(found)] == ["shell"]
    assert "torch==2.3.1+cu121 torchvision==0.18.1+cu121" in commands(found)[0]


def test_companions_come_along() -> None:
    built = XformersBuild(torch="2.3.1+cu121", cuda="12.1", python="3.10.14", tag="cp310")
    torch = cuda("2.3.1+cu121", companions={"xformers": "0.0.27", "torchaudio": "2.3.1+cu121"}, xformers_built=built)
    first, second = commands(judged("torch-too-old-for-gpu", torch, NEW, host=LINUX))
    assert "torchaudio==2.7.1+cu128" in first
    assert second == "/srv/forge/venv/bin/python -m pip uninstall -y xformers"


def test_the_old_torch_can_be_put_back() -> None:
    undo = judged("torch-too-old-for-gpu", cuda("2.3.1+cu121"), NEW, host=LINUX)[0].fixes[0].undo
    assert "torch==2.3.1+cu121 torchvision==0.18.1+cu121 --index-url" in str(undo)


def test_a_driver_that_is_too_old_for_every_build_comes_first() -> None:
    gpus = Gpus(driver="512.95", cuda=(11, 6), cards=NEW.cards)
    first = steps(judged("torch-too-old-for-gpu", cuda("2.3.1+cu121", "windows"), gpus, host=WINDOWS))[0]
    assert first.kind == "manual" and "528.33" in str(first.text)


def test_the_limits_of_an_old_card_are_told_with_the_driver() -> None:
    gpus = Gpus(driver="450.80.02", cuda=(11, 0), cards=OLD.cards)
    found = judged("nvidia-driver-too-old", cuda("2.3.1+cu121"), gpus, host=LINUX)
    assert any("580" in str(step.text) for step in steps(found))
    assert "torch==2.3.1+cu118" in commands(found)[0]


def test_a_container_has_the_driver_of_its_host() -> None:
    gpus = Gpus(driver="450.80.02", cuda=(11, 0), cards=OLD.cards)
    found = judged("nvidia-driver-too-old", cuda("2.3.1+cu121"), gpus, host=Host(system="linux", container="docker"))
    assert "host" in str(steps(found)[0].text)


def test_without_any_build_the_python_is_named() -> None:
    packages = Packages(venv="/srv/forge/venv", python="3.7.9")
    found = judged("torch-too-old-for-gpu", cuda("2.3.1+cu121"), NEW, host=LINUX, packages=packages)
    assert not commands(found) and "3.7.9" in str(found[0].fixes[0].title)


def test_neo_calls_the_flag_for_the_processor_otherwise() -> None:
    kepler = Gpus(driver="470.256.02", cuda=(11, 4), cards=(Card(index=0, name="GTX 780", capability=(3, 5)),))
    for fork, flag in (("neo", "--cpu"), ("forge", "--always-cpu"), ("a1111", "--use-cpu all")):
        install = Install(root="/srv/forge", fork=fork)
        found = judged("gpu-too-old-for-torch", cuda("2.3.1+cu121"), kepler, host=LINUX, install=install)
        assert flag in str(found[0].fixes[0].title)
