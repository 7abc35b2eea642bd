"""Open the sockets that Forge would open, as its server does: each family apart, bound and listening."""

from __future__ import annotations

import os
import socket
import sys

import msgspec

from forgedoctor.fact import Unavailable
from forgedoctor.facts import _listeners, _resolve
from forgedoctor.facts._listeners import Listener
from forgedoctor.facts.sockets import Sockets

_BACKLOG = 128
# The errors of bind() and listen() on Linux, macOS and Windows.
_WORDS = {
    98: "taken", 48: "taken", 10048: "taken",
    13: "denied", 1: "denied", 10013: "denied",
    99: "not-here", 49: "not-here", 10049: "not-here",
}  # fmt: skip


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a port cannot be listened on: taken, denied, not-here, unresolvable or error, with the system's words.

    ``holders``: who has the port, as far as that may be seen; ``hidden``: some owners may not be seen.
    """

    why: str
    words: str = ""
    holders: tuple[Listener, ...] = ()
    hidden: bool = False


class CannotListen(OSError):
    """The port cannot be had."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


def open_sockets(host: str, port: int, *, timeout: float = 2.0) -> list[socket.socket]:
    """Listen on every address of ``host`` (``*``: all of both families). Raises CannotListen; nothing stays open then.

    As asyncio does for uvicorn: SO_REUSEADDR on POSIX only, IPv6 sockets take no IPv4; a family that the system lacks
    is left out of ``*``. On Windows the port is asked for exclusively, else it could be taken over a live listener.
    """
    opened: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port, timeout):
            one = _open(family, address, optional=host == "*" and family == socket.AF_INET6)
            if one is not None:
                opened.append(one)
    except CannotListen:
        for one in opened:
            one.close()
        raise
    if not opened:
        raise CannotListen(Refusal(why="error", words="the system has no TCP"))
    return opened


def _addresses(host: str, port: int, timeout: float) -> list[tuple[int, tuple[object, ...]]]:
    if host in ("", "*"):
        return [(socket.AF_INET, ("0.0.0.0", port)), (socket.AF_INET6, ("::", port))]
    try:
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return list(_resolve.lookup(bare, port, timeout=timeout))
    except (OSError, UnicodeError, ValueError) as error:
        raise CannotListen(Refusal(why="unresolvable", words=str(getattr(error, "strerror", None) or error))) from None


def _open(family: int, address: tuple[object, ...], *, optional: bool) -> socket.socket | None:
    one: socket.socket | None = None
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif sys.platform == "win32":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(_BACKLOG)
        one.setblocking(False)
    except (OSError, OverflowError) as error:
        if one is not None:
            one.close()
        number = getattr(error, "winerror", None) or getattr(error, "errno", None) or 0
        why = _WORDS.get(number, "error")
        if optional and why not in ("taken", "denied"):
            return None
        words = str(getattr(error, "strerror", None) or error)
        refusal = Refusal(why=why, words=words)
        raise CannotListen(_with_holders(refusal, address) if why == "taken" else refusal) from None
    return one


def _with_holders(refusal: Refusal, address: tuple[object, ...]) -> Refusal:
    try:
        table = _listeners.read_table()
    except Unavailable:
        return msgspec.structs.replace(refusal, hidden=True)
    found = Sockets(listeners=table.listeners).holders(str(address[0]), int(str(address[1])))
    return msgspec.structs.replace(refusal, holders=found, hidden=not table.complete)
