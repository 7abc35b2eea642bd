"""How each family shapes its errors: forge and neo on one side, the pydantic 1 forks on the other."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .options import Options

Next = Callable[[Request], Awaitable[Response]]

# Forge's txt2img as it failed with a model it cannot use, too little memory, a full or read-only disk.
_FAILURES: dict[str, Exception] = {
    "model-type": ValueError("Failed to recognize model type!"),
    "no-model": ValueError(
        "You do not have any model! Please download at least one model in [models/Stable-diffusion]."
    ),
    "out-of-memory": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 26214400 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "disk-full": OSError(28, "No space left on device"),
    "read-only": PermissionError(13, "Permission denied", "outputs/txt2img-images"),
}
# pydantic 1 texts for the pydantic 2 kinds that the stand-in's few fields can meet.
_PYDANTIC1 = {
    "missing": ("field required", "value_error.missing"),
    "int_parsing": ("value is not a valid integer", "type_error.integer"),
    "bool_parsing": ("value could not be parsed to a boolean", "type_error.bool"),
    "model_attributes_type": ("value is not a valid dict", "type_error.dict"),
}


class ResponseValidationError(Exception):
    """Behind a 500 of /sdapi/v1/cmd-flags: a flag whose default is None got a value that is no text."""

    def __init__(self, flag: str, body: dict[str, Any]) -> None:
        super().__init__(
            "1 validation errors:\n  {'type': 'string_type', 'loc': ('response', '" + flag + "'), "
            "'msg': 'Input should be a valid string'}\n"
        )
        self.body = body


def raise_failure(name: str) -> None:
    """Raise the error that a failing txt2img met; `name` is one of `options.FAILURES`."""
    raise _FAILURES[name].with_traceback(None)


def install(app: FastAPI, options: Options) -> None:
    """Give the app the family's error handlers and, on the pydantic 1 forks, the X-Process-Time header.

    Both come with the API on those forks, so a web UI without --api, or half started, lacks them.
    `app.state.stage` says how far the start has come.
    """

    async def shaped_validation(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        shape = _pydantic1_error if options.pydantic1 else _pydantic2_error
        return JSONResponse(jsonable_encoder({"detail": [shape(entry) for entry in error.errors()]}), 422)

    async def shaped_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if app.state.stage == "all":
            return _shaped(options, error)
        return await http_exception_handler(request, error)

    async def timed(request: Request, call_next: Next) -> Response:
        start = time.perf_counter()
        response = await call_next(request)
        if app.state.stage == "all":
            response.headers["X-Process-Time"] = str(round(time.perf_counter() - start, 4))
        return response

    async def caught(request: Request, call_next: Next) -> Response:
        try:
            return await call_next(request)
        except Exception as error:  # the original answers whatever was raised
            return _shaped(options, error)

    app.add_exception_handler(RequestValidationError, shaped_validation)
    if options.pydantic1 and options.api:
        app.add_exception_handler(HTTPException, shaped_http_error)
        app.middleware("http")(timed)
    app.middleware("http")(caught)


def _shaped(options: Options, error: Exception) -> Response:
    known = vars(error)
    answer = {
        "error": type(error).__name__,
        "detail": known.get("detail", ""),
        "body": known.get("body", ""),
    }
    text = "" if isinstance(error, HTTPException) else str(error)
    answer["errors" if options.pydantic1 else "message"] = text
    return JSONResponse(answer, known.get("status_code", 500))


def _pydantic2_error(entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry["type"]
    return entry if kind == "json_invalid" else {**entry, "url": f"https://errors.pydantic.dev/2.8/v/{kind}"}


def _pydantic1_error(entry: dict[str, Any]) -> dict[str, Any]:
    message, kind = _PYDANTIC1.get(entry["type"], (entry["msg"], f"value_error.{entry['type']}"))
    return {"loc": list(entry["loc"]), "msg": message, "type": kind}
