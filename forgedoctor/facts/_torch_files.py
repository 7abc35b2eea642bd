"""Reads what installed packages say of themselves: version.py, METADATA, WHEEL, names of libraries. Nothing is run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from forgedoctor.facts.packages import normalised

_LIMIT = 200_000
_MOST = 200
# ``cuda: Optional[str] = '12.1'`` of torch/version.py, in all its ages.
_ASSIGNED = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:'([^'\n]{0,200})'|\"([^\"\n]{0,200})\"|None|True|False)", re.M)
_REQUIRES = re.compile(r"^Requires-Dist:\s*torch\s*\(?\s*([^;)\n]{0,100})", re.M | re.I)
_TAG = re.compile(r"^Tag:\s*(\S+)-(\S+)-(\S+)", re.M)
_BNB = re.compile(r"libbitsandbytes_((?:cuda|rocm|hip)\d+(?:_nocublaslt\d*)?|cpu|xpu|mps)(\.so|\.dll|\.dylib)")
_SUFFIXES = {"windows": ".dll", "linux": ".so", "macos": ".dylib"}
_SYSTEMS = (("win", "windows"), ("linux", "linux"), ("manylinux", "linux"), ("macosx", "macos"))
_MACHINES = (("x86_64", "x86_64"), ("amd64", "x86_64"), ("aarch64", "aarch64"), ("arm64", "arm64"))


class XformersBuild(msgspec.Struct, frozen=True, kw_only=True):
    """What an xformers wheel was built for. ``cuda``: ``12.1``, empty without. ``tag``: the wheel's Python tag
    (``cp310``; ``abi3`` for one that fits all newer ones)."""

    torch: str = ""
    cuda: str = ""
    python: str = ""
    tag: str = ""


def small(path: Path) -> str:
    """The beginning of a regular file as text; empty where it is none or may not be read."""
    try:
        if not path.is_file():  # a pipe or a device would keep us waiting
            return ""
        with open(path, "rb") as file:
            return file.read(_LIMIT).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def records(site: Path) -> dict[str, Path]:
    """The ``*.dist-info`` folders of a site-packages by normalised package name; of two the one changed last."""
    found: dict[str, tuple[float, Path]] = {}
    with os.scandir(site) as entries:
        for entry in entries:
            stem, _, kind = entry.name.rpartition(".")
            name, dash, _ = stem.partition("-")
            if kind != "dist-info" or not dash or name.startswith("~"):
                continue
            changed = _changed(entry)
            if changed >= found.get(normalised(name), (changed, Path()))[0]:
                found[normalised(name)] = (changed, Path(entry.path))
    return {name: path for name, (_, path) in found.items()}


def _changed(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def recorded_version(record: Path | None) -> str:
    """The version in the name of a dist-info folder."""
    return record.name.removesuffix(".dist-info").partition("-")[2] if record else ""


def assigned(text: str) -> dict[str, str]:
    """The names that a version.py sets to a text; ``None``, ``True`` and ``False`` count as empty."""
    return {m[1]: m[2] or m[3] or "" for m in _ASSIGNED.finditer(text)}


def needs_torch(record: Path | None) -> str:
    """The torch that a package's METADATA asks for (``==2.3.1``); empty where it asks for any, or for none."""
    if record is None:
        return ""
    head = small(record / "METADATA").split("\n\n", 1)[0]
    match = _REQUIRES.search(head)
    return match[1].strip().replace(" ", "") if match else ""


def wheel_tag(record: Path | None) -> tuple[str, str, str]:
    """(Python tag, system, machine) of the wheel that was installed: ("cp310", "windows", "x86_64")."""
    match = _TAG.search(small(record / "WHEEL")) if record else None
    if match is None:
        return "", "", ""
    python = match[2] if match[2] in ("abi3", "none") else match[1]
    platform = match[3].lower()
    system = next((name for start, name in _SYSTEMS if platform.startswith(start)), "")
    return python, system, next((name for end, name in _MACHINES if platform.endswith(end)), "")


def xformers_build(site: Path, record: Path | None) -> XformersBuild | None:
    """xformers/cpp_lib.json: the torch, CUDA (as 1201) and Python that it was built with. None where it has none.

    Source: xformers/_cpp_lib.py, which prints these when its library does not load.
    """
    text = small(site / "xformers" / "cpp_lib.json")
    if not text:
        return None
    try:
        told = msgspec.json.decode(text)["version"]
        torch, python, cuda = (str(told.get(name) or "")[:60] for name in ("torch", "python", "cuda"))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    number = int(cuda) if cuda.isdecimal() and len(cuda) < 6 else 0
    shown = f"{number // 100}.{number % 100}" if number >= 1000 else cuda
    return XformersBuild(torch=torch, cuda=shown, python=python, tag=wheel_tag(record)[0])


def bitsandbytes_libraries(site: Path, system: str = "") -> tuple[str, ...] | None:
    """The native libraries that bitsandbytes has for a system, as ``cuda121`` or ``cpu``; None where its folder cannot
    be read. Its old wheels hold Linux libraries only, on Windows too."""
    try:
        names = [entry.name for entry in os.scandir(site / "bitsandbytes")]
    except OSError:
        return None
    matches = [match for name in names if (match := _BNB.fullmatch(name))]
    return tuple(sorted(one[1] for one in matches if one[2] == _SUFFIXES.get(system, one[2])))[:_MOST]
