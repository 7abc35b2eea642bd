from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import ERROR, LIKELY, POSSIBLE, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch, Memory, Models
from forgedoctor_checks.host import _memory

_STARTS = 2 * _memory.GIB  # below it even the import of torch and the web server do not fit


@check(
    "container-memory-limit", severity=WARNING, group="host", systems=["linux"], explains=["linux-oom-killed"],
)  # fmt: skip
def container_memory_limit(
    memory: Memory, host: Host, launch: Launch | None, models: Models | None
) -> Iterator[Finding]:
    """The container or service may not use as much RAM as Forge needs.

    What happens: Forge is killed while it loads a model, with exit status 137 and no word, though the machine has RAM
    to spare; its own "total RAM" line shows the whole machine's.
    Why: docker --memory, resources.limits of Kubernetes, MemoryMax of systemd, a hoster's plan: the kernel ends what
    goes beyond. Forge reads /proc, where the limit does not show.
    Fix: raise the limit, or choose a smaller file.
    Source: Linux, cgroup-v1 memory.rst, cgroup-v2.rst; psutil reads /proc/meminfo.
    """
    group = memory.limited
    if group is None or group.limit is None:
        return
    wanted = _memory.need(models)
    swap = memory.swap_room
    running = bool(launch and launch.running)
    left = group.limit if running or group.left is None else group.left
    if left + swap >= wanted.whole:
        return
    ours = memory.pid is not None or bool(host.container) or not running
    yield Finding(
        t(
            "This container or service may use {limit} of RAM, and Forge will take about {need}: the kernel would end it.",
            limit=_memory.gib(group.limit),
            need=_memory.gib(wanted.whole),
        ),
        evidence=[
            Evidence(t("the limit stands in the control group {path}", path=group.path), memory.source),
            Evidence(t("left of it: {left}; the machine has {total}", left=_memory.gib(group.left or 0), total=_memory.gib(memory.total))),
            Evidence(wanted.text),
        ],
        fixes=[_memory.raise_limit(group, wanted.whole, host), _memory.smaller_model()],
        severity=ERROR if group.limit + swap < _STARTS else WARNING,
        confidence=LIKELY if ours and left + swap < max(wanted.files, _STARTS) else POSSIBLE,
    )  # fmt: skip
