"""Disks: which folders, what they lie on; full, read-only and silent ones made for real in a mount namespace."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forgedoctor.facts import _disk_linux, disk
from forgedoctor.facts._disk_windows import seek_penalty
from forgedoctor.facts.disk import Place
from tests.forge_like import ROOT

INFO = """22 1 0:21 / /proc rw - proc proc rw
27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 27 8:17 / /data rw - ext4 /dev/sdb1 rw
31 27 0:50 / /mnt/my\\040nas ro,relatime - nfs4 nas:/x rw,vers=4.2
32 27 0:51 / /mnt/c rw - 9p C:\\134 rw
33 30 254:0 / /data/lv rw - xfs /dev/mapper/vg-lv rw
34 27 0:60 / /pool rw - btrfs /dev/sdb1 rw,subvol=/
"""


def blocks(root: Path, disks: dict[str, tuple[str, str, str]]) -> Path:
    """A /sys with these disks: name -> (number, rotational, model), each with a first partition."""
    for name, (number, turns, model) in disks.items():
        place = root / "sys/devices" / name
        (place / "queue").mkdir(parents=True)
        (place / "queue/rotational").write_text(turns + "\n")
        (place / "device").mkdir()
        (place / "device/model").write_text(model + "\n")
        part = place / f"{name}1"
        part.mkdir()
        (part / "partition").write_text("1\n")
        (root / "sys/dev/block").mkdir(parents=True, exist_ok=True)
        (root / "sys/class/block").mkdir(parents=True, exist_ok=True)
        major, _, minor = number.partition(":")
        (root / f"sys/dev/block/{number}").symlink_to(place)
        (root / f"sys/dev/block/{major}:{int(minor) + 1}").symlink_to(part)
        (root / f"sys/class/block/{name}1").symlink_to(part)
    return root


@pytest.mark.parametrize(
    ("path", "point", "kind", "read_only"),
    [
        ("/home/user/forge", "/", "ext4", False),
        ("/data", "/data", "ext4", False),
        ("/database", "/", "ext4", False),
        ("/mnt/my nas/models", "/mnt/my nas", "nfs4", True),
        ("/data/lv/x", "/data/lv", "xfs", False),
        ("/mnt/c/Users", "/mnt/c", "9p", False),
    ],
)
def test_the_mount_of_a_path(path: str, point: str, kind: str, read_only: bool) -> None:
    found = _disk_linux.mount_of(path, _disk_linux.mounts(INFO))
    assert found and (found.point, found.kind, found.read_only) == (point, kind, read_only)


def test_of_two_mounts_on_one_place_the_last_one_counts() -> None:
    found = _disk_linux.mount_of(
        "/", _disk_linux.mounts("1 1 0:1 / / rw - rootfs x rw\n2 1 8:1 / / rw - ext4 /dev/sda1 rw")
    )
    assert found and found.kind == "ext4"


def test_damaged_lines_are_left_out() -> None:
    assert _disk_linux.mounts("garbage\n - \n1 2 3 - x\n\x00\n") == []


@pytest.mark.parametrize(
    ("turns", "model", "expected"),
    [("1", "WDC WD40EZRZ", True), ("0", "Samsung SSD 870", False), ("1", "QEMU HARDDISK", None), ("1", "Virtual Disk", None), ("x", "ST2000", None)],
)  # fmt: skip
def test_whether_a_disk_turns(tmp_path: Path, turns: str, model: str, expected: bool | None) -> None:
    root = blocks(tmp_path, {"sdb": ("8:16", turns, model)})
    known = {one.point: one for one in _disk_linux.mounts(INFO)}
    assert _disk_linux.rotational(root, known["/data"]) is expected
    assert _disk_linux.rotational(root, known["/pool"]) is expected  # btrfs: by the name of its device
    assert _disk_linux.rotational(root, known["/mnt/c"]) is None


@pytest.mark.parametrize(("below", "expected"), [({"sda": "1", "sdb": "0"}, True), ({"sda": "0", "sdb": "0"}, False)])
def test_a_volume_turns_if_a_disk_below_it_does(tmp_path: Path, below: dict[str, str], expected: bool) -> None:
    root = blocks(tmp_path, {name: (f"8:{16 * at}", turns, "ST") for at, (name, turns) in enumerate(below.items())})
    slaves = root / "sys/devices/dm-0/slaves"
    slaves.mkdir(parents=True)
    for name in below:
        (slaves / f"{name}1").symlink_to(root / f"sys/devices/{name}/{name}1")
    (root / "sys/dev/block/254:0").symlink_to(root / "sys/devices/dm-0")
    volume = {one.point: one for one in _disk_linux.mounts(INFO)}["/data/lv"]
    assert _disk_linux.rotational(root, volume) is expected


def test_what_windows_answers_about_seeking() -> None:
    assert seek_penalty(struct.pack("<IIB3x", 12, 12, 1)) is True
    assert seek_penalty(struct.pack("<IIB3x", 12, 12, 0)) is False
    assert seek_penalty(b"") is None and seek_penalty(bytes(12)) is None


# -- which folders -------------------------------------------------------------------------------------------------


def roles(root: Path, options: dict[str, Any] | None = None, env: dict[str, str] | None = None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for role, path in disk.folders(str(root), "forge", options or {}, {"TMPDIR": "/", **(env or {})}):
        found.setdefault(role, []).append(path)
    return found


def test_the_folders_of_a_plain_forge(tmp_path: Path) -> None:
    found = roles(tmp_path)
    assert found["forge"] == [str(tmp_path)] and found["outputs"] == [str(tmp_path / "outputs")]
    assert str(tmp_path / "models/Stable-diffusion") in found["models"]
    assert found["cache"] == [str(tmp_path / "models/diffusers")] and found["temp"] == ["/"]


def test_flags_settings_and_variables_move_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = {"outdir_txt2img_samples": "pictures", "outdir_samples": "", "temp_dir": "/scratch", "outdir_save": 7}
    (tmp_path / "data/config.json").write_bytes(msgspec.json.encode(settings))
    found = roles(tmp_path, {"data_dir": "data", "ckpt_dir": "/nas/models"}, {"HF_HOME": "/hf"})
    assert found["forge"] == [str(tmp_path / "data")] and found["outputs"] == [str(tmp_path / "pictures")]
    assert "/nas/models" in found["models"] and found["temp"] == ["/scratch"] and found["cache"] == ["/hf"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_broken_settings_file_moves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    assert roles(tmp_path)["outputs"] == [str(tmp_path / "outputs")]


def test_a_folder_that_is_not_there_is_judged_by_the_one_above(tmp_path: Path) -> None:
    (place,) = disk.looked_at([("outputs", str(tmp_path / "a/b/c"))], Path("/"))
    assert not place.exists and place.answers and place.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)


def test_a_path_that_is_none_is_no_fault() -> None:
    (place,) = disk.looked_at([("temp", "a\x00b")], Path("/"))
    assert not place.exists and place.answers


# -- for real, in a mount namespace of their own -------------------------------------------------------------------

HERE = """
import ctypes, os, sys, msgspec
sys.path.insert(0, {root!r})
from pathlib import Path
from forgedoctor.facts import disk
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags, data):
    assert libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) == 0, os.strerror(ctypes.get_errno())
place = {place!r}
{setup}
found = disk.looked_at([("outputs", place)], Path("/"), seconds={seconds})
sys.stdout.buffer.write(msgspec.json.encode(found)); sys.stdout.flush()
os._exit(0)
"""
FULL = 'mount("none", place, "tmpfs", 0, "size=1m")\nopen(place + "/image", "wb").write(bytes(1 << 20))'
NO_INODES = 'mount("none", place, "tmpfs", 0, "size=9m,nr_inodes=4")\nfor name in "abc": open(f"{place}/{name}", "w")'
READ_ONLY = 'mount("none", place, "tmpfs", 1, "size=1m")'
# A file system whose server never says a word: whoever looks waits.
SILENT = 'server = os.open("/dev/fuse", os.O_RDWR)\nmount("silent", place, "fuse", 0, f"fd={server},rootmode=40000,user_id=0,group_id=0")'


def namespaces() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    words = ["unshare", "--mount", "--propagation", "private", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not namespaces(), reason="no mount namespace can be made (Linux, root, unshare)")


def made(place: Path, setup: str, seconds: float = 5.0) -> Place:
    """The place as a process sees it that has mounted something there; gone when the process is."""
    code = HERE.format(root=str(ROOT), place=str(place), setup=setup, seconds=seconds)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", code],
        capture_output=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    (found,) = msgspec.json.decode(done.stdout, type=tuple[Place, ...])
    return found


@pytest.mark.real
@needs_mounts
def test_a_full_disk(tmp_path: Path) -> None:
    found = made(tmp_path, FULL)
    assert (found.free, found.total, found.kind, found.memory) == (0, 1 << 20, "tmpfs", True)
    assert found.mount == str(tmp_path)


@pytest.mark.real
@needs_mounts
def test_a_disk_that_is_out_of_files(tmp_path: Path) -> None:
    found = made(tmp_path, NO_INODES)
    assert found.inodes == 0 and found.free


@pytest.mark.real
@needs_mounts
def test_a_read_only_disk(tmp_path: Path) -> None:
    assert made(tmp_path, READ_ONLY).read_only


@pytest.mark.real
@needs_mounts
@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="no /dev/fuse")
def test_a_folder_whose_server_never_answers_does_not_hold_us(tmp_path: Path) -> None:
    found = made(tmp_path, SILENT, seconds=0.5)
    assert not found.answers and found.mount == str(tmp_path)
