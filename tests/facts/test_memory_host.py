"""This machine's memory: limits of control groups (trees as Linux shows them, and real ones), and page files."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from forgedoctor.facts import _cgroup, memory
from forgedoctor.facts._memory_windows import Commit, PageFile, can_grow_to, page_files
from forgedoctor.facts.memory import Memory
from forgedoctor.target import Target
from tests.forge_like import ROOT

GIB, MIB = 1024**3, 1024**2
NONE_V1 = "9223372036854771712"
V1 = "40 30 0:35 {root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
V2 = "31 23 0:28 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def tree(path: Path, files: dict[str, str]) -> Path:
    """A folder that stands for "/"."""
    for name, text in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return path


def v2(folder: str, limit: str, used: int, **more: str) -> dict[str, str]:
    """The files of one group of cgroup v2."""
    place = f"sys/fs/cgroup/{folder}".rstrip("/")
    files = {"memory.max": limit, "memory.current": str(used), "memory.high": "max", "memory.swap.max": "max"}
    return {f"{place}/{name}": text + "\n" for name, text in {**files, **more}.items()}


def v1(folder: str, limit: str, used: int, **more: str) -> dict[str, str]:
    """The files of one group of cgroup v1."""
    place = f"sys/fs/cgroup/memory/{folder}".rstrip("/")
    files = {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": str(used)}
    return {f"{place}/{name}": text + "\n" for name, text in {**files, **more}.items()}


def here(root: Path, total: int = 64 * GIB, available: int = 60 * GIB, pid: int | None = None) -> Memory:
    return memory.with_linux(Memory(total=total, available=available, swap_total=8 * GIB, swap_free=8 * GIB), root, pid)


# -- cgroup v2 -----------------------------------------------------------------------------------------------------


def test_the_smallest_limit_up_to_the_root_counts(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/forge.slice/forge.service\n",
            "proc/self/mountinfo": V2.format(root="/"),
            **v2("forge.slice/forge.service", "max", 5 * GIB),
            **v2("forge.slice", str(16 * GIB), 12 * GIB, **{"memory.stat": f"inactive_file {3 * GIB}\nactive_file {GIB}\n"}),
        },
    )  # fmt: skip
    found = here(root)
    assert (found.cgroup, found.allowed) == (2, 16 * GIB)
    assert found.limited and found.limited.path == "/forge.slice"
    assert found.room == 8 * GIB  # 12 used, of which 4 are page cache that is given back at once


def test_a_container_with_a_namespace_of_its_own_sees_itself_as_the_root(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2.format(root="/"),
            **v2("", str(8 * GIB), 2 * GIB, **{"memory.swap.max": "0", "memory.swap.current": "0", "memory.events": "low 0\noom 2\noom_kill 2\n"}),
        },
    )  # fmt: skip
    found = here(root)
    assert (found.allowed, found.room, found.swap_room) == (8 * GIB, 6 * GIB, 0)
    assert found.cgroups[0].oom_kills == 2


def test_a_process_beside_the_namespace_is_judged_by_the_root_that_is_seen(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/77/cgroup": "0::/../other\n",
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2.format(root="/"),
            **v2("", str(8 * GIB), GIB),
        },
    )
    assert here(root, pid=77).allowed == 8 * GIB


def test_no_controller_is_no_limit(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2.format(root="/"),
            "sys/fs/cgroup/cgroup.controllers": "cpu io\n",
        },
    )
    found = here(root)
    assert (found.cgroup, found.limited, found.room) == (0, None, 60 * GIB)


def test_it_is_the_running_forge_that_counts(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user.slice/session-1.scope\n",
            "proc/4242/cgroup": "0::/system.slice/forge.service\n",
            "proc/self/mountinfo": V2.format(root="/"),
            **v2("user.slice/session-1.scope", "max", GIB),
            **v2("system.slice/forge.service", str(6 * GIB), 5 * GIB),
        },
    )
    assert here(root).limited is None
    running = here(root, pid=4242)
    assert running.pid == 4242 and running.allowed == 6 * GIB
    assert here(root, pid=4243).pid is None  # gone in between: the doctor's own group


# -- cgroup v1 -----------------------------------------------------------------------------------------------------


def test_v1_with_the_hosts_path_and_the_containers_mount(tmp_path: Path) -> None:
    docker = "/docker/0123abcd"
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": f"5:cpu:/\n4:memory:{docker}\n0::/system.slice\n",
            "proc/self/mountinfo": V1.format(root=docker) + V2.format(root="/"),
            **v1("", str(4 * GIB), 3 * GIB, **{"memory.memsw.limit_in_bytes": str(5 * GIB), "memory.memsw.usage_in_bytes": str(3 * GIB), "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"}),
        },
    )  # fmt: skip
    found = here(root)
    assert (found.cgroup, found.allowed, found.room, found.swap_room) == (1, 4 * GIB, GIB, GIB)
    assert found.cgroups[0].oom_kills == 1


def test_v1_nested_and_unlimited(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/a/b\n",
            "proc/self/mountinfo": V1.format(root="/"),
            **v1("a/b", NONE_V1, GIB),
            **v1("a", str(2 * GIB), GIB, **{"memory.stat": f"cache 1\ntotal_inactive_file {GIB // 2}\n"}),
            **v1("", NONE_V1, 9 * GIB),
        },
    )
    found = here(root)
    assert [one.path for one in found.cgroups] == ["/a"]
    assert found.room == 2 * GIB - GIB // 2


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "\x00\xff::", "proc/self/mountinfo": " - \n - cgroup\n"},
        {"proc/self/cgroup": "0::/a", "proc/self/mountinfo": V2.format(root="/"), **v2("a", "lots", 5)},
        {"proc/self/cgroup": "0::/a", "proc/self/mountinfo": V2.format(root="/"), **v2("a", "9" * 99, 5, **{"memory.stat": "x"})},
        {"proc/self/cgroup": "0::" + "/a" * 5000, "proc/self/mountinfo": V2.format(root="/")},
    ],
)  # fmt: skip
def test_odd_files_are_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    assert here(tree(tmp_path, files)).limited is None


def test_what_the_kernel_has_killed_since_the_start(tmp_path: Path) -> None:
    assert here(tree(tmp_path, {"proc/vmstat": "nr_free_pages 12\noom_kill 3\n"})).oom_kills == 3
    assert here(tmp_path / "nothing").oom_kills is None


# -- real ones -----------------------------------------------------------------------------------------------------


def place_for_groups() -> tuple[Path, int] | None:
    """Where groups with a memory limit can be made here: (folder, version)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    for folder, version in ((Path("/sys/fs/cgroup/memory"), 1), (Path("/sys/fs/cgroup"), 2)):
        if version == 1 and (folder / "memory.limit_in_bytes").exists():
            return folder, 1
        control = folder / "cgroup.subtree_control"
        if version == 2 and control.exists() and "memory" in control.read_text().split():
            return folder, 2
    return None


PLACE = place_for_groups()
needs_groups = pytest.mark.skipif(PLACE is None, reason="no control groups with a memory limit to be made")
TELL = (
    "import msgspec, sys; from forgedoctor.facts import memory; from forgedoctor.target import Target; "
    "sys.stdout.buffer.write(msgspec.json.encode(memory.collect(Target(scope='live'), None)))"
)
GREEDY = "held = bytearray(400 << 20)\nfor at in range(0, len(held), 4096): held[at] = 1"


@contextlib.contextmanager
def group(limit: int) -> Iterator[Path]:
    """Two groups, the limit on the outer one; yields the inner one. Nothing else of this machine is touched."""
    assert PLACE
    outer = PLACE[0] / f"forgedoctor-{uuid.uuid4().hex[:8]}"
    inner = outer / "inner"
    try:
        outer.mkdir()
        (outer / ("memory.limit_in_bytes" if PLACE[1] == 1 else "memory.max")).write_text(str(limit))
        swap = outer / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
        if PLACE[1] == 2:
            (outer / "cgroup.subtree_control").write_text("+memory")
        inner.mkdir()
        yield inner
    finally:
        for one in (inner, outer):
            if one.exists():
                one.rmdir()


def inside(where: Path, code: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python in a group."""
    script = f'echo $$ > "{where}/cgroup.procs" && exec "$0" -c "$1"'
    return subprocess.run(
        ["sh", "-c", script, sys.executable, code], capture_output=True, cwd=ROOT, timeout=60, check=False
    )


@pytest.mark.real
@needs_groups
def test_a_real_limit_on_the_group_above() -> None:
    with group(300 * MIB) as where:
        done = inside(where, TELL)
    found = msgspec.json.decode(done.stdout, type=Memory)
    assert PLACE and found.cgroup == PLACE[1]
    assert found.allowed == 300 * MIB and found.total > 300 * MIB
    assert found.limited and found.limited.path.startswith("/forgedoctor-") and 0 < found.room < 300 * MIB


@pytest.mark.real
@needs_groups
def test_what_the_kernel_really_killed_is_counted() -> None:
    with group(200 * MIB) as where:
        before = msgspec.json.decode(inside(where, TELL).stdout, type=Memory)
        assert inside(where, GREEDY).returncode == -9
        after = msgspec.json.decode(inside(where, TELL).stdout, type=Memory)
    assert [one.oom_kills for one in before.cgroups[:1]] == [0]
    assert after.cgroups[0].oom_kills == 1
    assert (after.oom_kills or 0) > (before.oom_kills or 0)


def test_this_machine_has_memory() -> None:
    found = memory.collect(Target(scope="live"), None)
    assert 0 < found.room <= found.available <= found.total


def test_a_path_of_a_group_never_leaves_the_mount(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/../../etc\n",
            "proc/self/mountinfo": V2.format(root="/"),
            "etc/memory.current": "5\n",
        },
    )
    assert _cgroup.look(root).groups == ()


# -- Windows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["?:\\pagefile.sys"], [("?:", True, 0)]),
        (["c:\\pagefile.sys 0 0"], [("C:", True, 0)]),
        (["C:\\pagefile.sys 4096 8192", "D:\\pagefile.sys 16384 16384"], [("C:", False, 8 * GIB), ("D:", False, 16 * GIB)]),
        (["C:\\pagefile.sys 800"], [("C:", False, 800 * MIB)]),
        (["C:\\page file.sys 16 32"], [("C:", False, 32 * MIB)]),
        (["\\??\\E:\\pagefile.sys"], [("E:", True, 0)]),
        ([], []),
        ([""], []),
    ],
)  # fmt: skip
def test_page_files_as_the_registry_has_them(lines: list[str], expected: list[tuple[str, bool, int]]) -> None:
    assert [(one.drive, one.managed, one.most) for one in page_files(lines)] == expected


MANAGED = PageFile(drive="C:", size=2 * GIB, free=500 * GIB)


@pytest.mark.parametrize(
    ("files", "ceiling"),
    [
        ([MANAGED], 16 + 2 + 46),  # three times the RAM
        ([msgspec.structs.replace(MANAGED, free=10 * GIB)], 16 + 2 + 10),
        ([PageFile(drive="C:", managed=False, first=2 * GIB, most=6 * GIB, size=2 * GIB, free=500 * GIB)], 16 + 2 + 4),
        ([PageFile(drive="C:", managed=False, first=2 * GIB, most=2 * GIB, size=2 * GIB)], 16 + 2),
        ([], 16 + 2),
        ([msgspec.structs.replace(MANAGED, free=None)], None),
    ],
)
def test_how_far_the_commit_limit_can_grow(files: list[PageFile], ceiling: int | None) -> None:
    found = can_grow_to(Commit(limit=18 * GIB, used=10 * GIB), 16 * GIB, files)
    assert found == (None if ceiling is None else ceiling * GIB)
