"""The Host fact: what system this is, in a container or not, with which rights."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from forgedoctor.facts import _host
from forgedoctor.facts.host import Host, collect
from forgedoctor.target import Target

MOUNT = "618 593 254:1 {source} {target} rw,relatime - ext4 /dev/vda1 rw"


def lay(root: Path, **files: str) -> Path:
    """A root folder with these files (``__`` in a name is a slash)."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_this_machine_is_described_as_it_is() -> None:
    host = collect(Target(scope="live"))
    assert host.system == {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
    assert host.python == ".".join(str(part) for part in sys.version_info[:3])
    assert host.release
    assert msgspec.convert(msgspec.to_builtins(host), Host) == host


@pytest.mark.skipif(sys.platform != "linux", reason="compares with this Linux kernel's own numbers")
def test_the_port_limits_are_the_kernels() -> None:
    host = collect(Target(scope="preflight"))
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert host.ephemeral == (int(low), int(high))
    assert host.low_port == int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())


def test_nothing_is_known_and_nothing_fails_where_proc_is_missing(tmp_path: Path) -> None:
    assert _host.container(tmp_path, {}) == ""
    assert _host.is_wsl(tmp_path) is False
    assert _host.low_port("linux", "6.1", tmp_path) == 1024
    assert _host.ephemeral("linux", tmp_path) is None


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"_dockerenv": ""}, {}, "docker"),
        ({"run__.containerenv": "engine=podman"}, {}, "podman"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.43.0.1"}, "kubernetes"),
        ({"_dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.43.0.1"}, "kubernetes"),
        ({"proc__self__cgroup": "12:pids:/docker/8a1f\n1:name=systemd:/docker/8a1f\n"}, {}, "docker"),
        ({"proc__self__cgroup": "0::/system.slice/docker-8a1f.scope\n"}, {}, "docker"),
        ({"proc__self__cgroup": "9:cpu:/kubepods/besteffort/pod12/34\n"}, {}, "kubernetes"),
        ({"proc__self__cgroup": "0::/machine.slice/libpod-77.scope/container\n"}, {}, "podman"),
        ({"run__systemd__container": "systemd-nspawn"}, {}, "container"),
        ({}, {"container": "lxc"}, "container"),
        ({}, {"container": "podman"}, "podman"),
        ({}, {}, ""),
        ({"proc__self__cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n"}, {}, ""),
        ({"proc__self__cgroup": "0::/system.slice/docker.service\n"}, {}, ""),
        ({"run__systemd__container": "wsl"}, {}, ""),
    ],
)
def test_container_signs(tmp_path: Path, files: dict[str, str], env: dict[str, str], expected: str) -> None:
    names = {name.replace("_dockerenv", ".dockerenv"): text for name, text in files.items()}
    assert _host.container(lay(tmp_path, **names), env) == expected


def test_a_control_group_namespace_does_not_hide_docker(tmp_path: Path) -> None:
    """With cgroup v2 and a namespace of its own the path is just ``/``; the mounted hosts file still tells."""
    mounts = MOUNT.format(source="/var/lib/docker/containers/8a1f/hosts", target="/etc/hosts")
    lay(tmp_path, proc__self__cgroup="0::/\n", proc__self__mountinfo=mounts + "\n")
    assert _host.container(tmp_path, {}) == "docker"


def test_a_mount_of_dockers_folder_elsewhere_is_no_container(tmp_path: Path) -> None:
    mounts = MOUNT.format(source="/var/lib/docker/containers/8a1f/hosts", target="/mnt/look")
    assert _host.container(lay(tmp_path, proc__self__mountinfo=mounts), {}) == ""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("Linux version 5.15.153.1-microsoft-standard-WSL2 (root@941d701f84f1)", True),
        ("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)", True),
        ("Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)", False),
    ],
)
def test_wsl_by_its_kernel(tmp_path: Path, version: str, expected: bool) -> None:
    assert _host.is_wsl(lay(tmp_path, proc__version=version)) is expected


@pytest.mark.parametrize(
    ("system", "release", "expected"),
    [("windows", "10.0.19045", 0), ("macos", "14.5", 0), ("macos", "10.14", 0), ("macos", "10.13.6", 1024)],
)
def test_the_lowest_free_port_of_each_system(tmp_path: Path, system: str, release: str, expected: int) -> None:
    assert _host.low_port(system, release, tmp_path) == expected


def test_a_container_may_open_every_port(tmp_path: Path) -> None:
    lay(tmp_path, proc__sys__net__ipv4__ip_unprivileged_port_start="0\n")
    assert _host.low_port("linux", "6.1", tmp_path) == 0


def test_macos_tells_its_range_by_sysctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="49152\n65535\n"))
    assert _host.ephemeral("macos", tmp_path) == (49152, 65535)


def test_macos_without_sysctl_gives_no_range(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("sysctl")

    monkeypatch.setattr(subprocess, "run", missing)
    assert _host.ephemeral("macos", tmp_path) is None


def test_windows_release_and_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' numbers come from getwindowsversion (platform may ask WMI and hang)."""
    monkeypatch.setattr(sys, "platform", "win32")
    version = SimpleNamespace(major=10, minor=0, build=22631)
    monkeypatch.setattr(sys, "getwindowsversion", lambda: version, raising=False)
    shell = SimpleNamespace(IsUserAnAdmin=lambda: 1)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(shell32=shell), raising=False)
    assert _host.release("windows") == "10.0.22631"
    assert _host.elevated() is True
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(shell32=SimpleNamespace()), raising=False)
    assert _host.elevated() is None


@pytest.mark.skipif(os.name != "posix", reason="user ids")
def test_root_is_elevated_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert _host.elevated() is False
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert _host.elevated() is True
