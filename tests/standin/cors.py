"""Cross-origin behaviour: gradio 4's own rule (forge's and neo's web UI), or the flags (everything else).

Written out here, because the Starlette of the day sends other headers than the one Forge pins (0.27).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import Options

_LOCAL_NAMES = ("localhost", "127.0.0.1", "0.0.0.0", "null")
_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


def install(app: FastAPI, options: Options) -> None:
    """Add the cross-origin middleware of the mode as the outermost one."""
    if options.web_ui and not options.pydantic1:
        app.add_middleware(GradioCors)  # here --cors-allow-origins has no effect
    else:
        app.add_middleware(FlagCors, origins=tuple((options.cors_allow_origins or "").split(",")))


class GzipWhenAsked(GZipMiddleware):
    """Compresses answers from 1000 bytes on, and leaves those to a client that did not ask untouched."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asked = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await (super().__call__ if asked else self.app)(scope, receive, send)


class _Cors:
    """What both rules share: no headers without an Origin; what a preflight is and how it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def allowed_origin(self, origin: str, host: str) -> str | None:
        """Return the value of Access-Control-Allow-Origin, or None where the origin is refused."""
        raise NotImplementedError

    def preflight(self, origin: str, allowed: bool) -> tuple[int, str, dict[str, str]]:
        """Return status, body and the headers that depend on the rule."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the headers to the answer of a request that has an Origin."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None:
            await self._app(scope, receive, send)
            return
        allowed = self.allowed_origin(origin, headers.get("host", ""))
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = self._preflight_answer(origin, allowed is not None, headers)
            await answer(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                added["Access-Control-Allow-Credentials"] = "true"
                if allowed is not None:
                    added["Access-Control-Allow-Origin"] = allowed
                    added.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _preflight_answer(self, origin: str, allowed: bool, request: Headers) -> PlainTextResponse:
        status, text, headers = self.preflight(origin, allowed)
        headers |= {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Max-Age": "600",
            "Access-Control-Allow-Credentials": "true",
        }
        if allowed:
            headers["Access-Control-Allow-Origin"] = origin
        asked_headers = request.get("access-control-request-headers")
        if asked_headers is not None:
            headers["Access-Control-Allow-Headers"] = asked_headers
        return PlainTextResponse(text, status, headers)


class GradioCors(_Cors):
    """gradio 4.40: a foreign origin is refused only if the Host is a loopback name.

    Refused means 200 without Access-Control-Allow-Origin. Any other Host reflects every origin.
    """

    def allowed_origin(self, origin: str, host: str) -> str | None:
        """Return the origin itself where it is allowed."""
        local_host, local_origin = _name(host) in _LOCAL_NAMES, _name(origin) in _LOCAL_NAMES
        return origin if local_origin or not local_host else None

    def preflight(self, origin: str, allowed: bool) -> tuple[int, str, dict[str, str]]:
        """Return 200 in any case."""
        return 200, "OK", {}


class FlagCors(_Cors):
    """--cors-allow-origins: closed without it; a refused preflight is 400 "Disallowed CORS origin"."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(app)
        self._origins = origins

    def allowed_origin(self, origin: str, host: str) -> str | None:
        """Return the origin, or "*" where every one is allowed."""
        if "*" in self._origins:
            return "*"
        return origin if origin in self._origins else None

    def preflight(self, origin: str, allowed: bool) -> tuple[int, str, dict[str, str]]:
        """Return 200 or 400."""
        vary = {"Vary": "Origin"}
        return (200, "OK", vary) if allowed else (400, "Disallowed CORS origin", vary)


def _name(host_or_origin: str) -> str:
    url = host_or_origin if "://" in host_or_origin else f"http://{host_or_origin}"
    return urlsplit(url).hostname or ""
