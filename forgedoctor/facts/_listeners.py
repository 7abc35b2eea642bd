"""The table of listening TCP sockets: who holds which address and port."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from forgedoctor.fact import State, Unavailable
from forgedoctor.facts import _psutil, _v6only
from forgedoctor.facts.processes import joined
from forgedoctor.message import t

AS_ROOT = "run the doctor as administrator (root) to see which program holds a port"
ELSEWHERE = "a port is held by the system's kernel or from another container: no process here owns it"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A socket that listens, and its process as far as that may be seen.

    ``family``: ipv4 or ipv6; an IPv6 socket on an IPv4-mapped address (``::ffff:127.0.0.1``) takes IPv4 only
    and is given as that. ``pid``: None where the owner may not be seen. ``started``: Unix time in seconds.
    ``dual``: an IPv6 wildcard that takes IPv4 as well.
    """

    address: str
    port: int
    family: str
    pid: int | None = None
    process: str = ""
    command: str = ""
    started: float | None = None
    dual: bool = False


class Table(NamedTuple):
    """All listeners; whether every owner could be seen, and what would help where not."""

    listeners: tuple[Listener, ...]
    complete: bool
    hint: str


class _Owner(NamedTuple):
    process: str = ""
    command: str = ""
    started: float | None = None


def read_table() -> Table:
    """Read the table with psutil; on macOS without root, process by process.

    Raises Unavailable where not even that is allowed. Linux shows all sockets of the own network namespace to
    everybody, but the owner only to root and to that user; other namespaces (containers) show nowhere.
    """
    ps = _psutil.load()
    partial = False
    try:
        rows = [(row, row.pid) for row in _psutil.tcp_connections(ps)]
    except ps.AccessDenied:
        rows, partial = _process_by_process(ps), True
    except (ps.Error, OSError, RuntimeError, ValueError) as error:
        raise _refused(str(error)) from None
    found = {
        (str(row.laddr[0]).partition("%")[0], int(row.laddr[1]), pid)
        for row, pid in rows
        if row.status == ps.CONN_LISTEN and row.laddr
    }
    listeners = _named(ps, found)
    unseen = any(one.pid is None for one in listeners)
    return Table(listeners, not partial and not unseen, _hint(partial, unseen))


def _process_by_process(ps: Any) -> list[tuple[Any, int]]:
    rows: list[tuple[Any, int]] = []
    readable = 0
    for process in ps.process_iter():
        try:
            rows += [(row, process.pid) for row in _psutil.tcp_connections(process)]
        except (ps.Error, OSError, RuntimeError):
            continue
        readable += 1
    if not readable:
        raise _refused("no process lets its sockets be read")
    return rows


def _refused(why: str) -> Unavailable:
    return Unavailable(
        t("the table of listening ports cannot be read: {why}", why=why),
        state=State.DENIED,
        settle=t("run the doctor as administrator (root)"),
    )


def _hint(partial: bool, unseen: bool) -> str:
    if not partial and not unseen:
        return ""
    if sys.platform != "win32" and not partial:
        import os

        return ELSEWHERE if os.geteuid() == 0 else AS_ROOT
    return AS_ROOT


def _named(ps: Any, found: Iterable[tuple[str, int, int | None]]) -> tuple[Listener, ...]:
    keys = sorted(found, key=lambda key: (key[1], key[0], key[2] or 0))
    owners = {pid: _owner(ps, pid) for _, _, pid in keys if pid is not None}
    only = _v6only.read() if sys.platform == "linux" else None
    four = {port for address, port, _ in keys if address == "0.0.0.0"}
    listeners = []
    for address, port, pid in keys:
        plain, family = _plain(address)
        owner = owners[pid] if pid is not None else _Owner()
        dual = plain == "::" and takes_ipv4(sys.platform, (only or {}).get((plain, port)), port in four)
        listeners.append(Listener(address=plain, port=port, family=family, pid=pid, dual=dual, **owner._asdict()))
    return tuple(listeners)


def _plain(address: str) -> tuple[str, str]:
    """(address, family), an IPv4-mapped IPv6 address as the IPv4 address that it is."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (str(mapped), "ipv4") if mapped else (str(parsed), f"ipv{parsed.version}")


def takes_ipv4(platform: str, v6only: bool | None, beside_ipv4: bool) -> bool:
    """Whether an IPv6 wildcard listener takes IPv4 too.

    ``v6only`` is what the kernel says (Linux), None where it was not to be had. Then: Windows lists a dual
    socket twice, so its IPv6 row stands for IPv6 alone; elsewhere a wildcard of IPv4 on the same port
    (``beside_ipv4``) can only stand beside an IPv6 one that leaves IPv4 alone, as asyncio makes them, and
    without one it is taken for dual, the system's default.
    """
    if v6only is not None:
        return not v6only
    return platform != "win32" and not beside_ipv4


def _owner(ps: Any, pid: int) -> _Owner:
    try:
        process = ps.Process(pid)
    except (ps.Error, OSError, ValueError):
        return _Owner()
    return _Owner(
        process=_psutil.attempt(process.name, "") or "",
        command=joined(_psutil.attempt(process.cmdline, []) or []),
        started=_psutil.attempt(process.create_time, None),
    )
