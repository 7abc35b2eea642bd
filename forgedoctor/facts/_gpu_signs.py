"""What shows of NVIDIA's driver in a Linux system without asking it: device files, modules, libraries, variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from forgedoctor.facts._gpu_types import Signs
from forgedoctor.facts._host import read

_VARIABLES = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES")
_VERSION = re.compile(r"(?:Kernel Module|NVRM version).*?\s(\d{3,4}\.\d+(?:\.\d+)?)\s")
_EFI = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_LIBRARIES = (
    "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/lib/wsl/lib",
    "usr/local/nvidia/lib64", "run/opengl-driver/lib",
)  # fmt: skip


def linux(root: Path, env: Mapping[str, str], library: str, failed: bool) -> Signs:
    """The marks below ``root``. ``failed``: NVML gave an error, so it is worth trying to open the device files."""
    nodes = _nodes(root)
    return Signs(
        nodes=tuple(f"/dev/{name}" for name in nodes),
        closed=tuple(f"/dev/{name}" for name in nodes if failed and _is_closed(root / "dev" / name)),
        module=module_version(read(root / "proc/driver/nvidia/version")),
        modules=tuple(name for name in ("nvidia", "nouveau", "amdgpu") if (root / "sys/module" / name).exists()),
        library=library,
        wsl_library=_exists(root / "usr/lib/wsl/lib/libnvidia-ml.so.1"),
        cuda=True if any(_exists(root / place / "libcuda.so.1") for place in _LIBRARIES) else None,
        secure_boot=_secure_boot(root),
        variables={name: env[name][:200] for name in _VARIABLES if name in env},
    )


def module_version(text: str) -> str:
    """The version in /proc/driver/nvidia/version, of the closed and of the open kernel module."""
    found = _VERSION.search(text)
    return found[1] if found else ""


def library_version(path: str) -> str:
    """The version at the end of a library's file name: libnvidia-ml.so.550.54.14."""
    found = re.search(r"\.so\.(\d{3,4}(?:\.\d+)+)$", path)
    return found[1] if found else ""


def _nodes(root: Path) -> list[str]:
    try:
        names = os.listdir(root / "dev")
    except OSError:
        return []
    wanted = re.compile(r"nvidia\d+|nvidiactl|nvidia-uvm|dxg|kfd")
    return sorted(name for name in names if wanted.fullmatch(name))


def _is_closed(path: Path) -> bool:
    """Whether it may not be opened. A control group refuses although the file's rights would allow."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _secure_boot(root: Path) -> bool | None:
    """Source: the last of the variable's five bytes is 1 where secure boot is on."""
    try:
        value = (root / _EFI).read_bytes()[:16]
    except OSError:
        return None
    return value[-1] == 1 if len(value) == 5 else None
