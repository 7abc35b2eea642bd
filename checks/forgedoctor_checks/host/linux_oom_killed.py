from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import ERROR, INFO, LIKELY, POSSIBLE, WARNING, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import CgroupLimit, Host, Launch, Memory, Models
from forgedoctor_checks.host import _memory


@check("linux-oom-killed", severity=WARNING, group="host", systems=["linux"], explains=["endpoint-unreachable"])
def linux_oom_killed(memory: Memory, host: Host, launch: Launch | None, models: Models | None) -> Iterator[Finding]:
    """The kernel ends Forge, because memory is used up.

    What happens: "Killed" in the terminal, exit status 137, a container that starts again and again; Python says
    nothing.
    Why: RAM and swap of the machine, or the limit of the container or service, are smaller than the model that is
    being loaded. The kernel then ends the largest program.
    Fix: a higher limit, swap, more RAM, or a smaller file.
    Source: Linux, cgroup-v2.rst (memory.events), cgroup-v1 memory.oom_control; measured with a limit of 60 MB.
    """
    wanted = _memory.need(models)
    group = _struck(memory, bool(host.container))
    running = bool(launch and launch.running)
    if group:
        inside = memory.pid is not None or bool(host.container)
        yield Finding(
            t("The kernel has killed {count} programs of this group for lack of memory: {path}.", count=group.oom_kills, path=group.path),
            evidence=[*_limit(group), _memory.ram(memory), Evidence(wanted.text)],
            fixes=[_remedy(group, memory, wanted, host), _memory.smaller_model(), _who()],
            severity=ERROR if host.container and not running else WARNING,
            confidence=LIKELY if inside else POSSIBLE,
        )  # fmt: skip
    elif memory.oom_kills and not host.container:
        yield Finding(
            t("The kernel has killed {count} programs for lack of memory since the start; Forge may have been one.", count=memory.oom_kills),
            evidence=[Evidence(t("oom_kill {count}", count=memory.oom_kills), "/proc/vmstat"), _memory.ram(memory)],
            fixes=[_who(), _memory.more_swap(wanted.whole, host)],
            severity=INFO,
            confidence=POSSIBLE,
        )  # fmt: skip


def _struck(memory: Memory, container: bool) -> CgroupLimit | None:
    """The process's own group, or one above it whose limit is what others were killed for."""
    for index, one in enumerate(memory.cgroups):
        own = (index == 0 and one.path != "/") or one.limit is not None
        if one.oom_kills and own:
            return one
    # cgroup namespaces: a container's own group is "/" to it, and the machine's root counts nothing in v2.
    first = memory.cgroups[0] if memory.cgroups else None
    return first if first and first.oom_kills and (memory.cgroup == 2 or container) else None


def _limit(group: CgroupLimit) -> list[Evidence]:
    if group.limit is None:
        return []
    used = group.used or 0
    return [
        Evidence(t("its limit is {limit}, {used} are used", limit=_memory.gib(group.limit), used=_memory.gib(used)))
    ]


def _remedy(group: CgroupLimit, memory: Memory, wanted: _memory.Need, host: Host) -> Fix:
    if group.limit is not None and group.limit < memory.total:
        return _memory.raise_limit(group, max(wanted.whole, group.limit), host)
    return _memory.more_swap(wanted.whole, host)


def _who() -> Fix:
    return Fix(
        title=t("See what was killed:"),
        steps=(shell("sudo dmesg -T | grep -iE 'killed process|oom-kill'"),),
        safety="safe",
        needs_admin=True,
    )
