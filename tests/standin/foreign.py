"""Pages of other programs that a user may have on the port in place of Forge, or in front of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec

from . import bodies
from .options import Options, options_for

_NGINX = "nginx/1.22.1"
_NGINX_BODY_LIMIT = 1024**2  # nginx's client_max_body_size unless set: 1m


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request: header names in lower case, `path` without the query."""

    method: str
    path: str
    headers: dict[str, str]

    @classmethod
    def parse(cls, head: bytes) -> Request:
        """Read the request line and the headers; what is malformed becomes empty."""
        first, *lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        words = [*first.split(" "), "", ""]
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return cls(method=words[0], path=words[1].partition("?")[0], headers=headers)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; the connection is closed after it."""

    status: int = 200
    kind: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def raw(self, method: str) -> bytes:
        """Return the bytes on the wire; a HEAD gets no body."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Type: {self.kind}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else self.body)


Page = Callable[[Request], Answer]


def _json(content: Any, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(status=status, kind="application/json", headers=headers, body=json.dumps(content).encode())


def _html(text: str, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(status=status, kind="text/html; charset=utf-8", headers=headers, body=text.encode())


def _nginx_page(status: int, *headers: tuple[str, str]) -> Answer:
    phrase = "Request Entity Too Large" if status == 413 else HTTPStatus(status).phrase
    if status == 504:
        phrase = "Gateway Time-out"
    body = (
        f"<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {phrase}</h1></center>\r\n<hr><center>{_NGINX}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Answer(status=status, headers=(("Server", _NGINX), *headers), body=body.encode())


def _nginx_default(request: Request) -> Answer:
    if request.path != "/":
        return _nginx_page(404)
    body = (
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n"
        "<h1>Welcome to nginx!</h1>\n</body>\n</html>\n"
    )
    return Answer(headers=(("Server", _NGINX),), body=body.encode())


def _nginx_413(request: Request) -> Answer:
    """Pass small requests on to a Forge behind it, refuse a body over the limit."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > _NGINX_BODY_LIMIT:
        return _nginx_page(413)
    known = {"/internal/ping": {}, "/sdapi/v1/progress": bodies.idle()}
    if request.path in known:
        return _json(known[request.path], ("Server", _NGINX))
    return _json({"detail": "Not Found"}, ("Server", _NGINX), status=404)


def _login_proxy(request: Request) -> Answer:
    if request.path != "/login":
        return Answer(status=302, headers=(("Server", "Caddy"), ("Location", "/login")))
    form = '<form method="post"><input name="username"><input name="password" type="password"></form>'
    return _html(
        f"<!DOCTYPE html><html><head><title>Login</title></head><body>{form}</body></html>",
        ("Server", "Caddy"),
    )


def _comfyui(request: Request) -> Answer:
    server = ("Server", "Python/3.11 aiohttp/3.9.5")
    if request.path == "/":
        return _html("<!DOCTYPE html><html><head><title>ComfyUI</title></head><body></body></html>", server)
    if request.path == "/system_stats":
        device = {"name": "cuda:0 NVIDIA", "type": "cuda", "index": 0, "vram_total": 25757220864}
        return _json({"system": {"os": "posix", "comfyui_version": "0.3.40"}, "devices": [device]}, server)
    return Answer(status=404, kind="text/plain; charset=utf-8", headers=(server,), body=b"404: Not Found")


def _ollama(request: Request) -> Answer:
    plain = "text/plain; charset=utf-8"
    if request.path == "/":
        return Answer(kind=plain, body=b"Ollama is running")
    known: dict[str, Any] = {"/api/version": {"version": "0.9.0"}, "/api/tags": {"models": []}}
    if request.path in known:
        return _json(known[request.path])
    return Answer(status=404, kind="text/plain", body=b"404 page not found")


_BARE_UI: Options = options_for("ui-no-api", {})


def _gradio_app(request: Request) -> Answer:
    """Be some other gradio program: gradio's own routes, nothing of Forge's."""
    config = {**bodies.gradio_config(_BARE_UI), "version": "4.44.1", "title": "My demo"}
    server = ("Server", "uvicorn")
    if request.path == "/":
        return _html(f"<!doctype html><script>window.gradio_config = {json.dumps(config)};</script>", server)
    known: dict[str, Any] = {
        "/config": config,
        "/app_id": {"app_id": config["app_id"]},
        "/openapi.json": {
            "openapi": "3.1.0",
            "info": {"title": "FastAPI"},
            "paths": {"/config": {"get": {}}},
        },
    }
    if request.path in known:
        return _json(known[request.path], server)
    return _json({"detail": "Not Found"}, server, status=404)


def _via_503() -> Answer:
    headers = (
        ("Server", "squid/5.7"),
        ("X-Squid-Error", "ERR_CONNECT_FAIL 111"),
        ("Via", "1.1 proxy.example (squid/5.7)"),
    )
    return _html("<html><head><title>ERROR: The requested URL could not be retrieved</title></head></html>",
                 *headers, status=503)  # fmt: skip


def _redirect_loop(request: Request) -> Answer:
    other = "/here" if request.path == "/there" else "/there"
    return Answer(status=302, headers=(("Location", other),))


def _redirect_https(request: Request) -> Answer:
    host = request.headers.get("host", "127.0.0.1")
    return Answer(status=301, headers=(("Location", f"https://{host}{request.path}"),))


PAGES: dict[str, Page] = {
    "invalid-utf8": lambda request: Answer(kind="application/json", body=b'{"progress": "\xff\xfe\xc3\x28"}'),
    "json-not-object": lambda request: _json([1, 2, 3]),
    "redirect-loop": _redirect_loop,
    "redirect-https": _redirect_https,
    "nginx-default": _nginx_default,
    "nginx-401": lambda request: _nginx_page(401, ("WWW-Authenticate", 'Basic realm="Restricted"')),
    "nginx-413": _nginx_413,
    "nginx-502": lambda request: _nginx_page(502),
    "nginx-504": lambda request: _nginx_page(504),
    "login-proxy": _login_proxy,
    "comfyui": _comfyui,
    "ollama": _ollama,
    "gradio-app": _gradio_app,
    "via-503": lambda request: _via_503(),
}
