"""The hostile and foreign peers do what they are called for; the checks are tested against them elsewhere."""

from __future__ import annotations

import http.client
import socket
import zlib

import pytest

from .asking import address, ask
from .launcher import standin

MEBIBYTE = 1024**2
PROGRESS = "/sdapi/v1/progress"


def first_bytes(base: str, enough: int) -> bytes:
    """Send a GET and return what comes, `enough` bytes at most."""
    heard = bytearray()
    with socket.create_connection(address(base), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while len(heard) < enough:
            piece = connection.recv(65536)
            if not piece:
                break
            heard += piece
    return bytes(heard[:enough])


def test_accept_silent_keeps_the_connection_without_a_word() -> None:
    with standin("accept-silent") as base, pytest.raises(TimeoutError):
        ask(base, PROGRESS, timeout=0.3)


def test_close_without_bytes_hangs_up() -> None:
    with standin("close-without-bytes") as base, pytest.raises(http.client.RemoteDisconnected):
        ask(base, PROGRESS)


def test_ssh_greets_before_it_is_asked() -> None:
    with standin("ssh-banner") as base:
        with socket.create_connection(address(base), timeout=10) as connection:
            assert connection.recv(100).startswith(b"SSH-2.0-")
        with pytest.raises(http.client.BadStatusLine):
            ask(base, PROGRESS)


def test_the_header_has_no_end() -> None:
    with standin("endless-header") as base:
        heard = first_bytes(base, 4 * MEBIBYTE)
    assert len(heard) == 4 * MEBIBYTE
    assert b"\r\n\r\n" not in heard


@pytest.mark.parametrize(
    ("mode", "header"),
    [
        ("endless-body", b"Content-Length: 10737418240"),
        ("endless-body-chunked", b"Transfer-Encoding: chunked"),
        ("endless-body-until-close", b"Connection: close"),
    ],
)
def test_the_body_has_no_end(mode: str, header: bytes) -> None:
    with standin(mode) as base:
        heard = first_bytes(base, 8 * MEBIBYTE)
    assert header in heard[:300]
    assert len(heard) == 8 * MEBIBYTE


def test_the_bomb_is_small_and_swells() -> None:
    with standin("gzip-bomb") as base:
        answer = ask(base, PROGRESS)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 2 * MEBIBYTE
    swollen = zlib.decompressobj(wbits=31).decompress(answer.body, 64 * MEBIBYTE)
    assert len(swollen) == 64 * MEBIBYTE


def test_slow_drip_sends_single_bytes() -> None:
    with standin("slow-drip", seconds=0.3) as base:
        assert first_bytes(base, 2) == b"HT"
        with pytest.raises(TimeoutError):
            ask(base, PROGRESS, timeout=0.1)


def test_bodies_that_are_no_progress() -> None:
    with standin("invalid-utf8") as base, pytest.raises(UnicodeDecodeError):
        ask(base, PROGRESS).body.decode()
    with standin("json-not-object") as base:
        assert isinstance(ask(base, PROGRESS).json(), list)


def test_redirects() -> None:
    with standin("redirect-loop") as base:
        there = ask(base, PROGRESS).headers["location"]
        here = ask(base, there).headers["location"]
        assert ask(base, here).headers["location"] == there
    with standin("redirect-https") as base:
        answer = ask(base, PROGRESS)
    assert (answer.status, answer.headers["location"]) == (301, base.replace("http:", "https:") + PROGRESS)


@pytest.mark.parametrize(
    ("mode", "path", "status", "header", "text"),
    [
        ("nginx-default", "/", 200, ("server", "nginx"), "Welcome to nginx!"),
        ("nginx-default", PROGRESS, 404, ("server", "nginx"), "404 Not Found"),
        ("nginx-502", PROGRESS, 502, ("server", "nginx"), "502 Bad Gateway"),
        ("nginx-504", PROGRESS, 504, ("server", "nginx"), "504 Gateway Time-out"),
        ("nginx-401", PROGRESS, 401, ("www-authenticate", "Basic realm="), "401 Unauthorized"),
        ("login-proxy", PROGRESS, 302, ("location", "/login"), ""),
        ("login-proxy", "/login", 200, ("server", "Caddy"), "password"),
        ("comfyui", "/", 200, ("server", "Python/"), "ComfyUI"),
        ("comfyui", "/system_stats", 200, ("content-type", "application/json"), "vram_total"),
        ("comfyui", PROGRESS, 404, ("content-type", "text/plain"), "404: Not Found"),
        ("ollama", "/", 200, ("content-type", "text/plain"), "Ollama is running"),
        ("gradio-app", "/config", 200, ("server", "uvicorn"), '"version": "4.44.1"'),
        ("gradio-app", PROGRESS, 404, ("server", "uvicorn"), '{"detail": "Not Found"}'),
        ("via-503", PROGRESS, 503, ("via", "1.1 proxy.example"), "ERROR"),
    ],
)
def test_foreign_pages(mode: str, path: str, status: int, header: tuple[str, str], text: str) -> None:
    with standin(mode) as base:
        answer = ask(base, path)
    assert answer.status == status
    assert answer.headers[header[0]].startswith(header[1])
    assert text in answer.body.decode()


def test_nginx_refuses_large_bodies_only() -> None:
    with standin("nginx-413") as base:
        assert ask(base, PROGRESS).json()["progress"] == 0.0
        large = ask(base, "/sdapi/v1/img2img", "POST", b"x" * (MEBIBYTE + 1))
    assert (large.status, large.headers["server"][:5]) == (413, "nginx")
