"""The Python environment that Forge will run in: read from names on disk, never imported or run."""

from __future__ import annotations

import os
import re
from pathlib import Path

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts.install import Install
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.message import t
from forgedoctor.target import Target

_PIN = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([^\s;#]+)")
# requirements_versions.txt is what Forge, reForge and AUTOMATIC1111 install; Classic and Neo keep requirements.txt.
REQUIREMENTS = ("requirements_versions.txt", "requirements.txt")


class Packages(Fact, frozen=True, kw_only=True):
    """A venv: its folder, its Python (``3.10.6``), installed packages and the versions that Forge pins.

    Names are normalised (lower case, ``-``). ``doubled`` holds packages with two metadata folders, the mark of an
    upgrade that broke off.
    """

    venv: str
    python: str = ""
    packages: dict[str, str] = {}
    pins: dict[str, str] = {}
    doubled: tuple[str, ...] = ()


def normalised(name: str) -> str:
    """A package name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(site: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """(versions by name, names found twice) from the ``*.dist-info`` folder names of a site-packages."""
    found: dict[str, str] = {}
    doubled = []
    with os.scandir(site) as entries:
        for entry in entries:
            stem, _, kind = entry.name.rpartition(".")
            name, dash, version = stem.partition("-")
            if kind not in ("dist-info", "egg-info") or not dash or name.startswith("~"):
                continue
            name = normalised(name)
            version = version.split("-py")[0]
            if found.get(name, version) != version:
                doubled.append(name)
            found[name] = version
    return found, tuple(sorted(doubled))


def pins_of(root: Path) -> dict[str, str]:
    """The exact versions this checkout asks for."""
    for name in REQUIREMENTS:
        try:
            lines = (root / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        return {normalised(m[1]): m[2] for m in map(_PIN.match, lines) if m}
    return {}


def site_packages(venv: Path) -> Path | None:
    """The site-packages of a venv or of an embedded Windows Python."""
    places = [venv / "Lib" / "site-packages", *sorted(venv.glob("lib/python3*/site-packages"))]
    return next((place for place in places if place.is_dir()), None)


def python_version(venv: Path, site: Path) -> str:
    """The venv's Python from pyvenv.cfg, else from the folder name."""
    try:
        lines = (venv / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, sign, value = line.partition("=")
        if sign and key.strip() in ("version", "version_info"):
            return ".".join(value.strip().split(".")[:3])
    match = re.search(r"python(3\.\d+)", str(site))
    return match[1] if match else ""


def venv_folders(root: Path, files: LaunchFiles | None) -> list[Path]:
    """Where the venv may be, the launcher files' word first.

    Source: webui.sh ``venv_dir`` (default venv), webui.bat ``VENV_DIR`` (default venv beside it, "-" for none); the
    one-click package keeps its Python in system/python beside webui/.
    """
    named = [files.value(name) for name in ("VENV_DIR", "venv_dir")] if files else []
    given = [root / name for name in named if name and name != "-"]
    return [*given, root / "venv", root / ".venv", root.parent / "system" / "python"]


@collector(Packages, scopes=("live", "preflight"))
def collect(target: Target, install: Install, files: LaunchFiles | None) -> Packages:
    """What is installed where Forge will run."""
    root = Path(install.root)
    for venv in venv_folders(root, files):
        site = site_packages(venv)
        if site is None:
            continue
        try:
            packages, doubled = installed(site)
        except OSError as error:
            raise Unavailable(t("{path} may not be read: {why}", path=str(site), why=str(error.strerror))) from None
        return Packages(
            source=str(site),
            venv=str(venv),
            python=python_version(venv, site),
            packages=packages,
            pins=pins_of(root),
            doubled=doubled,
        )
    raise Unavailable(
        t("no venv was found beside {root}", root=install.root),
        settle=t("start Forge once (it makes the venv), or set VENV_DIR in webui-user"),
    )
