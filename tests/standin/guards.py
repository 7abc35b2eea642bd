"""Who is let in: --api-auth (HTTP Basic on the core API) and --gradio-auth (a cookie on gradio's routes)."""

# No postponed annotations here: older FastAPI cannot look up those of an object with __call__.
import base64
import binascii
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, HTTPException
from fastapi.security import HTTPBasic
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from .options import Options

COOKIE = "access-token-unsecure-standin"
_TOKEN = "standin-session"


class _BasicInSchema(HTTPBasic):
    """Names the scheme in /openapi.json and judges nothing: the texts of today's FastAPI differ."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Let every request pass."""


_IN_SCHEMA = _BasicInSchema(scheme_name="HTTPBasic")
Guard = Callable[..., None]


def api_guard(user_and_password: str) -> Guard:
    """Return the dependency of the core API routes under --api-auth; plain, so it needs a worker thread.

    It raises HTTPException 401: "Not authenticated", "Invalid authentication credentials" or
    "Incorrect username or password", always with `WWW-Authenticate: Basic`.
    """

    def guard(request: Request, _schema: Annotated[None, Depends(_IN_SCHEMA)]) -> None:
        scheme, _, parameter = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise _unauthorized("Not authenticated")
        try:
            given = base64.b64decode(parameter).decode("ascii")
        except (ValueError, binascii.Error):
            raise _unauthorized("Invalid authentication credentials") from None
        if ":" not in given:
            raise _unauthorized("Invalid authentication credentials")
        if given != user_and_password:
            raise _unauthorized("Incorrect username or password")

    return guard


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Basic"})


def gradio_guard(request: Request) -> None:
    """Let the request pass, or raise HTTPException 401 if nobody has logged in under --gradio-auth."""
    if not logged_in(request):
        raise HTTPException(401, "Not authenticated")


def logged_in(request: Request) -> bool:
    """Return True if the request carries the cookie that `login` gives."""
    return request.cookies.get(COOKIE) == _TOKEN


async def body_of(request: Request) -> bytes:
    """Return the request's body, for handlers that are plain functions."""
    return await request.body()


def login(options: Options, form: bytes) -> Response:
    """Answer POST /login: 302 to / without --gradio-auth, else 200 with the cookie or 400."""
    if options.gradio_auth is None:
        return RedirectResponse("/", 302)
    fields = parse_qs(form.decode("latin-1"))
    given = f"{fields.get('username', [''])[0]}:{fields.get('password', [''])[0]}"
    if given != options.gradio_auth:
        raise HTTPException(400, "Incorrect credentials.")
    answer = JSONResponse({"success": True})
    answer.set_cookie(COOKIE, _TOKEN, httponly=True, samesite="lax")
    return answer
