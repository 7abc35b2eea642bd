"""How each system tells what it is. The root folder and the environment are parameters, for tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_SYSTEMS = {"linux": "linux", "win32": "windows", "cygwin": "windows", "darwin": "macos"}
# What the variable ``container`` and /run/systemd/container hold. Source: systemd, Container Interface.
_ENGINES = {"docker": "docker", "podman": "podman", "oci": "container"}
# Parts of the source path of /etc/hosts, /etc/hostname or /etc/resolv.conf in mountinfo, and of cgroup v1
# paths.
_TRACES = (
    ("kubelet/pods", "kubernetes"),
    ("kubepods", "kubernetes"),
    ("docker/containers", "docker"),
    ("/docker/", "docker"),
    ("/docker-", "docker"),
    ("overlay-containers", "podman"),
    ("libpod", "podman"),
    ("/lxc/", "container"),
    ("lxc.payload", "container"),
)
_INJECTED = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


def system_of(platform: str) -> str:
    """linux, windows, macos, or empty for another system, from ``sys.platform``."""
    return _SYSTEMS.get(platform, "")


def release(system: str) -> str:
    """The release as Host gives it."""
    if sys.platform == "win32":  # platform.release() may ask WMI, which hangs on some machines
        version = sys.getwindowsversion()
        return f"{version.major}.{version.minor}.{version.build}"
    import platform

    return platform.mac_ver()[0] if system == "macos" else platform.release()


def is_wsl(root: Path) -> bool:
    """Whether the kernel is that of WSL 1 or 2. Source: /proc/version names Microsoft in both."""
    return "microsoft" in read(root / "proc/version").lower()


def container(root: Path, env: Mapping[str, str]) -> str:
    """docker, podman, kubernetes, container, or empty.

    cgroup v2 with a namespace of its own shows ``0::/`` only, so the absence of all signs proves nothing.
    """
    if env.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    traced = _traced(root)
    if traced or (root / ".dockerenv").exists():
        return traced or "docker"
    told = (env.get("container") or read(root / "run/systemd/container")).strip()
    if told and not told.startswith("wsl"):
        return _ENGINES.get(told, "container")
    return ""


def _traced(root: Path) -> str:
    """The engine whose paths show in the control group or in the files that it mounts into a container."""
    paths = [line.split(":", 2)[-1] for line in read(root / "proc/self/cgroup").splitlines()]
    for line in read(root / "proc/self/mountinfo").splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[4] in _INJECTED:
            paths.append(fields[3])
    return next((engine for part, engine in _TRACES if any(part in path for path in paths)), "")


def elevated() -> bool | None:
    """Whether this process may do everything: user id 0, or the elevated token of an administrator."""
    if sys.platform == "win32":
        import ctypes

        try:
            return bool(ctypes.windll.shell32.IsUserAnAdmin())
        except (AttributeError, OSError):
            return None
    return os.geteuid() == 0


def low_port(system: str, release: str, root: Path) -> int:
    """The first port that needs no rights. Source: Linux ip-sysctl; macOS 10.14 lifted it for 0.0.0.0."""
    if system == "linux":
        return _number(read(root / "proc/sys/net/ipv4/ip_unprivileged_port_start"), 1024)
    if system == "macos":
        parts = [_number(part, 0) for part in release.split(".")[:2]]
        return 1024 if parts and tuple(parts) < (10, 14) and parts[0] else 0
    return 0 if system == "windows" else 1024


def ephemeral(system: str, root: Path) -> tuple[int, int] | None:
    """The range the system picks ports from. None on Windows, where only a slow netsh would tell."""
    if system == "linux":
        return _pair(read(root / "proc/sys/net/ipv4/ip_local_port_range"))
    if system == "macos":
        return _pair(_sysctl("net.inet.ip.portrange.first", "net.inet.ip.portrange.last"))
    return None


def _sysctl(*names: str) -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", *names], capture_output=True, text=True, timeout=1, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _pair(text: str) -> tuple[int, int] | None:
    numbers = [_number(word, -1) for word in text.split()[:2]]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) >= 0 else None


def _number(text: str, default: int) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() else default


def read(path: Path, limit: int = 200_000) -> str:
    """A small file as text; empty where it is not there or may not be read."""
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
