"""The little server that waits for visitors: one thread, bounded in connections, bytes and time, whatever they send."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from forgedoctor.reach import request as heads
from forgedoctor.reach.request import Request

MOST_OPEN = 100  # connections at once; one more pushes out the oldest of the peer that has most
MOST_TAKEN = 50_000  # connections in all
HEAD_SECONDS, WRITE_SECONDS, DRAIN_SECONDS = 5.0, 5.0, 1.0
_MOST_DRAINED = 256 * 1024  # bytes of a body that nobody reads, so that the answer is not lost in a reset
_TICK = 0.25  # seconds between looks at the clock; a Ctrl-C on Windows waits as long

What = Literal["http", "tls", "junk", "nothing", "slow", "too-long", "pushed-out"]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One connection, once it is clear what it is. Addresses are without scope; ``at``: seconds since the start.

    ``what``: http (``request`` is set), tls (a TLS hello), junk, nothing (connected and closed), slow (no request in
    time), too-long, pushed-out (too many connections at once).
    """

    peer: str
    peer_port: int
    local: str
    port: int
    what: What
    at: float
    request: Request | None = None

    @property
    def family(self) -> str:
        """ipv4 or ipv6."""
        return "ipv6" if ":" in self.peer else "ipv4"


class _Talk:
    """One connection under way."""

    def __init__(self, sock: socket.socket, peer: Any, now: float) -> None:
        self.sock = sock
        self.peer, self.peer_port = str(peer[0]).partition("%")[0], int(peer[1])
        self.end = now + HEAD_SECONDS
        self.began = now
        self.read = bytearray()
        self.answer = b""
        self.drained = 0
        self.state: Literal["reading", "writing", "draining"] = "reading"


class Listener:
    """Takes connections on open sockets, says what each was, and answers requests.

    ``answered``: makes the bytes that answer a visit. ``told``: hears of each visit at once; returns True to end it.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        answered: Callable[[Visit], bytes],
        told: Callable[[Visit], bool],
    ) -> None:
        self._sockets, self._answered, self._told = sockets, answered, told
        self._talks: dict[int, _Talk] = {}
        self._selector = selectors.DefaultSelector()
        self._started = time.monotonic()
        self._done = False
        self.taken = 0

    def serve(self, seconds: float) -> str:
        """Serve until told to end (``told``), ``seconds`` are over (``time``) or too many came (``many``)."""
        end = self._started + seconds
        try:
            for one in self._sockets:
                self._selector.register(one, selectors.EVENT_READ)
            while not self._done and self.taken < MOST_TAKEN:
                left = end - time.monotonic()
                if left <= 0:
                    return "time"
                for key, _ in self._selector.select(min(_TICK, left)):
                    self._turn(key.fileobj)
                self._expire()
            self._finish()
            return "told" if self._done else "many"
        finally:
            self._close()

    def _turn(self, ready: Any) -> None:
        talk = self._talks.get(ready.fileno())
        if talk is None:
            if ready in self._sockets:
                self._accept(ready)
            return
        try:
            {"reading": self._read, "writing": self._write, "draining": self._drain}[talk.state](talk)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # reset by the peer
            if talk.state == "reading":
                self._judge(talk, "nothing" if not talk.read else "junk")
            self._drop(talk)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(20):
            try:
                sock, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError:  # no more file descriptors
                self._push_out()
                return
            self.taken += 1
            sock.setblocking(False)
            if len(self._talks) >= MOST_OPEN:
                self._push_out()
            talk = _Talk(sock, peer, time.monotonic())
            self._talks[sock.fileno()] = talk
            self._selector.register(sock, selectors.EVENT_READ)

    def _push_out(self) -> None:
        """Close the oldest connection of the peer that has most, so that a flood is its own victim."""
        if not self._talks:
            time.sleep(_TICK)
            return
        most = Counter(one.peer for one in self._talks.values()).most_common(1)[0][0]
        oldest = min((one for one in self._talks.values() if one.peer == most), key=lambda one: one.began)
        if oldest.state == "reading":
            self._judge(oldest, "pushed-out")
        self._drop(oldest)

    def _read(self, talk: _Talk) -> None:
        data = talk.sock.recv(4096)
        talk.read += data
        spoken = heads.spoken(bytes(talk.read[:4])) if len(talk.read) < 4 else heads.spoken(bytes(talk.read))
        if not data:
            self._judge(talk, "junk" if talk.read else "nothing")
            self._drop(talk)
        elif spoken == "http":
            self._take(talk)
        elif spoken in ("tls", "junk"):
            self._judge(talk, spoken)
            self._begin_drain(talk)
        elif len(talk.read) > heads.MOST_HEAD:
            self._judge(talk, "too-long")
            from forgedoctor.reach.page import refusal

            self._begin_write(talk, refusal())

    def _take(self, talk: _Talk) -> None:
        """A whole request came: tell of it, then answer."""
        asked = heads.parse(bytes(talk.read))
        talk.read.clear()
        visit = self._judge(talk, "http" if asked else "junk", asked)
        if asked:
            self._begin_write(talk, self._answered(visit))
        else:
            self._begin_drain(talk)

    def _judge(self, talk: _Talk, what: What, asked: Request | None = None) -> Visit:
        try:
            here = talk.sock.getsockname()
        except OSError:
            here = ("", 0)
        visit = Visit(
            peer=talk.peer,
            peer_port=talk.peer_port,
            local=str(here[0]).partition("%")[0],
            port=int(here[1]),
            what=what,
            at=round(time.monotonic() - self._started, 3),
            request=asked,
        )
        self._done = self._told(visit) or self._done
        return visit

    def _begin_write(self, talk: _Talk, answer: bytes) -> None:
        talk.state, talk.answer, talk.end = "writing", answer, time.monotonic() + WRITE_SECONDS
        self._selector.modify(talk.sock, selectors.EVENT_WRITE)

    def _write(self, talk: _Talk) -> None:
        sent = talk.sock.send(talk.answer)
        talk.answer = talk.answer[sent:]
        if not talk.answer:
            self._begin_drain(talk)

    def _begin_drain(self, talk: _Talk) -> None:
        """End our side and read the rest: to close with unread bytes would reset the answer away."""
        talk.read.clear()
        talk.state, talk.end = "draining", time.monotonic() + DRAIN_SECONDS
        self._selector.modify(talk.sock, selectors.EVENT_READ)
        try:
            talk.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(talk)

    def _drain(self, talk: _Talk) -> None:
        data = talk.sock.recv(16 * 1024)
        talk.drained += len(data)
        if not data or talk.drained > _MOST_DRAINED:
            self._drop(talk)

    def _expire(self) -> None:
        now = time.monotonic()
        for talk in [one for one in self._talks.values() if now >= one.end]:
            if talk.state == "reading":
                self._judge(talk, "slow")
            self._drop(talk)

    def _finish(self) -> None:
        """Give the answers that are under way a moment to arrive."""
        end = time.monotonic() + DRAIN_SECONDS
        while any(one.state == "writing" for one in self._talks.values()) and time.monotonic() < end:
            for key, _ in self._selector.select(0.05):
                if key.fileobj not in self._sockets:
                    self._turn(key.fileobj)

    def _drop(self, talk: _Talk) -> None:
        if self._talks.pop(talk.sock.fileno(), None) is not None:
            self._selector.unregister(talk.sock)
        talk.sock.close()

    def _close(self) -> None:
        for talk in list(self._talks.values()):
            self._drop(talk)
        self._selector.close()
        for one in self._sockets:
            one.close()
