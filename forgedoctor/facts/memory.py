"""This machine's memory: RAM, swap or page file, what Windows has promised, and what a container is allowed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts import _cgroup, _memory_windows, _psutil
from forgedoctor.facts._cgroup import CgroupLimit
from forgedoctor.facts._host import read
from forgedoctor.facts._memory_windows import Commit, PageFile
from forgedoctor.facts.processes import Processes
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["CgroupLimit", "Commit", "Memory", "PageFile", "collect"]


class Memory(Fact, frozen=True, kw_only=True):
    """RAM and what stands behind it, in bytes.

    ``total`` and ``available`` (free, or given back at once) are the machine's, also in a container. ``swap_total`` and
    ``swap_free``: swap, or the page files on Windows. ``commit``: Windows alone refuses memory by what was promised to
    programs, not by what is free; ``page_files``: how they are set there (None: not known; empty: there is none), and
    ``ceiling`` the commit limit once they have grown as far as they may. ``cgroups``: the control groups above a
    process that say anything of memory, its own first: those of the running Forge where ``pid`` is set, else of the
    doctor; ``cgroup`` is 1, 2, or 0 for none. ``oom_kills``: processes killed by the kernel for lack of memory since
    the system started, on the whole machine (None: not told). ``overcommit``: vm.overcommit_memory (2: Linux refuses as
    Windows does).
    """

    total: int
    available: int
    swap_total: int = 0
    swap_free: int = 0
    commit: Commit | None = None
    page_files: tuple[PageFile, ...] | None = None
    ceiling: int | None = None
    cgroup: int = 0
    cgroups: tuple[CgroupLimit, ...] = ()
    pid: int | None = None
    oom_kills: int | None = None
    overcommit: int | None = None

    @property
    def limited(self) -> CgroupLimit | None:
        """The control group that leaves least, if its limit is below what the machine has."""
        below = [one for one in self.cgroups if one.limit is not None and one.limit < self.total]
        return min(below, key=lambda one: (one.limit if one.left is None else one.left) or 0, default=None)

    @property
    def allowed(self) -> int:
        """RAM that a process may use at most."""
        return min([self.total, *(one.limit for one in self.cgroups if one.limit is not None)])

    @property
    def room(self) -> int:
        """RAM that a process can still get: of the machine, or of the tightest group where that is less."""
        return min([self.available, *(one.left for one in self.cgroups if one.left is not None)])

    @property
    def swap_room(self) -> int:
        """Swap that a process can still get."""
        return min([self.swap_free, *(one.swap_left for one in self.cgroups if one.swap_left is not None)])


@collector(Memory, scopes=("live", "preflight"))
def collect(target: Target, processes: Processes | None) -> Memory:
    """Ask psutil, and the kernel's small files or two calls of Windows. Raises Unavailable where psutil cannot tell."""
    ps = _psutil.load()
    try:
        ram = ps.virtual_memory()
    except (ps.Error, OSError, ValueError, RuntimeError) as error:
        raise Unavailable(t("the system does not tell its memory: {why}", why=str(error)), state=State.DENIED) from None
    swap: Any = _psutil.attempt(ps.swap_memory, None)
    pid = processes.forges[0].pid if processes and processes.forges else None
    base = Memory(
        source="psutil",
        total=int(ram.total),
        available=int(ram.available),
        swap_total=int(swap.total) if swap else 0,
        swap_free=int(swap.free) if swap else 0,
    )
    if sys.platform == "win32":
        return _windows(base)
    return with_linux(base, Path("/"), pid) if sys.platform == "linux" else base


def _windows(base: Memory) -> Memory:
    import msgspec

    commit, files = _memory_windows.commit(), _memory_windows.settings()
    ceiling = None
    if commit and files is not None:
        ceiling = _memory_windows.can_grow_to(commit, base.total, files)
    source = "psutil, GetPerformanceInfo" if commit else "psutil"
    return msgspec.structs.replace(base, source=source, commit=commit, page_files=files, ceiling=ceiling)


def with_linux(base: Memory, root: Path, pid: int | None) -> Memory:
    """The same with what /proc and /sys of Linux say beside it; ``root`` stands for "/", for tests."""
    import msgspec

    seen = pid is not None and bool(read(root / f"proc/{pid}/cgroup", 10))
    found = _cgroup.look(root, pid if seen and pid else "self")
    return msgspec.structs.replace(
        base,
        source="psutil, /proc, /sys/fs/cgroup" if found.version else "psutil, /proc",
        cgroup=found.version,
        cgroups=found.groups,
        pid=pid if seen else None,
        oom_kills=_counter(read(root / "proc/vmstat"), "oom_kill"),
        overcommit=_counter("overcommit " + read(root / "proc/sys/vm/overcommit_memory", 20), "overcommit"),
    )


def _counter(text: str, name: str) -> int | None:
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name and words[1].isdecimal():
            return int(words[1])
    return None
