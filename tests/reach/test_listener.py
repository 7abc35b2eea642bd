"""The listener against real peers over real sockets: whatever they send, others are still served, and nothing is lost."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from forgedoctor.message import plain
from forgedoctor.reach import listener, opening
from forgedoctor.reach.listener import Listener, Visit
from forgedoctor.reach.page import Seen, answer

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Running:
    """A listener in a thread of its own, and what it told."""

    def __init__(self, once: bool = False) -> None:
        self.visits: list[Visit] = []
        (bound,) = opening.open_sockets("127.0.0.1", 0)
        self.address: tuple[str, int] = bound.getsockname()
        self.listener = Listener([bound], self._answer, self._told)
        self._stop, self._once = False, once
        self.ended = ""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        self.ended = self.listener.serve(60)

    def _answer(self, visit: Visit) -> bytes:
        assert visit.request
        seen = Seen(peer=visit.peer, peer_port=visit.peer_port, local=visit.local, port=visit.port, way=plain("test"))
        return answer(visit.request, seen)

    def _told(self, visit: Visit) -> bool:
        self.visits.append(visit)
        return self._stop or self._once

    def connect(self, send: bytes = b"") -> socket.socket:
        peer = socket.create_connection(self.address, timeout=20)
        peer.sendall(send)
        return peer

    def ask(self, send: bytes = GET) -> bytes:
        with self.connect(send) as peer:
            return drained(peer)

    def wait_for(self, what: str, count: int = 1) -> list[Visit]:
        """The visits of that kind, once there are so many; fails where they never come."""
        for _ in range(1500):
            found = [one for one in self.visits if one.what == what]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no {count} of {what}: {[one.what for one in self.visits][:20]}")

    def close(self) -> None:
        self._stop = True
        with contextlib.suppress(OSError):
            self.ask()
        self.thread.join(10)
        assert not self.thread.is_alive()


def drained(peer: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while chunk := peer.recv(65536):
            data += chunk
    return data


@pytest.fixture
def running() -> Iterator[Running]:
    one = Running()
    yield one
    one.close()


def test_a_visitor_gets_the_page_and_is_told_of(running: Running) -> None:
    assert running.ask().startswith(b"HTTP/1.1 200 OK")
    (visit,) = running.wait_for("http")
    assert (visit.peer, visit.local, visit.port, visit.family) == ("127.0.0.1", *running.address, "ipv4")
    assert visit.request and visit.request.host == "x"


@pytest.mark.parametrize(("sent", "what"), [
    (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"r" * 190, "tls"),
    (b"\x00\xff\xfe" * 100, "junk"),
    (b"\x05\x01\x00", "junk"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "junk"),
    (b"GET / HTTP/1.1 and more\r\n\r\n", "junk"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"),
    (b"GET /" + b"a" * 40_000, "too-long"),
    (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 8_000, "too-long"),
    (b"POST /sdapi/v1/txt2img HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000, "http"),
    (GET * 50, "http"),
])  # fmt: skip
def test_what_a_peer_sends_is_named_and_the_next_one_is_served(running: Running, sent: bytes, what: str) -> None:
    with running.connect() as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(sent)
        drained(peer)
    running.wait_for(what)
    assert running.ask().startswith(b"HTTP/1.1 200 OK")


def test_a_port_scan_is_seen(running: Running) -> None:
    running.connect().close()
    running.wait_for("nothing")
    hard = running.connect()
    hard.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hard.close()  # a reset
    running.wait_for("nothing", 2)


def test_an_upload_gets_its_answer_instead_of_a_reset(running: Running) -> None:
    body = b"x" * 60_000
    got = running.ask(b"POST /sdapi/v1/img2img HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert got.startswith(b"HTTP/1.1 404")


def test_one_who_never_ends_the_request_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.3)
    with running.connect(b"GET / HTTP/1.1\r\n") as slow:
        for _ in range(200):  # a header each moment, for ever
            try:
                slow.sendall(b"X: y\r\n")
                slow.settimeout(0.02)
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("it may drip for ever")
    running.wait_for("slow")


def test_one_who_never_reads_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "WRITE_SECONDS", 0.3)
    monkeypatch.setattr(running.listener, "_answered", lambda visit: b"x" * 50_000_000)
    with running.connect(GET) as deaf:
        running.wait_for("http")
        received = 0
        time.sleep(1.0)  # longer than it may take
        with contextlib.suppress(ConnectionError):
            while chunk := deaf.recv(1 << 20):
                received += len(chunk)
    assert received < 50_000_000


def test_idle_connections_without_number_do_not_keep_a_visitor_out(running: Running) -> None:
    idle = [running.connect() for _ in range(listener.MOST_OPEN + 30)]
    assert running.ask().startswith(b"HTTP/1.1 200 OK")
    assert len(running.wait_for("pushed-out", 30)) >= 30
    for one in idle:
        one.close()


def test_thousands_of_connections_cost_little_memory(running: Running) -> None:
    tracemalloc.start()
    for _ in range(2_000):
        running.connect().close()
    running.visits.clear()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024
    assert running.ask().startswith(b"HTTP/1.1 200 OK")


def test_a_flood_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_TAKEN", 20)
    one = Running()
    for _ in range(25):
        with contextlib.suppress(OSError):
            one.connect().close()
    one.thread.join(10)
    assert one.ended == "many"


def test_told_to_end_it_still_gives_the_answer() -> None:
    one = Running(once=True)
    assert one.ask().endswith(b"</html>\n")
    one.thread.join(10)
    assert one.ended == "told"
    with pytest.raises(ConnectionRefusedError):
        one.connect()


def test_when_the_time_is_over_the_port_is_free_again() -> None:
    sockets = opening.open_sockets("127.0.0.1", 0)
    place = sockets[0].getsockname()
    quiet: Callable[[Visit], bool] = lambda visit: False  # noqa: E731
    assert Listener(sockets, lambda visit: b"", quiet).serve(0.05) == "time"
    opening.open_sockets(*place)[0].close()


def test_a_port_that_is_taken_names_the_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(opening.CannotListen) as caught:
            opening.open_sockets("0.0.0.0", port)
    refusal = caught.value.refusal
    assert refusal.why == "taken" and refusal.holders and refusal.holders[0].pid


@pytest.mark.parametrize(
    ("host", "why"), [("192.0.2.1", "not-here"), ("no-such-host.invalid", "unresolvable"), ("a b", "unresolvable")]
)
def test_an_address_that_is_not_here(host: str, why: str) -> None:
    with pytest.raises(opening.CannotListen) as caught:
        opening.open_sockets(host, 0)
    assert caught.value.refusal.why == why and caught.value.refusal.words


def test_every_address_is_both_families_and_one_taken_family_frees_the_other() -> None:
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    with socket.socket(socket.AF_INET6) as holder:
        holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        holder.bind(("::", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(opening.CannotListen):
            opening.open_sockets("*", port)
        opening.open_sockets("0.0.0.0", port)[0].close()  # given back
    both = opening.open_sockets("*", port)
    assert len(both) == 2
    for one in both:
        one.close()
