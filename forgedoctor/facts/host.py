"""This machine, as far as one cheap look tells: system, container, rights, port limits."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from forgedoctor.fact import Fact, collector
from forgedoctor.facts import _host
from forgedoctor.target import Target


class Host(Fact, frozen=True, kw_only=True):
    """The machine that the doctor runs on.

    ``system``: linux, windows, macos, or empty where it is another one. ``release``: the kernel's release
    (Linux), the version with its build (``10.0.22631``; builds from 22000 on are Windows 11), the macOS
    version. ``wsl``: the kernel is that of WSL (a container in Docker Desktop for Windows has it too).
    ``container``: docker, podman, kubernetes, another kind as ``container``, or empty: no sign of one.
    ``elevated``: root, or an administrator's elevated rights; None where it cannot be told. ``python``: the
    version of the Python that runs the doctor. ``low_port``: ports below it need rights (0: none does; macOS
    from 10.14 on still asks for them on a specific address). ``ephemeral``: first and last port that the
    system hands out by itself; None where not known.
    """

    system: str = ""
    release: str = ""
    wsl: bool = False
    container: str = ""
    elevated: bool | None = None
    python: str = ""
    low_port: int = 1024
    ephemeral: tuple[int, int] | None = None


@collector(Host, scopes=("live", "preflight"))
def collect(target: Target) -> Host:
    """Look at the platform, some files of /proc and /run, the environment. Starts one sysctl on macOS."""
    root = Path("/")
    system = _host.system_of(sys.platform)
    release = _host.release(system)
    linux = system == "linux"
    return Host(
        source="this machine",
        system=system,
        release=release,
        wsl=linux and _host.is_wsl(root),
        container=_host.container(root, os.environ) if linux else "",
        elevated=_host.elevated(),
        python=".".join(map(str, sys.version_info[:3])),
        low_port=_host.low_port(system, release, root),
        ephemeral=_host.ephemeral(system, root),
    )
