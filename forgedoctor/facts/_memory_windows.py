"""What Windows tells of its memory: the commit charge and its limit, and how the page files are set.

Source: learn.microsoft.com, PERFORMANCE_INFORMATION (psapi.h), "Introduction to page files"; PagingFiles in the
registry: "Standard 8 module reference".
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

_KEY = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management"
_LINE = re.compile(r"(?P<path>.*?)(?:\s+(?P<first>\d{1,9})(?:\s+(?P<most>\d{1,9}))?)?\s*")
GIB, MIB = 1024**3, 1024**2


class PageFile(msgspec.Struct, frozen=True, kw_only=True):
    """One page file as it is set.

    ``managed``: Windows chooses and changes its size; else ``first`` and ``most`` are its sizes in bytes. ``drive``:
    ``C:``, or ``?:`` where Windows chooses the drive too. ``size``: bytes now, ``free``: bytes free on its drive; None
    where not known.
    """

    drive: str
    managed: bool = True
    first: int = 0
    most: int = 0
    size: int | None = None
    free: int | None = None


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that programs were promised (``used``), and how many can be (``limit``: RAM and the page files as large as
    they are now)."""

    limit: int
    used: int


def page_files(lines: Iterable[str]) -> tuple[PageFile, ...]:
    """The page files out of the registry's ``PagingFiles``: ``?:\\pagefile.sys`` or ``C:\\pagefile.sys 4096 8192``
    (MiB; none, or two zeros: Windows manages the size)."""
    found = []
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if not match or not match["path"]:
            continue
        first, most = int(match["first"] or 0) * MIB, int(match["most"] or 0) * MIB
        drive = match["path"].removeprefix("\\??\\")[:2].upper()
        found.append(PageFile(drive=drive, managed=not first and not most, first=first, most=max(first, most)))
    return tuple(found)


def can_grow_to(commit: Commit, ram: int, files: Iterable[PageFile]) -> int | None:
    """The commit limit once the page files have grown as far as they may; None where that cannot be worked out.

    A managed page file grows to three times the RAM or 4 GiB, whichever is more, while its drive has room. (It also
    stops at an eighth of the drive, a rule that not every version of Windows keeps: it is left out, so this is an upper
    bound.)
    """
    limit = commit.limit
    for one in files:
        size = one.size if one.size is not None else one.first
        most = max(3 * ram, 4 * GIB) if one.managed else one.most
        growth = max(0, most - size)
        if one.free is None and growth:
            return None
        limit += min(growth, one.free or 0)
    return limit


def commit() -> Commit | None:
    """The numbers of GetPerformanceInfo; None on other systems, and where the call fails."""
    if sys.platform != "win32":
        return None
    import ctypes

    class Information(ctypes.Structure):
        _fields_ = [
            ("size", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("total", "limit", "peak", "ram", "available", "cache")),
            *((name, ctypes.c_size_t) for name in ("kernel", "paged", "nonpaged", "page")),
            *((name, ctypes.c_uint32) for name in ("handles", "processes", "threads")),
        ]

    told = Information()
    told.size = ctypes.sizeof(told)
    try:
        if not ctypes.windll.psapi.GetPerformanceInfo(ctypes.byref(told), told.size):
            return None
    except (AttributeError, OSError):
        return None
    return Commit(limit=told.limit * told.page, used=told.total * told.page)


def settings() -> tuple[PageFile, ...] | None:
    """The page files as the registry has them, with their sizes and the room on their drives; None where it may not be
    read. Empty: there is none."""
    try:
        winreg: Any = importlib.import_module("winreg")
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _KEY) as key:
            lines = winreg.QueryValueEx(key, "PagingFiles")[0]
            existing = _existing(winreg, key)
    except (ImportError, OSError):
        return None
    lines = [lines] if isinstance(lines, str) else lines or []
    return tuple(_measured(one, existing) for one in page_files(map(str, lines)))


def _existing(winreg: Any, key: Any) -> list[str]:
    """The page files in use, as ``C:\\pagefile.sys``."""
    try:
        value = winreg.QueryValueEx(key, "ExistingPageFiles")[0]
    except OSError:
        return []
    return [str(one).removeprefix("\\??\\") for one in ([value] if isinstance(value, str) else value or [])]


def _measured(one: PageFile, existing: list[str]) -> PageFile:
    """With the size of the file on that drive, and the room that is left there."""
    import os
    import shutil

    path = next((path for path in existing if one.drive in ("?:", path[:2].upper())), "")
    own = os.environ.get("SYSTEMDRIVE", "C:") if one.drive == "?:" else one.drive
    drive = path[:2].upper() or own
    try:
        free: int | None = shutil.disk_usage(drive + "\\").free
    except OSError:
        free = None
    return msgspec.structs.replace(one, drive=drive, size=_listed_size(path) if path else 0, free=free)


def _listed_size(path: str) -> int | None:
    """A page file in use cannot be opened, but its folder's listing has its size."""
    import os

    try:
        with os.scandir(os.path.dirname(path)) as entries:
            return next((one.stat().st_size for one in entries if one.path.lower() == path.lower()), None)
    except OSError:
        return None
