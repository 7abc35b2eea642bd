"""The Forge on disk: where it is, which fork and version; nothing of it is imported or run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts._local import is_elsewhere
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.processes import Processes
from forgedoctor.forge.flags import Flag
from forgedoctor.message import t
from forgedoctor.target import Target

# What tells the forks apart on disk: modules_forge/forge_version.py where there is one, then the back end's folder.
_NAMED = {"classic": "classic", "neo": "neo"}


class Install(Fact, frozen=True, kw_only=True):
    """A folder that holds a program of the Forge family.

    ``extension_flags`` are flags that installed extensions add to the command line (their ``preload.py``, read as
    text). ``because`` says how the fork was recognised.
    """

    root: str
    fork: str
    version: str = ""
    commit: str = ""
    because: str = ""
    files: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    extension_flags: tuple[Flag, ...] = ()


class Broken(msgspec.Struct, frozen=True):
    """Why a folder was refused."""

    path: str
    reason: str


def is_forge(folder: Path) -> bool:
    """Whether a folder holds launch.py and modules/ of this family."""
    return (folder / "launch.py").is_file() and (folder / "modules" / "launch_utils.py").is_file()


def fork_of(root: Path) -> tuple[str, str, str]:
    """(fork, version, how it was recognised) from the files of a checkout.

    Source: modules_forge/forge_version.py; backend/ (Forge, Neo) or ldm_patched/ (reForge, Classic).
    """
    text = _read(root / "modules_forge" / "forge_version.py")
    version = _assigned(text, "version")
    if version in _NAMED:
        release = _assigned(text, "release")
        shown = f"{version} {release}".strip()
        return _NAMED[version], shown, "modules_forge/forge_version.py"
    if version:
        patched = (root / "ldm_patched").is_dir() and not (root / "backend").is_dir()
        return ("reforge" if patched else "forge"), f"f{version}", "modules_forge/forge_version.py"
    if (root / "backend" / "args.py").is_file():
        return "forge", "", "backend/args.py"
    if (root / "ldm_patched").is_dir():
        return "reforge", "", "ldm_patched/"
    changelog = _read(root / "CHANGELOG.md", 200).strip().split("\n", 1)[0].lstrip("# ").strip()
    return "a1111", f"v{changelog}" if changelog[:1].isdigit() else "", "launch.py without modules_forge/"


def candidates(start: Path) -> Iterator[Path]:
    """Where a Forge may be, seen from a folder: there, above, just below (one-click packages keep it in webui/)."""
    yield start
    yield from start.parents
    try:
        below = sorted(entry.path for entry in os.scandir(start) if entry.is_dir(follow_symlinks=False))
    except OSError:
        below = []
    for child in below[:200]:
        yield Path(child)
        yield Path(child) / "webui"


def commit_of(root: Path) -> str:
    """The commit that is checked out, read from .git without running git; empty where it cannot be had."""
    head = _read(root / ".git" / "HEAD", 200).strip()
    if not head.startswith("ref: "):
        return head[:40]
    name = head[5:].strip()
    if ".." in name:
        return ""
    direct = _read(root / ".git" / name, 100).strip()
    if direct:
        return direct[:40]
    for line in _read(root / ".git" / "packed-refs", 2_000_000).splitlines():
        if line.endswith(f" {name}"):
            return line[:40]
    return ""


def extension_flags(root: Path, names: tuple[str, ...]) -> tuple[Flag, ...]:
    """The flags that extensions add, read from their preload.py as text (never imported).

    Source: modules/script_loading.py preload_extensions, called just before the strict parse.
    """
    found: dict[str, Flag] = {}
    for name in names:
        try:
            tree = ast.parse(_read(root / "extensions" / name / "preload.py", 200_000))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
                for one in _declared(node, name):
                    found[one.flag] = one
    return tuple(found.values())


def _declared(call: ast.Call, extension: str) -> list[Flag]:
    words = {kw.arg: getattr(kw.value, "value", None) for kw in call.keywords if kw.arg}
    action = words.get("action") or "store"
    names = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return [
        Flag(
            flag=name,
            dest=str(words.get("dest") or name.lstrip("-").replace("-", "_")),
            action=str(action),
            nargs=words.get("nargs") if isinstance(words.get("nargs"), str) else None,
            stage="extension",
            status="active",
            effect=f"extension {extension}",
        )
        for name in names
        if name.startswith("--")
    ]


@collector(Install, scopes=("live", "preflight"))
def collect(target: Target, processes: Processes | None, interfaces: Interfaces | None) -> Install:
    """The Forge in or near the folder asked for; else the one that runs; else none, also for another machine's URL."""
    if not target.directory and is_elsewhere(target.url, interfaces):
        raise Unavailable(
            t("{url} is another machine; its files cannot be seen from here", url=target.url), sought=False
        )
    if target.directory:
        start = Path(target.directory).expanduser()
        if start.is_file():
            raise Unavailable(
                t("{path} is a file, not a folder", path=str(start)), settle=t("name the folder with --dir")
            )
        if not start.is_dir():
            raise Unavailable(t("there is no folder {path}", path=str(start)), settle=t("check --dir"))
        if not os.access(start, os.R_OK | os.X_OK):
            raise Unavailable(t("{path} may not be read", path=str(start)), state=State.DENIED)
    else:
        start = Path.cwd()
    places = list(candidates(start.absolute()))
    if not target.directory and processes:
        places += [Path(one.folder or one.cwd) for one in processes.forges if one.folder or one.cwd]
    root = next((place for place in places if _safe(place)), None)
    if root is None:
        raise Unavailable(
            t("no Forge was found in or near {path}", path=str(start)),
            settle=t("run this in the folder that holds launch.py, or name it with --dir"),
        )
    return describe(root)


def describe(root: Path) -> Install:
    """What can be read of one installation."""
    fork, version, because = fork_of(root)
    names = tuple(sorted(entry.name for entry in _entries(root / "extensions") if entry.is_dir()))
    return Install(
        source=str(root),
        root=str(root),
        fork=fork,
        version=version,
        commit=commit_of(root),
        because=because,
        files=tuple(sorted(entry.name for entry in _entries(root) if entry.is_file(follow_symlinks=False))),
        extensions=names,
        extension_flags=extension_flags(root, names),
    )


def _safe(place: Path) -> bool:
    try:
        return is_forge(place)
    except OSError:
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError:
        return []


def _read(path: Path, limit: int = 100_000) -> str:
    try:
        if not path.is_file():  # a pipe or a device would keep us waiting
            return ""
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def _assigned(text: str, name: str) -> str:
    for line in text.splitlines():
        left, sign, right = line.partition("=")
        if sign and left.strip() == name:
            return right.strip().strip("'\"")
    return ""
