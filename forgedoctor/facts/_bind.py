"""Would Forge get its port? It is bound the way Forge does it, never listened on, and let go at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from forgedoctor.facts import _resolve

# The errors of bind() on Linux, macOS and Windows. Source: errno.h of each, Winsock error codes. EPERM: an
# eBPF program or security module refused.
_OUTCOMES = {
    98: "in-use", 48: "in-use", 10048: "in-use",
    13: "denied", 1: "denied", 10013: "denied",
    99: "not-local", 49: "not-local", 10049: "not-local",
}  # fmt: skip
_SAME_FOR_EVERY_PORT = ("unresolvable", "not-local", "out-of-range")
LIMIT = 100  # ports that gradio tries (GRADIO_NUM_PORTS)


class BindTest(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to bind a TCP port, as Forge would.

    ``host``: as Forge is told (``127.0.0.1``, ``0.0.0.0``, ``*`` for every address of both families, a name).
    ``outcome``: free, in-use, denied, not-local (no such address here), unresolvable, out-of-range or error.
    ``errno``: the system's number (WinError on Windows), None where there was none. ``message``: the system's
    words. ``family``: ipv4, ipv6, or empty where no address was found. ``address``: what was bound.
    """

    host: str
    port: int
    outcome: str
    errno: int | None = None
    message: str = ""
    family: str = ""
    address: str = ""


def like_uvicorn(host: str, port: int, *, timeout: float = 1.0) -> tuple[BindTest, ...]:
    """Bind every address of a host as asyncio's create_server does, one after the other, each let go at once.

    Source: asyncio.base_events.create_server: SO_REUSEADDR on POSIX only, IPV6_V6ONLY on each IPv6 socket, a
    family that the system lacks is left out; host ``*`` (None there) means 0.0.0.0 and ``::``. On Windows it
    is a plain bind, which two programs may survive where one binds 0.0.0.0 and the other an address of its
    own.
    """
    if host in ("", "*"):
        tests = [_bind(host, where, port) for where in ("0.0.0.0", "::")]
        return tuple(test for test in tests if test)
    return _all(host, port, family=0, timeout=timeout)


def like_gradio(host: str, port: int, *, timeout: float = 1.0) -> tuple[BindTest, ...]:
    """Bind as gradio does before it starts uvicorn: one IPv4 socket with SO_REUSEADDR.

    ``host`` is GRADIO_SERVER_NAME or 127.0.0.1, whatever address Forge is to listen on. Source:
    gradio/http_server.py of 4.40 and gradio/networking.py of 3.41, start_server. Not to be done on Windows,
    where such a socket binds over a listener's and may take its connections.
    """
    import socket

    return _all(host or "0.0.0.0", port, family=socket.AF_INET, timeout=timeout)[:1]


def walk(
    ports: Iterable[int], host: str, *, webui: bool, gradio_host: str = "127.0.0.1", timeout: float = 1.0
) -> tuple[BindTest, ...]:
    """Test port after port until one is free or the fault is the host's, as gradio does (100 at most)."""
    tests: list[BindTest] = []
    for _, port in zip(range(LIMIT), ports, strict=False):
        first: tuple[BindTest, ...] = ()
        if webui and sys.platform != "win32" and gradio_host != host:
            first = like_gradio(gradio_host, port, timeout=timeout)
        blocked = [one for one in first if one.outcome != "free"]
        now = first if blocked else (*first, *like_uvicorn(host, port, timeout=timeout))
        tests += now
        worst = [one.outcome for one in now if one.outcome != "free"]
        if not worst or worst[0] in _SAME_FOR_EVERY_PORT:
            break
    return tuple(tests)


def _all(host: str, port: int, *, family: int, timeout: float) -> tuple[BindTest, ...]:
    try:
        found = _resolve.lookup(host, 0, family=family, timeout=timeout)
    except (OSError, UnicodeError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        return (BindTest(host=host, port=port, outcome="unresolvable", errno=number, message=_words(error)),)
    tests = [_bind(host, str(where[0]), port, kind, where[2:]) for kind, where in found]
    return tuple(test for test in tests if test)


def _bind(host: str, address: str, port: int, family: int = 0, scope: tuple[Any, ...] = ()) -> BindTest | None:
    """One bind; None where the system has no IPv6 and every address was asked for."""
    import socket

    family = family or (socket.AF_INET6 if ":" in address else socket.AF_INET)
    shown = BindTest(
        host=host,
        port=port,
        outcome="free",
        family="ipv6" if family == socket.AF_INET6 else "ipv4",
        address=address,
    )
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return None if host in ("", "*") else _failed(shown, error)
    with sock:
        try:
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address, port, *scope))
        except (OSError, OverflowError) as error:
            return _failed(shown, error)
    return shown


def _failed(shown: BindTest, error: Exception) -> BindTest:
    if isinstance(error, OverflowError):
        return msgspec.structs.replace(shown, outcome="out-of-range", message=str(error))
    number = getattr(error, "winerror", None) or getattr(error, "errno", None)
    outcome = _OUTCOMES.get(number or 0, "error")
    return msgspec.structs.replace(shown, outcome=outcome, errno=number, message=_words(error))


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
