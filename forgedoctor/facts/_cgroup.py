"""The memory limits of the control group that a process is in (cgroup v1 and v2), from /proc and /sys.

Source: Linux, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst; how paths and mounts belong together:
cgroups(7), cgroup_namespaces(7).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from forgedoctor.facts._host import read

# "No limit" of cgroup v1 is the largest number of whole pages: 2**63 - 4096 with pages of 4 KiB, less with larger ones.
_NO_LIMIT = 2**62
_MOST_LEVELS = 64


class CgroupLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One control group on the way from the process to the root, in bytes.

    ``path``: as /proc names it. ``limit``: beyond it the kernel kills; ``high``: beyond it the kernel slows down (v2).
    None is no limit. ``used`` counts the page cache, of which ``cache`` can be given back at once. ``swap_limit``:
    swap alone; ``swap_used`` likewise (v1 counts both together, and the swap part is worked out here).
    ``oom_kills``: processes that the kernel has killed in it, since the group was made; v2 adds up those below.
    """

    path: str
    limit: int | None = None
    high: int | None = None
    used: int | None = None
    cache: int = 0
    swap_limit: int | None = None
    swap_used: int | None = None
    oom_kills: int | None = None

    @property
    def left(self) -> int | None:
        """What can still be had before the limit, the page cache counted as free; None without a limit."""
        if self.limit is None or self.used is None:
            return None
        return max(0, self.limit - max(0, self.used - self.cache))

    @property
    def swap_left(self) -> int | None:
        """The swap that this group may still use; None where nothing limits it."""
        return None if self.swap_limit is None else max(0, self.swap_limit - (self.swap_used or 0))


class Found(NamedTuple):
    """``version`` 1 or 2 (0: no memory controller); the groups that say anything, the process's own first."""

    version: int
    groups: tuple[CgroupLimit, ...]


class _Mount(NamedTuple):
    root: str
    point: str


def look(root: Path, pid: int | str = "self") -> Found:
    """The groups of a process (a pid, or ``self``). ``root`` stands for "/", for tests."""
    memberships = [line.split(":", 2) for line in read(root / f"proc/{pid}/cgroup").splitlines()]
    mounts = read(root / "proc/self/mountinfo")
    named = next((one[2] for one in memberships if len(one) == 3 and "memory" in one[1].split(",")), None)
    if named is not None:
        mount = _mount(mounts, "cgroup", "memory")
        return Found(1, tuple(_groups_v1(root, mount, named))) if mount else Found(0, ())
    unified = next((one[2] for one in memberships if len(one) == 3 and one[:2] == ["0", ""]), None)
    mount = _mount(mounts, "cgroup2")
    if unified is None or mount is None:
        return Found(0, ())
    groups = tuple(_groups_v2(root, mount, unified))
    return Found(2 if groups or _has_memory(root, mount) else 0, groups)


def _mount(mountinfo: str, kind: str, option: str = "") -> _Mount | None:
    """The last mount of that kind: (its root in the hierarchy, where it is)."""
    found = None
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if not dash or len(fields) < 5 or not tail or tail[0] != kind:
            continue
        if not option or option in tail[-1].split(","):
            found = _Mount(unescaped(fields[3]), unescaped(fields[4]))
    return found


def unescaped(text: str) -> str:
    """A path of mountinfo, whose blanks are written ``\\040`` and the like."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text


def _levels(mount: _Mount, path: str) -> Iterator[tuple[str, str]]:
    """(name, folder) of the group and those above it, as far as the mount shows them.

    A container sees its own group as the mount's root, and its path from the host's root, from its own, or not at all
    (``/../x``, a group beside it): the mount's root is then the nearest group that it can know of.
    """
    below = PurePosixPath("/")
    if ".." not in PurePosixPath(path).parts:
        if mount.root in ("/", path) or path.startswith(mount.root.rstrip("/") + "/"):
            below = PurePosixPath("/") / path[len(mount.root.rstrip("/")) :].lstrip("/")
        elif mount.root.startswith("/.."):
            below = PurePosixPath(path)
    for level in (below, *below.parents)[:_MOST_LEVELS]:
        inside = str(level).lstrip("/")
        yield "/" + inside, f"{mount.point.rstrip('/')}/{inside}".rstrip("/")


def _groups_v1(root: Path, mount: _Mount, path: str) -> Iterator[CgroupLimit]:
    for name, folder in _levels(mount, path):
        place = root / folder.lstrip("/")
        limit, used = _limit(place / "memory.limit_in_bytes"), _number(place / "memory.usage_in_bytes")
        both, both_used = _limit(place / "memory.memsw.limit_in_bytes"), _number(place / "memory.memsw.usage_in_bytes")
        stat = _table(place / "memory.stat")
        group = CgroupLimit(
            path=name,
            limit=limit,
            used=used,
            cache=stat.get("total_inactive_file", 0) + stat.get("total_active_file", 0),
            swap_limit=None if both is None or limit is None else max(0, both - limit),
            swap_used=None if both_used is None or used is None else max(0, both_used - used),
            oom_kills=_table(place / "memory.oom_control").get("oom_kill"),
        )
        if limit is not None or group.oom_kills is not None:
            yield group


def _groups_v2(root: Path, mount: _Mount, path: str) -> Iterator[CgroupLimit]:
    for name, folder in _levels(mount, path):
        place = root / folder.lstrip("/")
        used = _number(place / "memory.current")
        if used is None:  # the root of the hierarchy, or the controller is off below
            continue
        stat = _table(place / "memory.stat")
        yield CgroupLimit(
            path=name,
            limit=_limit(place / "memory.max"),
            high=_limit(place / "memory.high"),
            used=used,
            cache=sum(stat.get(key, 0) for key in ("inactive_file", "active_file", "slab_reclaimable")),
            swap_limit=_limit(place / "memory.swap.max"),
            swap_used=_number(place / "memory.swap.current"),
            oom_kills=_table(place / "memory.events").get("oom_kill"),
        )


def _has_memory(root: Path, mount: _Mount) -> bool:
    return "memory" in read(root / mount.point.lstrip("/") / "cgroup.controllers").split()


def _number(path: Path) -> int | None:
    """A file of one number, in bytes; None for ``max``, and where it is not there."""
    text = read(path, 100).strip()
    return int(text) if text.isdecimal() and len(text) < 30 else None


def _limit(path: Path) -> int | None:
    value = _number(path)
    return None if value is None or value >= _NO_LIMIT else value


def _table(path: Path) -> dict[str, int]:
    """A file of lines ``name number``."""
    rows = (line.split() for line in read(path, 20_000).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal() and len(row[1]) < 30}
