"""The disks that Forge reads from and writes to: room, file system, kind, and whether they may be written to."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _disk_linux, _disk_windows, _psutil
from forgedoctor.facts._host import read
from forgedoctor.facts.install import Install
from forgedoctor.facts.launch import Launch
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["Disks", "Place", "collect"]

_SECONDS = 1.2  # for all places together; a folder of a server that is gone never answers
_SETTINGS_LIMIT = 5_000_000  # bytes
# The folders that the settings file names. Source: modules/shared_options.py.
_OUTPUTS = ("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_save")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that Forge uses, and the file system that it lies on.

    ``role``: forge (the program: settings, logs, downloads of extensions), models, outputs, temp, or cache.
    ``path``: the folder, ``exists`` whether it is there; where it is not, the rest is of the nearest folder above it.
    ``answers``: false where asking for it did not end in time. ``total``, ``free``: bytes, the latter for this user.
    ``inodes``: how many more files can be made (None: no such limit is told). ``kind``: the file system, such as ext4,
    ntfs, nfs4. ``network``: its files are another machine's. ``host``: they are those of the machine that this virtual
    machine or container runs on. ``memory``: they lie in RAM. ``rotational``: the disk turns (None: not told, as in
    virtual machines). ``read_only``: as it is mounted. ``mount``: where; ``device``: what.
    """

    role: str
    path: str
    exists: bool = True
    answers: bool = True
    total: int | None = None
    free: int | None = None
    inodes: int | None = None
    kind: str = ""
    network: bool = False
    host: bool = False
    memory: bool = False
    rotational: bool | None = None
    read_only: bool = False
    mount: str = ""
    device: str = ""


class Disks(Fact, frozen=True, kw_only=True):
    """Where Forge reads and writes: one entry for each folder with a purpose."""

    places: tuple[Place, ...] = ()

    def of(self, *roles: str) -> tuple[Place, ...]:
        """The places of these roles."""
        return tuple(one for one in self.places if one.role in roles)


@collector(Disks, scopes=("live", "preflight"))
def collect(target: Target, install: Install, launch: Launch | None) -> Disks:
    """Look at each folder in a thread of its own, so that a server that is gone costs its time and no more."""
    options = launch.effective.options if launch else {}
    wanted = list(dict.fromkeys(folders(install.root, install.fork, options, os.environ)))
    found = looked_at(wanted, Path("/"))
    if not found:
        raise Unavailable(t("no folder of {root} could be looked at", root=install.root))
    return Disks(source=install.root, places=found)


def folders(root: str, fork: str, options: Mapping[str, Any], env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(role, path) of the folders that a Forge in ``root`` uses with these flags, settings and variables.

    Source: modules/paths_internal.py, shared_options.py, ui_tempdir.py; modules_forge/initialization.py (HF_HOME).
    """
    from forgedoctor.models import scan

    base = os.path.normpath(os.path.join(root, _text(options, "data_dir")))
    yield "forge", base
    looked = scan.folders_of(root, fork, options)
    for one in looked:
        if one.place in ("checkpoint", "vae", "text-encoder", "lora"):
            yield "models", one.path
    settings = _settings(os.path.join(root, _text(options, "ui_settings_file") or os.path.join(base, "config.json")))
    named = [path for key in _OUTPUTS if (path := _text(settings, key))]
    usual = next((name for name in ("outputs", "output") if os.path.isdir(os.path.join(base, name))), "outputs")
    for path in named or [os.path.join(base, usual)]:
        yield "outputs", os.path.normpath(os.path.join(root, path))
    yield "temp", _text(settings, "temp_dir") or temporary(env)
    models = os.path.dirname(looked[0].path)
    cache = env.get("HF_HUB_CACHE") or env.get("HF_HOME") or os.path.join(models, "diffusers")
    yield "cache", os.path.normpath(cache)


def temporary(env: Mapping[str, str]) -> str:
    """The folder for temporary files as Python's tempfile would choose it, but without the file it tries there."""
    named = [env[name] for name in ("TMPDIR", "TEMP", "TMP") if env.get(name)]
    if sys.platform == "win32":
        usual = [os.path.expandvars(r"%USERPROFILE%\AppData\Local\Temp"), r"C:\TEMP", r"C:\TMP"]
    else:
        usual = ["/tmp", "/var/tmp", "/usr/tmp"]
    return next((path for path in (*named, *usual) if os.path.isdir(path)), usual[0])


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _settings(path: str) -> dict[str, Any]:
    """config.json; empty where it cannot be read, of which another fact tells."""
    import json

    try:
        if not os.path.isfile(path):
            return {}
        with open(path, "rb") as file:
            loaded = json.loads(file.read(_SETTINGS_LIMIT).decode("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def looked_at(wanted: list[tuple[str, str]], root: Path, seconds: float = _SECONDS) -> tuple[Place, ...]:
    """A place for each (role, path), in that order. ``root`` stands for "/" of /proc and /sys, for tests."""
    mountinfo = read(root / "proc/self/mountinfo", 2_000_000)
    mounts = _disk_linux.mounts(mountinfo) if sys.platform == "linux" else _partitions()
    found: dict[str, Place] = {}
    threads = []
    for path in dict.fromkeys(path for _, path in wanted):
        worker = threading.Thread(target=_into, args=(found, path, mounts, root), daemon=True)
        worker.start()
        threads.append(worker)
    end = time.monotonic() + seconds
    for worker in threads:
        worker.join(max(0.0, end - time.monotonic()))
    places = []
    for role, path in wanted:
        one = found.get(path) or _silent(path, mounts)
        places.append(msgspec.structs.replace(one, role=role))
    return tuple(places)


def _into(found: dict[str, Place], path: str, mounts: list[_disk_linux.Mount], root: Path) -> None:
    try:
        found[path] = _look(path, mounts, root)
    except (OSError, ValueError):  # gone in between, or no path at all
        found[path] = Place(role="", path=path, exists=False)


def _silent(path: str, mounts: list[_disk_linux.Mount]) -> Place:
    """A folder that did not answer: what the list of mounts says of it, links not followed."""
    mount = _disk_linux.mount_of(path, mounts)
    kind = mount.kind if mount else ""
    return Place(
        role="",
        path=path,
        answers=False,
        kind=kind,
        network=kind in _disk_linux.NETWORK or path.startswith("\\\\"),
        host=kind in _disk_linux.HOST,
        mount=mount.point if mount else "",
        device=mount.source if mount else "",
    )


def _look(path: str, mounts: list[_disk_linux.Mount], root: Path) -> Place:
    exists = os.path.isdir(path)
    near = path
    while not os.path.isdir(near) and os.path.dirname(near) != near:
        near = os.path.dirname(near)
    place = Place(role="", path=path, exists=exists)
    try:
        usage = shutil.disk_usage(near)
        place = msgspec.structs.replace(place, total=usage.total, free=usage.free, inodes=_inodes(near))
    except OSError:
        pass
    if sys.platform == "win32":
        drive = _disk_windows.drive_of(near)
        if drive is None:
            return place
        return msgspec.structs.replace(
            place,
            kind=drive.kind,
            network=drive.network,
            read_only=drive.read_only,
            rotational=drive.rotational,
            mount=drive.mount,
        )
    mount = _disk_linux.mount_of(os.path.realpath(near), mounts)
    if mount is None:
        return place
    return msgspec.structs.replace(
        place,
        kind=mount.kind,
        network=mount.kind in _disk_linux.NETWORK,
        host=mount.kind in _disk_linux.HOST,
        memory=mount.kind in _disk_linux.MEMORY,
        rotational=_disk_linux.rotational(root, mount) if sys.platform == "linux" else None,
        read_only=mount.read_only,
        mount=mount.point,
        device=mount.source,
    )


def _inodes(path: str) -> int | None:
    """How many more files can be made; None where the file system makes room for them as needed."""
    if sys.platform == "win32":
        return None
    told = os.statvfs(path)
    return told.f_favail if told.f_files else None


def _partitions() -> list[_disk_linux.Mount]:
    """The mounts as psutil tells them (macOS); none where it does not."""
    if sys.platform == "win32":
        return []
    rows: list[Any] = _psutil.attempt(lambda: list(_psutil.load().disk_partitions(all=True)), [])
    return [
        _disk_linux.Mount("0:0", one.mountpoint, one.fstype, one.device, "ro" in one.opts.split(",")) for one in rows
    ]
