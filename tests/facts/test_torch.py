"""What the files of an installed torch say; made here, never imported."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from forgedoctor.facts import Install
from forgedoctor.facts import torch as fact
from forgedoctor.facts.packages import collect as collect_packages
from forgedoctor.facts.torch import Torch
from forgedoctor.target import Target

VERSION = """from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'xpu']
__version__ = '{full}'
debug = False
cuda: Optional[str] = {cuda}
git_version = '63d5e9221bedd1546b7d364b5ce4171547db12a9'
hip: Optional[str] = {hip}
xpu: Optional[str] = {xpu}
"""


def record(site: Path, name: str, version: str, *, tag: str = "cp310-cp310-linux_x86_64", needs: str = "") -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    requires = f"Requires-Dist: numpy\nRequires-Dist: {needs}\n" if needs else ""
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\ntext\n")
    (folder / "WHEEL").write_text(f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")


def torch(
    site: Path, full: str, *, cuda: str = "", hip: str = "", xpu: str = "", recorded: str = "", tag: str = ""
) -> None:
    record(site, "torch", recorded or full, tag=tag or "cp310-cp310-linux_x86_64")
    (site / "torch").mkdir()
    said = {name: repr(value or None) for name, value in (("cuda", cuda), ("hip", hip), ("xpu", xpu))}
    (site / "torch" / "version.py").write_text(VERSION.format(full=full, **said))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "venv" / "lib" / "python3.10" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def read(site: Path, root: Path | None = None) -> Torch:
    return fact.describe(site, root or site)


@pytest.mark.parametrize(
    ("full", "built", "backend", "tag"),
    [
        ("2.3.1+cu121", {"cuda": "12.1"}, "cuda", "cu121"),
        ("2.12.0+cu132", {"cuda": "13.2"}, "cuda", "cu132"),
        ("2.3.1+rocm5.7", {"hip": "5.7.31921"}, "rocm", "rocm5.7"),
        ("2.3.1+cpu", {}, "cpu", "cpu"),
        ("2.7.1+xpu", {"xpu": "20250101"}, "xpu", "xpu"),
        ("2.3.1", {"cuda": "12.1"}, "cuda", "cu121"),  # a build of a distribution
        ("2.8.0a0+git1234567", {"cuda": "12.8"}, "cuda", "cu128"),
    ],
)
def test_backends(site: Path, full: str, built: dict[str, str], backend: str, tag: str) -> None:
    torch(site, full, **built)
    found = read(site)
    assert (found.full, found.version, found.backend, found.tag) == (full, full.split("+")[0], backend, tag)


def test_version_py_counts_before_pips_record(site: Path) -> None:
    """The wheel on PyPI is recorded as 2.3.1 and calls itself 2.3.1+cu121."""
    torch(site, "2.3.1+cu121", cuda="12.1", recorded="2.3.1")
    found = read(site)
    assert (found.full, found.recorded, found.tag) == ("2.3.1+cu121", "2.3.1", "cu121")
    assert found.told_by.endswith("version.py")


@pytest.mark.parametrize("text", [b"", b"\0\1\2\xff" * 100, b"cuda = \n__version__ = 3", b"x" * 3_000_000])
def test_a_damaged_version_py_leaves_the_record(site: Path, text: bytes) -> None:
    torch(site, "2.3.1+cu121", cuda="12.1")
    (site / "torch" / "version.py").write_bytes(text)
    found = read(site)
    assert (found.full, found.backend, found.tag) == ("2.3.1+cu121", "cuda", "cu121")


def test_without_tag_and_version_py_the_build_is_not_known(site: Path) -> None:
    record(site, "torch", "2.3.1")
    found = read(site)
    assert (found.version, found.backend, found.tag) == ("2.3.1", "", "")


def test_a_pipe_is_not_waited_for(site: Path) -> None:
    record(site, "torch", "2.3.1+cu121")
    (site / "torch").mkdir()
    os.mkfifo(site / "torch" / "version.py")
    assert read(site).tag == "cu121"


@pytest.mark.parametrize(
    ("tag", "system", "machine"),
    [
        ("cp310-cp310-win_amd64", "windows", "x86_64"),
        ("cp311-cp311-manylinux_2_28_x86_64", "linux", "x86_64"),
        ("cp311-cp311-linux_aarch64", "linux", "aarch64"),
        ("cp310-none-macosx_11_0_arm64", "macos", "arm64"),
        ("nonsense", "", ""),
    ],
)
def test_the_wheel_tells_its_system(site: Path, tag: str, system: str, machine: str) -> None:
    torch(site, "2.3.1", tag=tag)
    found = read(site)
    assert (found.system, found.machine) == (system, machine)


def test_companions(site: Path) -> None:
    torch(site, "2.3.1+cu121", cuda="12.1")
    record(site, "torchvision", "0.18.1", needs="torch (==2.3.1)")
    (site / "torchvision").mkdir()
    (site / "torchvision" / "version.py").write_text("__version__ = '0.18.1+cu121'\ngit_version = 'x'\n")
    record(site, "xformers", "0.0.27", needs="torch==2.3.1")
    record(site, "triton_windows", "3.2.0.post19")
    record(site, "intel_extension_for_pytorch", "2.3.110+xpu")
    record(site, "nvidia_cublas_cu12", "12.1.3.1")
    record(site, "nvidia_ml_py", "12.560.30")
    record(site, "numpy", "1.26.4")
    found = read(site)
    assert found.companions == {
        "torchvision": "0.18.1+cu121", "xformers": "0.0.27", "triton-windows": "3.2.0.post19",
        "intel-extension-for-pytorch": "2.3.110+xpu", "numpy": "1.26.4",
    }  # fmt: skip
    assert found.needs == {"torchvision": "==2.3.1", "xformers": "==2.3.1"}
    assert found.nvidia == {"nvidia-cublas-cu12": "12.1.3.1"}


def test_what_xformers_was_built_for(site: Path) -> None:
    torch(site, "2.3.1+cu121", cuda="12.1")
    record(site, "xformers", "0.0.27", tag="cp310-cp310-manylinux2014_x86_64")
    (site / "xformers").mkdir()
    told = {"version": {"cuda": 1201, "hip": None, "torch": "2.3.1+cu121", "python": "3.10.14"}, "env": {}}
    (site / "xformers" / "cpp_lib.json").write_text(json.dumps(told))
    built = read(site).xformers_built
    assert built and (built.torch, built.cuda, built.python, built.tag) == ("2.3.1+cu121", "12.1", "3.10.14", "cp310")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": []}', '{"version": null}', "[" * 100_000, "\0"])
def test_a_damaged_cpp_lib_json_is_none(site: Path, text: str) -> None:
    torch(site, "2.3.1+cu121", cuda="12.1")
    record(site, "xformers", "0.0.27")
    (site / "xformers").mkdir()
    (site / "xformers" / "cpp_lib.json").write_text(text)
    assert read(site).xformers_built is None


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("cp310-cp310-win_amd64", ("cpu", "cuda128")), ("cp310-cp310-linux_x86_64", ("cuda118_nocublaslt", "cuda121"))],
)
def test_libraries_of_bitsandbytes_are_those_of_the_system(site: Path, tag: str, expected: tuple[str, ...]) -> None:
    torch(site, "2.3.1+cu121", cuda="12.1", tag=tag)
    record(site, "bitsandbytes", "0.45.3")
    (site / "bitsandbytes").mkdir()
    for name in ("libbitsandbytes_cuda121.so", "libbitsandbytes_cuda118_nocublaslt.so", "libbitsandbytes_cuda128.dll",
                 "libbitsandbytes_cpu.dll", "cextension.py"):  # fmt: skip
        (site / "bitsandbytes" / name).touch()
    assert read(site).bitsandbytes_libraries == expected


def test_a_recorded_bitsandbytes_without_its_folder(site: Path) -> None:
    record(site, "bitsandbytes", "0.45.3")
    assert read(site).bitsandbytes_libraries is None


def test_of_two_records_the_later_one_counts(site: Path) -> None:
    record(site, "torch", "2.3.1+cu121")
    record(site, "torch", "2.7.1+cu128")
    os.utime(site / "torch-2.3.1+cu121.dist-info", (1, 1))
    assert read(site).recorded == "2.7.1+cu128"


def test_zluda_beside_forge(site: Path, tmp_path: Path) -> None:
    (tmp_path / ".zluda").mkdir()
    assert read(site, tmp_path).zluda == str(tmp_path / ".zluda")
    assert read(site, site).zluda == ""


def test_no_torch_is_an_empty_version(site: Path) -> None:
    assert read(site).version == ""


@pytest.mark.parametrize("layout", ["venv/lib/python3.11/site-packages", "system/python/Lib/site-packages"])
def test_both_layouts_are_read_where_packages_found_them(tmp_path: Path, layout: str) -> None:
    site = tmp_path / layout
    site.mkdir(parents=True)
    torch(site, "2.3.1+cu121", cuda="12.1")
    (tmp_path / "webui").mkdir()
    root = tmp_path / "webui" if layout.startswith("system") else tmp_path
    install = Install(root=str(root), fork="forge")
    packages = collect_packages(Target(scope="live"), install, None)
    found = fact.collect(Target(scope="live"), install, packages)
    assert (found.source, found.full) == (str(site), "2.3.1+cu121")
