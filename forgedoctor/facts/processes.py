"""The programs of the Forge family that run on this machine."""

from __future__ import annotations

import os
import shlex
import sys
import time
from typing import Any, NamedTuple

import msgspec

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts import _psutil
from forgedoctor.facts._forge_processes import Candidate, groups, holds_forge, invocation, is_telling
from forgedoctor.message import t
from forgedoctor.target import Target

_NAMES = ("COMMANDLINE_ARGS", "IGNORE_CMD_ARGS_ERRORS", "CUDA_VISIBLE_DEVICES")


class ForgeProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One running Forge; its workers and starters are folded into it.

    ``argv``: what follows launch.py or webui.py. ``command``: the whole command line, quoted for this
    system's shell. ``cwd``: its working folder, empty where the system does not say; ``folder``: the folder
    of the script, where it is installed, empty likewise (inside a container: as the container sees it).
    ``started``: Unix time in seconds. ``python``: the interpreter's file, symbolic links resolved. ``env``:
    the variables that matter, as they were when it started; None where they may not be read. ``ports``:
    (address, TCP port) pairs that it is seen to listen on; ``sockets_read`` is false where they may not be
    read. ``age``: seconds since it started, when this was collected.
    ``recognised``: how, ``folder`` or ``flags`` (folder unreadable).
    """

    pid: int
    argv: tuple[str, ...] = ()
    command: str = ""
    cwd: str = ""
    folder: str = ""
    started: float = 0.0
    user: str = ""
    python: str = ""
    env: dict[str, str] | None = None
    ports: tuple[tuple[str, int], ...] = ()
    recognised: str = ""
    sockets_read: bool = True
    age: float = 0.0


class Processes(Fact, frozen=True, kw_only=True):
    """Every running Forge, the one in the folder asked for first, then those that listen, then the newest.

    ``hidden``: processes whose command line may not be read. Where /proc hides other users' processes
    altogether (hidepid) their number is unknown and they count as one.
    """

    forges: tuple[ForgeProcess, ...] = ()
    hidden: int = 0


class _Found(NamedTuple):
    process: Any
    command: list[str]
    argv: tuple[str, ...]
    cwd: str
    folder: str
    starter: bool
    recognised: str
    ports: tuple[tuple[str, int], ...]
    sockets_read: bool


@collector(Processes, scopes=("live", "preflight"))
def collect(target: Target) -> Processes:
    """Look at every process once. Raises Unavailable where the system gives no list of processes."""
    ps = _psutil.load()
    found: list[_Found] = []
    pids: set[int] = set()
    hidden = 0
    try:
        for process in ps.process_iter():
            pids.add(process.pid)
            try:
                command = process.cmdline()
            except ps.NoSuchProcess:  # it has ended, or is a zombie
                continue
            except (ps.AccessDenied, OSError):
                hidden += 1
                continue
            one = _recognise(ps, process, command)
            if one:
                found.append(one)
    except (ps.Error, OSError) as error:
        raise Unavailable(
            t("the list of processes cannot be read: {why}", why=str(error)),
            state=State.DENIED,
            settle=t("run the doctor as the user who runs Forge, or as administrator"),
        ) from None
    if sys.platform == "linux" and 1 not in pids:
        hidden += 1
    forges = [_describe(head, group) for head, group in _gathered(found)]
    forges.sort(key=lambda one: (not _asked_for(one, target), not one.ports, -one.started))
    return Processes(source="list of processes", forges=tuple(forges), hidden=hidden)


def _recognise(ps: Any, process: Any, command: list[str]) -> _Found | None:
    """Whether a process is a Forge: by its command line, then its folder, or its flags where that is hidden."""
    called = invocation(command)
    if called is None:
        return None
    try:
        if process.status() == ps.STATUS_ZOMBIE:
            return None
    except (ps.Error, OSError):
        return None
    cwd = _psutil.attempt(process.cwd, "") or ""
    folder = _folder(called.script, cwd)
    seen = holds_forge(folder, process.pid) if folder else None
    if seen is False or (seen is None and not is_telling(called.arguments)):
        return None
    ports = _ports(ps, process)
    return _Found(
        process=process,
        command=command,
        argv=called.arguments,
        cwd=cwd,
        folder=folder,
        starter=called.starter,
        recognised="folder" if seen else "flags",
        ports=ports or (),
        sockets_read=ports is not None,
    )


def _folder(script: str, cwd: str) -> str:
    """The folder of a script as named on a command line; empty where that depends on a folder not known."""
    if not os.path.isabs(script) and not cwd:
        return ""
    return os.path.normpath(os.path.join(cwd, os.path.dirname(script)))


def _ports(ps: Any, process: Any) -> tuple[tuple[str, int], ...] | None:
    """The ports that a process listens on; None where its sockets may not be read."""
    rows: list[Any] | None = _psutil.attempt(lambda: _psutil.tcp_connections(process), None)
    if rows is None:
        return None
    return tuple(sorted({(str(row.laddr[0]), int(row.laddr[1])) for row in rows if row.status == ps.CONN_LISTEN}))


def _gathered(found: list[_Found]) -> list[tuple[_Found, list[_Found]]]:
    """Each Forge with its helpers."""
    if len(found) == 1:
        return [(found[0], found)]
    by_pid = {one.process.pid: one for one in found}
    gathered = groups([_candidate(one) for one in found], forks=sys.platform != "win32")
    return [(by_pid[head.pid], [by_pid[one.pid] for one in group]) for head, group in gathered]


def _candidate(one: _Found) -> Candidate:
    above: list[Any] = _psutil.attempt(one.process.parents, [])
    return Candidate(
        pid=one.process.pid,
        ancestors=tuple(parent.pid for parent in above),
        arguments=one.argv,
        folder=one.folder,
        starter=one.starter,
        listens=bool(one.ports),
    )


def _describe(head: _Found, group: list[_Found]) -> ForgeProcess:
    process = head.process
    ports = {port for one in group for port in one.ports}
    started = float(_psutil.attempt(process.create_time, 0.0))
    return ForgeProcess(
        pid=process.pid,
        argv=head.argv,
        command=joined(head.command),
        cwd=head.cwd,
        folder=head.folder,
        started=started,
        age=max(0.0, time.time() - started) if started else 0.0,
        sockets_read=all(one.sockets_read for one in group),
        user=_psutil.attempt(process.username, "") or "",
        python=_psutil.attempt(process.exe, "") or head.command[0],
        env=_env(process),
        ports=tuple(sorted(ports)),
        recognised=head.recognised,
    )


def _env(process: Any) -> dict[str, str] | None:
    """The variables that change how Forge starts or whom it calls; None where they may not be read."""
    everything: dict[str, str] | None = _psutil.attempt(process.environ, None)
    if everything is None:
        return None
    return {name: value for name, value in everything.items() if _matters(name.upper())}


def _matters(name: str) -> bool:
    return name in _NAMES or name.startswith("GRADIO_") or name.endswith("_PROXY")


def _asked_for(one: ForgeProcess, target: Target) -> bool:
    return bool(target.directory and one.folder) and os.path.realpath(target.directory) == os.path.realpath(one.folder)


def joined(command: list[str]) -> str:
    """A command line as one text, quoted as this system's shell would have it."""
    if sys.platform == "win32":
        from subprocess import list2cmdline

        return list2cmdline(command)
    return shlex.join(command)
