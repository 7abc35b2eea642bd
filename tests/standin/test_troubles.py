"""The troubles that only show in a running server: starting, a full queue, a blocked loop, TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
import time

import pytest

from .asking import address, ask
from .launcher import standin

PROGRESS = "/sdapi/v1/progress?skip_current_image=true"


def test_starting_has_the_page_first_and_the_api_later() -> None:
    with standin("starting", until=1.5) as base:
        early = [ask(base, path).status for path in ("/", PROGRESS, "/internal/ping")]
        while ask(base, PROGRESS).status == 404:
            time.sleep(0.05)
        late = [ask(base, path).status for path in ("/", PROGRESS, "/internal/ping", "/sdapi/v1/loras")]
    assert early == [200, 404, 404]
    assert late == [200, 200, 200, 200]


def test_an_openapi_asked_for_too_early_keeps_lacking_the_api() -> None:
    with standin("starting", until=1.0) as base:
        assert "/sdapi/v1/txt2img" not in ask(base, "/openapi.json").json()["paths"]
        while ask(base, PROGRESS).status == 404:
            time.sleep(0.05)
        assert "/sdapi/v1/txt2img" not in ask(base, "/openapi.json").json()["paths"]


def test_a_full_queue_silences_plain_routes_only() -> None:
    with standin("queue-full", until=2.0) as base:
        for path in ("/openapi.json", "/docs", "/sdapi/v1/loras", "/controlnet/model_list"):
            assert ask(base, path).status == 200
        for path in ("/internal/ping", PROGRESS):
            with pytest.raises(TimeoutError):
                ask(base, path, timeout=0.3)
        assert ask(base, "/internal/ping").status == 200  # waits until the queue is over


def test_a_blocked_event_loop_accepts_and_answers_nothing() -> None:
    with standin("event-loop-blocked") as base:
        for path in ("/openapi.json", "/internal/ping"):
            with pytest.raises(TimeoutError):
                ask(base, path, timeout=0.3)


def test_tls_is_self_signed_and_hangs_up_on_plain_http() -> None:
    with standin("tls") as base:
        assert base.startswith("https://")
        assert ask(base, "/internal/ping").status == 200
        with pytest.raises(http.client.RemoteDisconnected):
            ask(base.replace("https:", "http:"), "/internal/ping")
        raw = socket.create_connection(address(base), timeout=10)
        with raw, pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
            ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")


def test_a_tls_hello_to_a_plain_port_is_no_tls() -> None:
    with standin("nowebui") as base:
        raw = socket.create_connection(address(base), timeout=10)
        with raw, pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number"):
            ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
