"""Name look-ups with a time limit: the system's resolver may block for half a minute."""

from __future__ import annotations

import queue
import threading
from typing import Any

Found = list[tuple[int, tuple[Any, ...]]]


def lookup(host: str, port: int, *, family: int = 0, timeout: float = 1.0) -> Found:
    """The (family, socket address) pairs of a host for listening on a TCP port, in the resolver's order.

    Raises socket.gaierror where the name has no address, TimeoutError after ``timeout`` seconds (the look-up
    goes on in a thread that nobody waits for), UnicodeError or ValueError for text that can be no name.
    """
    import socket

    def ask(flags: int) -> Found:
        rows = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
        return list(dict.fromkeys((int(row[0]), tuple(row[4])) for row in rows))

    try:
        return ask(socket.AI_NUMERICHOST | socket.AI_PASSIVE)
    except socket.gaierror:
        pass  # not a literal address: only now can a look-up block
    return _limited(lambda: ask(socket.AI_PASSIVE), host, timeout)


def addresses(host: str, *, timeout: float = 1.0) -> tuple[str, ...]:
    """The addresses of a name in the resolver's order; empty where it has none or does not answer in time."""
    try:
        return tuple(dict.fromkeys(str(where[0]).partition("%")[0] for _, where in lookup(host, 0, timeout=timeout)))
    except (OSError, UnicodeError, ValueError):
        return ()


def _limited(ask: Any, host: str, timeout: float) -> Found:
    answers: queue.SimpleQueue[Found | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except Exception as error:  # carried over to the caller's thread
            answers.put(error)

    threading.Thread(target=run, daemon=True, name=f"lookup {host}").start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError(f"no answer for {host} within {timeout:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
