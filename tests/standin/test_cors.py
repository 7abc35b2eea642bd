"""Cross-origin answers and compression of the stand-in, as seen on a real Forge."""

from __future__ import annotations

import pytest

from .asking import Heard, ask
from .launcher import standin

PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
LOOPBACK, LAN = "127.0.0.1:7860", "192.168.1.50:7860"


def test_forge_web_ui_reflects_every_origin_on_a_lan_host_and_local_ones_on_loopback() -> None:
    expected = {
        (LOOPBACK, "http://localhost:3000"): "http://localhost:3000",
        (LOOPBACK, "http://foreign.example"): None,
        (LOOPBACK, "http://listed.example"): None,  # the flag has no effect here
        (LAN, "http://foreign.example"): "http://foreign.example",
        (LAN, "null"): "null",
    }
    with standin("ui-api", cors_allow_origins="http://listed.example") as base:
        for (host, origin), allowed in expected.items():
            simple = ask(base, PROGRESS, headers={"Host": host, "Origin": origin})
            for answer in (simple, _preflight(base, origin, host)):
                assert answer.status == 200
                assert answer.headers.get("access-control-allow-origin") == allowed
                assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(("mode", "fork"), [("nowebui", "forge"), ("ui-api", "a1111")])
def test_elsewhere_the_cors_flag_works_and_its_absence_closes(mode: str, fork: str) -> None:
    with standin(mode, fork=fork) as base:
        closed = _preflight(base, "http://localhost:3000", LAN)
    with standin(mode, fork=fork, cors_allow_origins="http://a.example,http://b.example") as base:
        opened = _preflight(base, "http://b.example", LAN)
    assert (closed.status, closed.body) == (400, b"Disallowed CORS origin")
    assert (opened.status, opened.headers["access-control-allow-origin"]) == (200, "http://b.example")


def _preflight(base: str, origin: str, host: str) -> Heard:
    headers = {"Origin": origin, "Host": host, "Access-Control-Request-Method": "POST"}
    return ask(base, "/sdapi/v1/txt2img", "OPTIONS", headers=headers)


@pytest.mark.parametrize(("mode", "encoding"), [("nowebui", "gzip"), ("ui-api", None)])
def test_only_the_api_only_mode_compresses(mode: str, encoding: str | None) -> None:
    with standin(mode) as base:
        answer = ask(base, "/sdapi/v1/samplers", headers={"Accept-Encoding": "gzip"})
    assert answer.headers.get("content-encoding") == encoding
