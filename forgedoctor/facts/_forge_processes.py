"""Which processes are a program of the Forge family: by the command line, then by the folder of the script."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SCRIPTS = ("launch.py", "webui.py")
_PYTHON = re.compile(r"python[\d.]*[a-z]?(-\w+)?(\.exe)?", re.IGNORECASE)
_ACCELERATE = re.compile(r"accelerate(-launch)?(-script\.py|\.exe)?", re.IGNORECASE)
# Flags that launch.py of this family takes and other projects' launch.py hardly does. Counts only where the
# folder cannot be looked into. --listen, --port, --share, --theme and the back end's flags are left out:
# Fooocus has them.
_TELLING = frozenset({
    "--allow-code", "--api", "--api-auth", "--api-log", "--api-server-stop", "--ckpt", "--ckpt-dir",
    "--ckpt-dirs", "--controlnet-dir", "--cors-allow-origins", "--cors-allow-origins-regex",
    "--cuda-malloc", "--cuda-stream", "--disable-all-extensions", "--disable-nan-check",
    "--disable-safe-unpickle", "--embeddings-dir", "--enable-insecure-extension-access",
    "--forge-ref-a1111-home", "--gpu-device-id", "--gradio-auth", "--gradio-auth-path",
    "--hypernetwork-dir", "--lora-dir", "--lowvram", "--medvram", "--medvram-sdxl", "--model-ref",
    "--ngrok", "--no-download-sd-model", "--no-gradio-queue", "--no-half", "--no-half-vae", "--nowebui",
    "--opt-sdp-attention", "--pin-shared-memory", "--precision", "--reinstall-torch",
    "--reinstall-xformers", "--server-name", "--skip-install", "--skip-prepare-environment",
    "--skip-python-version-check", "--skip-torch-cuda-test", "--skip-version-check", "--subpath",
    "--text-encoder-dir", "--upcast-sampling", "--update-all-extensions", "--vae-dir", "--xformers",
})  # fmt: skip


class Invocation(NamedTuple):
    """A command line that runs launch.py or webui.py: the script as written, what follows it, who runs it.

    ``starter`` is true for ``accelerate launch``, which starts the program as a child and waits.
    """

    script: str
    arguments: tuple[str, ...]
    starter: bool


def invocation(command: Sequence[str]) -> Invocation | None:
    """Read a process's command line; None where it is not a Python that runs launch.py or webui.py.

    The script must be what the interpreter runs, so an editor, a search or a test runner with launch.py among
    its arguments is none. Every other way to start it (webui.sh, uv, py.exe, the .exe of accelerate) has such
    a child.
    """
    if not command or not _PYTHON.fullmatch(_base(command[0])):
        return None
    at, module = _after_options(command)
    script = command[at] if at < len(command) else ""
    rest = command[at + 1 :]
    if module.startswith("accelerate.commands.launch"):
        return _accelerated(command[at:])
    if module:
        return None
    if _base(script).lower() in SCRIPTS:
        return Invocation(script, tuple(rest), starter=False)
    if _ACCELERATE.fullmatch(_base(script)):
        return _accelerated(rest[1:] if rest[:1] == ["launch"] or rest[:1] == ("launch",) else rest)
    return None


def _accelerated(arguments: Sequence[str]) -> Invocation | None:
    """The script of ``accelerate launch [options] script.py …`` is its first argument that ends in .py."""
    for at, argument in enumerate(arguments):
        if argument.lower().endswith(".py"):
            if _base(argument).lower() not in SCRIPTS:
                return None
            return Invocation(argument, tuple(arguments[at + 1 :]), starter=True)
    return None


def _after_options(command: Sequence[str]) -> tuple[int, str]:
    """Where the script stands, after Python's own options, or the module of ``-m`` and where its arguments begin.

    ``-c`` and ``-`` run no file: the position is then beyond the end.
    """
    at = 1
    while at < len(command) and command[at].startswith("-"):
        word = command[at]
        at += 1
        if word == "-":
            return len(command), ""
        if word.startswith("--"):
            at += word == "--check-hash-based-pycs"
            continue
        for place, letter in enumerate(word[1:], start=2):
            if letter == "c":
                return len(command), ""
            if letter == "m":
                named = word[place:] or (command[at] if at < len(command) else "?")
                return at + (not word[place:]), named
            if letter in "XW":
                at += not word[place:]
                break
    return at, ""


def _base(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]


def is_telling(arguments: Iterable[str]) -> bool:
    """Whether a flag is there that few other programs' launch.py would take."""
    return any(argument.partition("=")[0] in _TELLING for argument in arguments)


def holds_forge(folder: str, pid: int | None = None) -> bool | None:
    """Whether a folder holds this family's program; None where the folder cannot be seen.

    The mark is modules/launch_utils.py (A1111 from 1.3 on and all its descendants) or modules_forge/. A
    folder ``modules`` with a webui.py would not do: Fooocus has both. On Linux the folder is first looked at
    as that process sees it, which differs where it runs in a container.
    """
    views = (_marked(view) for view in _views(folder, pid))
    return next((seen for seen in views if seen is not None), None)


def _views(folder: str, pid: int | None) -> list[str]:
    inside = [f"/proc/{pid}/root{folder}"] if pid and sys.platform == "linux" and folder.startswith("/") else []
    return [*inside, folder]


def _marked(folder: str) -> bool | None:
    try:
        os.stat(folder)
        return any(_exists(os.path.join(folder, mark)) for mark in ("modules/launch_utils.py", "modules_forge"))
    except (OSError, ValueError):
        return None


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


class Candidate(NamedTuple):
    """A process that runs the script, as far as it takes to tell one Forge from its own helpers."""

    pid: int
    ancestors: tuple[int, ...]
    arguments: tuple[str, ...]
    folder: str
    starter: bool
    listens: bool


def groups(found: Sequence[Candidate], *, forks: bool = True) -> list[tuple[Candidate, list[Candidate]]]:
    """Gather each Forge with its helpers: (the Forge itself, all processes of it).

    Helpers are descendants with the same folder and arguments: a forked worker, the child of ``accelerate
    launch``, the real interpreter under a Windows venv's python.exe. The Forge itself is the one that
    listens; where none does, the uppermost that is no starter, or the lowest on systems without fork
    (``forks``), where the upper one only waits.
    """
    by_pid = {one.pid: one for one in found}
    members: dict[int, list[Candidate]] = {}
    for one in found:
        kin = [by_pid[pid] for pid in one.ancestors if pid in by_pid and _same(by_pid[pid], one)]
        top = kin[-1] if kin else one
        members.setdefault(top.pid, []).append(one)
    return [(_head(group, forks), group) for group in members.values()]


def _same(left: Candidate, right: Candidate) -> bool:
    return left.arguments == right.arguments and left.folder == right.folder


def _head(group: list[Candidate], forks: bool) -> Candidate:
    ordered = sorted(group, key=lambda one: (len(one.ancestors), one.pid))
    listening = [one for one in ordered if one.listens]
    if listening:
        return listening[0]
    real = [one for one in ordered if not one.starter] or ordered
    return real[0] if forks else real[-1]
