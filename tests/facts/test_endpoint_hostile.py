"""Servers that are slow, endless, broken or someone else: each costs its deadline at most, and its outcome is named."""

from __future__ import annotations

import gzip
import http.server
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from forgedoctor.facts.endpoint import Endpoint, Probe, collect
from forgedoctor.target import Target
from tests.standin.launcher import standin

TIMEOUT = 0.6
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def look(url: str, **asked: Any) -> Endpoint:
    return collect(Target(scope="endpoint", url=url, timeout=TIMEOUT, **asked))


def progress(endpoint: Endpoint) -> Probe:
    probe = endpoint.probe("progress")
    assert probe is not None
    return probe


@contextmanager
def server(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server on loopback that reads a request's head and hands the connection to ``answer``."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                if head := connection.recv(65536):
                    answer(connection, head)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def always(raw: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _: connection.sendall(raw)


@pytest.mark.parametrize(
    ("mode", "outcome", "stage", "status"),
    [
        ("accept-silent", "timeout", "headers", None),
        ("slow-drip", "timeout", "headers", None),
        ("close-without-bytes", "closed", "headers", None),
        ("ssh-banner", "closed", "headers", None),
        ("endless-header", "too-large", "headers", None),
        ("endless-body", "too-large", "body", 200),
        ("endless-body-chunked", "too-large", "body", 200),
        ("endless-body-until-close", "too-large", "body", 200),
        ("gzip-bomb", "too-large", "body", 200),
        ("redirect-loop", "redirect-loop", "body", 302),
        ("invalid-utf8", "answered", "", 200),
        ("json-not-object", "answered", "", 200),
        ("nginx-502", "answered", "", 502),
        ("via-503", "answered", "", 503),
        ("login-proxy", "answered", "", 200),
        ("comfyui", "answered", "", 404),
        ("ollama", "answered", "", 404),
    ],
)
def test_every_hostile_server_ends_with_a_name(mode: str, outcome: str, stage: str, status: int | None) -> None:
    with standin(mode) as url:
        seen = look(url)
    probe = progress(seen)
    assert (probe.outcome, probe.stage, probe.status) == (outcome, stage, status)
    assert seen.fork == ""
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(seen)), Endpoint) == seen


def test_memory_stays_small_whatever_is_sent() -> None:
    for mode in ("endless-body-chunked", "gzip-bomb", "endless-header"):
        with standin(mode) as url:
            look(url)  # imports
            tracemalloc.start()
            look(url)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 40 * 1024 * 1024, mode


def test_no_thread_stays_behind_a_silent_server() -> None:
    before = threading.active_count()
    with standin("accept-silent") as url:
        look(url)
        assert threading.active_count() <= before


def test_a_server_that_speaks_first_is_shown_by_its_banner() -> None:
    with standin("ssh-banner") as url:
        tls = look(url).probe("tls")
    assert tls and tls.outcome == "not-http" and tls.body.startswith("SSH-2.0")


def test_a_body_that_drips_after_good_headers_is_cut_and_its_status_kept() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(OK + b"\r\n{")  # until close: the cut must not look like the end of the body
        while not stop.wait(0.1):
            connection.sendall(b" ")

    with server(drip) as url:
        probe = progress(look(url))
        stop.set()
    assert (probe.outcome, probe.stage, probe.status) == ("timeout", "body", 200)


def test_a_promise_without_end_is_cut_too() -> None:
    def promise(connection: socket.socket, _: bytes) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with server(promise) as url:
        assert progress(look(url)).outcome == "timeout"


def test_a_full_accept_queue_is_a_time_out_of_the_connection() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        waiting = []
        for _ in range(20):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        connect = look(url).probe("connect")
        for one in waiting:
            one.close()
    assert connect and (connect.outcome, connect.stage) == ("timeout", "connect")


def test_a_resolver_that_hangs_costs_the_deadline_only(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: release.wait(30) or [])
    connect = look("http://slow.example:7860").probe("connect")
    release.set()
    assert connect and connect.outcome == "unresolvable" and "in time" in connect.detail


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (b"220 mail.example ESMTP\r\n\r\n", "not-http"),
        (b"\x16\x03\x01\x00\x05hello\r\n\r\n", "not-http"),
        (OK + b"Content-Length: 10\r\n\r\n{}", "closed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "not-http"),
        (OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", "bad-encoding"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "bad-encoding"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n", "answered"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "answered"),
        (b"", "closed"),
    ],
)
def test_what_breaks_the_rules_is_named(raw: bytes, outcome: str) -> None:
    with server(always(raw)) as url:
        assert progress(look(url)).outcome == outcome


def test_a_small_packed_body_is_still_read() -> None:
    packed = gzip.compress(b'{"progress": 0.5}')
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    with server(always(raw)) as url:
        assert progress(look(url)).json == {"progress": 0.5}


def test_json_nested_absurdly_deep_is_kept_as_text_only() -> None:
    body = b'{"a":' * 500 + b"1" + b"}" * 500
    with server(always(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)) as url:
        seen = look(url)
    assert progress(seen).json is None and progress(seen).body
    msgspec.json.encode(seen)


def test_a_redirect_to_another_host_is_recorded_and_not_followed() -> None:
    reached = []

    def other(connection: socket.socket, head: bytes) -> None:
        reached.append(head)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with server(other) as elsewhere:
        away = elsewhere.replace("127.0.0.1", "127.0.0.2").encode()
        raw = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + away + b"/x\r\nContent-Length: 0\r\n\r\n"
        with server(always(raw)) as url:
            probe = progress(look(url, credentials="user:secret"))
    assert (probe.outcome, probe.status, probe.redirects) == ("answered", 307, ())
    assert probe.headers["location"].startswith("http://127.0.0.2")
    assert not reached


def test_a_redirect_on_the_same_host_is_followed_with_the_password() -> None:
    def gate(connection: socket.socket, head: bytes) -> None:
        target, allowed = head.split()[1], b"authorization: basic" in head.lower()
        if target.startswith(b"/sdapi"):
            connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: /new?a=1\r\nContent-Length: 0\r\n\r\n")
        else:
            body = b'{"allowed": true}' if allowed and target == b"/new?a=1" else b'{"allowed": false}'
            connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with server(gate) as url:
        probe = progress(look(url, credentials="user:secret"))
    assert probe.json == {"allowed": True}
    assert probe.redirects == (f"{url}/new?a=1",)


def test_a_cookie_of_one_answer_is_not_sent_with_the_next_question() -> None:
    heads: list[bytes] = []

    def baker(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(OK + b"Set-Cookie: session=1; Path=/\r\nContent-Length: 2\r\n\r\n{}")

    with server(baker) as url:
        look(url, generate=True)
    assert len(heads) > 5 and not any(b"cookie:" in head.lower() for head in heads)


def test_a_schema_of_something_else_is_no_crash() -> None:
    for body in (b"[]", b'{"paths": []}', b'{"paths": {"/a": {}}, "info": 3}', b'{"paths": null}', b"not json"):
        with server(always(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)) as url:
            assert look(url).routes is None


def test_credentials_are_not_carried_to_another_port() -> None:
    """A redirect to another port of the same host leads to another program."""
    heard: list[str | None] = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None: ...

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)

    class First(Other):
        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{other.server_port}/x")
            self.end_headers()

        do_OPTIONS = do_GET  # noqa: N815

    first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), First)
    for server in (other, first):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        target = Target(scope="endpoint", url=f"http://127.0.0.1:{first.server_port}", credentials="a:b", timeout=2.0)
        collect(target)
    finally:
        first.shutdown()
        other.shutdown()
    assert set(heard) <= {None}
