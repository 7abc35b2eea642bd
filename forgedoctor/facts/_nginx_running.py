"""The nginx programs that run on this machine, and where each has its configuration from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forgedoctor.facts import _psutil

# Where nginx looks when it was built so. Source: packages of Debian, Red Hat, Homebrew, MacPorts, FreeBSD; nginx.org.
USUAL = (
    "/etc/nginx/nginx.conf",
    "/opt/homebrew/etc/nginx/nginx.conf",
    "/usr/local/etc/nginx/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
    "/opt/local/etc/nginx/nginx.conf",
    "C:/nginx/conf/nginx.conf",
    "C:/tools/nginx/conf/nginx.conf",
)
_NAMES = re.compile(r"(?:nginx|openresty|angie|freenginx|tengine)(?:\.exe)?", re.I)
_CONTAINER = re.compile(r"docker|containerd|kubepods|libpod|lxc")


class Running(NamedTuple):
    """One nginx: ``config`` is its main file (empty: not found), ``command`` how to call it with the same.

    ``inside``: it runs in a container, whose files are not these.
    """

    pid: int
    config: str = ""
    command: str = "nginx"
    inside: bool = False


def find() -> list[Running]:
    """Every master process of nginx."""
    ps = _psutil.load()
    found: list[Running] = []
    for process in ps.process_iter():
        name = _psutil.attempt(process.name, "") or ""
        if not _NAMES.fullmatch(name):
            continue
        words: Sequence[str] = _psutil.attempt(process.cmdline, []) or []
        text = " ".join(words)
        parent: Any = _psutil.attempt(process.parent, None)
        worker = "worker process" in text or "cache manager" in text or "cache loader" in text
        if worker or (parent is not None and _NAMES.fullmatch(_psutil.attempt(parent.name, "") or "")):
            continue
        found.append(_described(process, text))
    return sorted(found)


def _described(process: Any, text: str) -> Running:
    if _elsewhere(process.pid):
        return Running(process.pid, inside=True)
    config, prefix = _option(text, "c"), _option(text, "p")
    exe = _psutil.attempt(process.exe, "") or ""
    cwd = _psutil.attempt(process.cwd, "") or ""
    command = " ".join(["nginx", *([f"-p {prefix}"] if prefix else []), *([f"-c {config}"] if config else [])])
    path = next((one for one in _places(config, prefix, exe, cwd) if os.path.isfile(one)), "")
    return Running(process.pid, path.replace("\\", "/"), command)


def _option(text: str, letter: str) -> str:
    """The value of ``-c`` or ``-p``; the words of a running nginx are not quoted."""
    match = re.search(rf"(?:^|\s)-{letter}\s*(\"[^\"]+\"|\S+)", text)
    return match[1].strip('"') if match else ""


def _places(config: str, prefix: str, exe: str, cwd: str) -> Iterator[str]:
    """Where the main file may be, likeliest first. A relative -c counts from -p, or from the built-in folder."""
    beside = [str(Path(exe).parent), str(Path(exe).parent.parent)] if exe else []
    if os.name == "nt" and cwd:  # nginx for Windows counts from the folder that it was started in
        beside.insert(0, cwd)
    if config and os.path.isabs(config):
        yield config
        return
    for base in [prefix] if prefix else [*beside, *(str(Path(one).parent) for one in USUAL)]:
        root = base if os.path.isabs(base) else os.path.join(cwd, base)
        yield os.path.normpath(os.path.join(root, config or os.path.join("conf", "nginx.conf")))
    if not config:
        yield from USUAL


def _elsewhere(pid: int) -> bool:
    """Whether a process runs in a container that this program is not in. Linux only; no sign of one counts as none."""
    theirs, ours = _group(str(pid)), _group("self")
    if theirs == ours or not _CONTAINER.search(theirs):
        return False
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    except OSError:  # another user's process
        return True


def _group(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""
