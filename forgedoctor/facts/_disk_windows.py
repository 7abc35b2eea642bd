"""What Windows tells of the drive that a path lies on: its file system, its kind, and whether its disk turns.

Source: learn.microsoft.com, GetVolumePathNameW, GetVolumeInformationW, GetDriveTypeW, IOCTL_STORAGE_QUERY_PROPERTY with
StorageDeviceSeekPenaltyProperty. None of them needs rights.
"""

from __future__ import annotations

import struct
import sys
from typing import Any, NamedTuple

_REMOTE = 4  # DRIVE_REMOTE
_READ_ONLY = 0x00080000  # FILE_READ_ONLY_VOLUME
_QUERY = 0x002D1400  # IOCTL_STORAGE_QUERY_PROPERTY
_SEEK_PENALTY = 7  # StorageDeviceSeekPenaltyProperty
_SHARE = 3  # FILE_SHARE_READ | FILE_SHARE_WRITE
_OPEN_EXISTING = 3


class Drive(NamedTuple):
    """A volume: where it is mounted, its file system, its kind."""

    mount: str
    kind: str = ""
    network: bool = False
    read_only: bool = False
    rotational: bool | None = None


def drive_of(path: str) -> Drive | None:
    """The volume of a path; None on other systems, and where Windows does not know it."""
    if sys.platform != "win32":
        return None
    import ctypes

    kernel: Any = ctypes.windll.kernel32
    mount = ctypes.create_unicode_buffer(1024)
    if not kernel.GetVolumePathNameW(path, mount, 1024):
        return None
    name, flags = ctypes.create_unicode_buffer(64), ctypes.c_uint32()
    told = kernel.GetVolumeInformationW(mount.value, None, 0, None, None, ctypes.byref(flags), name, 64)
    network = kernel.GetDriveTypeW(mount.value) == _REMOTE or mount.value.startswith("\\\\")
    return Drive(
        mount=mount.value,
        kind=name.value.lower() if told else "",
        network=network,
        read_only=bool(told and flags.value & _READ_ONLY),
        rotational=None if network else _turns(kernel, mount.value),
    )


def _turns(kernel: Any, mount: str) -> bool | None:
    if len(mount) != 3 or mount[1] != ":":
        return None
    import ctypes

    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(f"\\\\.\\{mount[:2]}", 0, _SHARE, None, _OPEN_EXISTING, 0, None)
    if handle in (None, ctypes.c_void_p(-1).value):
        return None
    try:
        asked = ctypes.create_string_buffer(struct.pack("<IIB3x", _SEEK_PENALTY, 0, 0), 12)
        answer, got = ctypes.create_string_buffer(12), ctypes.c_uint32()
        done = kernel.DeviceIoControl(
            ctypes.c_void_p(handle), _QUERY, asked, 12, answer, 12, ctypes.byref(got), None
        )  # fmt: skip
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
    return seek_penalty(answer.raw[: got.value]) if done else None


def seek_penalty(answer: bytes) -> bool | None:
    """Whether a DEVICE_SEEK_PENALTY_DESCRIPTOR says that seeking costs time: the disk turns."""
    if len(answer) < 9:
        return None
    version, size, penalty = struct.unpack_from("<IIB", answer)
    return bool(penalty) if version and size >= 9 else None
