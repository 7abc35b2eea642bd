"""One question to a server: what is kept of the answer, how a failure is named, and how a deadline is kept.

Every question runs on a thread of its own. At the deadline its socket is shut down from outside, so that a server
that drips a byte a second, or never ends, costs its deadline and no more; a thread that even this does not end is left
behind (they are daemons).
"""

from __future__ import annotations

import errno
import queue
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Thread
from typing import Any

import msgspec

KEPT_HEADERS = frozenset(
    {"server", "via", "location", "www-authenticate", "content-type", "content-length", "x-process-time"}
)
KEPT_BODY = 2000  # characters
KEPT_HEADER = 500  # characters
LARGEST_JSON = 64 * 1024
DEEPEST_JSON = 30
_GRACE = 0.25  # seconds that a thread has to end once its socket is cut

# What a connect reports when a router or firewall refused, or there is no way (measured: `prohibit` and ICMPv6
# admin-prohibited are EACCES, ICMP protocol-unreachable is ENOPROTOOPT, a blackhole route is EINVAL).
_NO_WAY = frozenset(
    {"EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EACCES", "EPERM", "ENOPROTOOPT", "EINVAL"}
    | {"EADDRNOTAVAIL", "EAFNOSUPPORT"}
)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One question and what came of it.

    ``outcome``: answered, refused, timeout, closed, reset, unreachable, unresolvable, tls-error, not-http,
    redirect-loop, too-large, bad-encoding, error or not-tried; ``stage`` how far it came: connect, tls, headers, body
    (empty when it was answered). ``elapsed`` is in seconds. ``status``, ``headers`` and ``body`` (its first 2000
    characters) are what had arrived, also where the outcome is a failure.
    """

    name: str
    method: str = "GET"
    path: str = ""
    outcome: str = "not-tried"
    stage: str = ""
    status: int | None = None
    headers: dict[str, str] = {}
    body: str = ""
    json: Any = None
    elapsed: float = 0.0
    detail: str = ""
    redirects: tuple[str, ...] = ()


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """What one txt2img of 64x64 pixels and one step came to; ``ok`` when an image came back. ``seconds`` to the end."""

    seconds: float
    status: int | None
    ok: bool
    detail: str = ""


class Deadline:
    """A moment on the monotonic clock, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def timeout(self) -> float:
        """What remains as a socket time-out; never 0, which would mean "do not block"."""
        return max(0.01, self.left())


class Exchange:
    """A question under way: filled by its thread, cut by the main thread, read as a :class:`Probe`."""

    def __init__(self, name: str, method: str, path: str, deadline: Deadline) -> None:
        self.name, self.method, self.path, self.deadline = name, method, path, deadline
        self.stage = "connect"
        self.socket: socket.socket | None = None
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.redirects: list[str] = []
        self.found: Any = None  # put in the probe's json in place of the parsed body
        self.quiet = False  # the body of a good answer is not kept
        self.was_cut = False
        self.result: Probe | None = None
        self._started = time.monotonic()

    def begin(self) -> None:
        """Count its time from now."""
        self._started = time.monotonic()

    def cut(self) -> None:
        """End whatever its thread waits for: the time is up."""
        self.was_cut = True
        if self.socket is not None:
            try:
                # not SSLSocket.shutdown, which takes the TLS state away from under the reading thread
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
            except OSError:
                pass

    def settle(self, outcome: str, detail: str = "") -> None:
        """Say what came of it. The first word counts, save that what ended after the cut is a time-out."""
        if self.result is not None:
            return
        if self.was_cut:
            outcome, detail = "timeout", ""
        stage = "" if outcome == "answered" else self.stage
        text = self.body[: 4 * KEPT_BODY].decode("utf-8", "replace")[:KEPT_BODY]
        silent = self.quiet and self.status == 200
        self.result = Probe(
            name=self.name,
            method=self.method,
            path=self.path,
            outcome=outcome,
            stage=stage,
            status=self.status,
            headers=self.headers,
            body="" if silent else text,
            json=self.found if self.found is not None or silent else read_json(bytes(self.body)),
            elapsed=round(time.monotonic() - self._started, 4),
            detail=detail[:KEPT_HEADER],
            redirects=tuple(self.redirects),
        )

    @property
    def probe(self) -> Probe:
        """What came of it; not tried where nothing was said yet."""
        return self.result or Probe(name=self.name, method=self.method, path=self.path)


class Crew:
    """Questions asked at once, each on its own thread: ``Crew([(exchange, work), ...])`` starts them.

    ``work`` takes its exchange and ends by settling it; what it raises is recorded, never raised again. With ``pace``
    each waits so many seconds for one before it to end: a server that is quick is asked one by one, which measures it
    better and does not overrun a short accept queue; one that is silent still costs its deadline once.
    """

    def __init__(self, jobs: Sequence[tuple[Exchange, Callable[[Exchange], None]]], pace: float = 0.0) -> None:
        self.exchanges = [exchange for exchange, _ in jobs]
        self._ended: queue.SimpleQueue[Exchange] = queue.SimpleQueue()
        self._threads = [Thread(target=self._run, args=job, daemon=True) for job in jobs]
        for thread, exchange in zip(self._threads, self.exchanges, strict=True):
            try:
                thread.start()
            except RuntimeError as error:
                exchange.settle("error", str(error))
            if pace:
                self.next(pace)

    def _run(self, exchange: Exchange, work: Callable[[Exchange], None]) -> None:
        exchange.begin()
        try:
            work(exchange)
        except Exception as error:
            exchange.settle(*classify(error))
        exchange.settle("error", "no outcome")
        self._ended.put(exchange)

    def next(self, seconds: float) -> Exchange | None:
        """Wait for one more to end; None when none did in that time."""
        try:
            return self._ended.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return None

    def wait(self) -> list[Probe]:
        """All of them, each at its deadline at the latest."""
        for thread, exchange in self._pairs():
            thread.join(exchange.deadline.left())
        late = [exchange for exchange in self.exchanges if exchange.result is None]
        for exchange in late:
            exchange.cut()
        grace = Deadline(_GRACE if late else 0)
        for thread, exchange in self._pairs():
            thread.join(grace.left())
            exchange.settle("timeout")
        return [exchange.probe for exchange in self.exchanges]

    def _pairs(self) -> Iterator[tuple[Thread, Exchange]]:
        return (pair for pair in zip(self._threads, self.exchanges, strict=True) if pair[0].ident is not None)


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def classify(error: BaseException) -> tuple[str, str]:
    """The outcome's name for what a socket, the resolver or TLS raised, and the words it came with."""
    for cause in causes(error):
        if isinstance(cause, OSError):
            return _outcome(cause), words_of(cause)
    return "error", f"{type(error).__name__}: {error}"


def _outcome(error: OSError) -> str:
    import ssl

    if isinstance(error, socket.gaierror):
        return "unresolvable"
    if isinstance(error, ssl.SSLError):
        return "closed" if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) else "tls-error"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "reset"
    return "unreachable" if _errno_name(error) in _NO_WAY else "error"


def _errno_name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "").removeprefix("WSA")


def words_of(error: OSError) -> str:
    """``EHOSTUNREACH: No route to host``; for TLS the library's own reason."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    number = getattr(error, "winerror", None)
    name = f"WinError {number}" if number else _errno_name(error)
    return f"{name}: {error.strerror}" if name and error.strerror else str(error)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The response headers that tell who answered and on what terms, names in lower case."""
    lower = {name.lower(): value[:KEPT_HEADER] for name, value in headers.items()}
    return {name: value for name, value in lower.items() if name in KEPT_HEADERS or name.startswith("access-control-")}


def read_json(body: bytes) -> Any:
    """A small JSON object or array as plain data; None for anything else, also for one nested absurdly deep."""
    if len(body) > LARGEST_JSON or body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value if _shallow(value, DEEPEST_JSON) else None


def _shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(one, levels - 1) for one in inner)
