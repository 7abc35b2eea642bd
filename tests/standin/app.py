"""The stand-in's FastAPI program: the mode's routes, each with its guard and its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from . import bodies, cors, errors, generation, guards
from .generation import Asked, Generator, WithImage
from .options import Options
from .routes import Route, routes_for

Handler = Callable[..., Any]


class StandIn:
    """One stand-in: `app` is the ASGI program; `finish_start` adds the routes that a started server has."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stop: Callable[[], None] = lambda: None
        self.kill: Callable[[], None] = lambda: None
        self._generator = Generator(options)
        self._added: set[Route] = set()
        self._api_guard = guards.api_guard(options.api_auth) if options.api_auth else None
        self._handlers = {**self._page_handlers(), **self._api_handlers()}
        self.app = _bare_app(options)
        self.app.state.stage = options.stage
        if not options.web_ui:
            self.app.add_middleware(cors.GzipWhenAsked, minimum_size=1000)  # the web UI was seen not to compress
        errors.install(self.app, options)
        cors.install(self.app, options)
        self._add_routes(options.stage)

    def finish_start(self) -> None:
        """Add whatever is missing, as the start does after gradio is up.

        An /openapi.json that was asked for before stays as it was: see `_BuiltOnce`.
        """
        self._add_routes("all")
        self.app.state.stage = "all"

    def _add_routes(self, stage: str) -> None:
        for route in routes_for(self.options, stage):
            if route not in self._added:
                self._added.add(route)
                self._add(route)

    def _add(self, route: Route) -> None:
        needs = []
        if route.guard == "api" and self._api_guard:
            needs.append(Depends(self._api_guard))
        if route.guard == "gradio" and self.options.gradio_auth:
            needs.append(Depends(guards.gradio_guard))
        handler = self._handler(route)
        self.app.add_api_route(route.path, handler, methods=[route.method], dependencies=needs, response_model=None)

    def _handler(self, route: Route) -> Handler:
        path = route.path.rstrip("/") or "/"
        key = f"{'GET' if route.method == 'HEAD' else route.method} {path}"
        special = self._handlers.get(key)
        if special is not None:
            return special
        body = bodies.CONSTANT.get(key)

        def answer() -> Response:
            return JSONResponse(body)

        async def answer_at_once() -> Response:
            return JSONResponse(body)

        return answer_at_once if route.is_async else answer

    def _page_handlers(self) -> dict[str, Handler]:
        options = self.options

        def index(request: Request) -> Response:
            allowed = options.gradio_auth is None or guards.logged_in(request)
            root = str(request.base_url).rstrip("/")
            return HTMLResponse(bodies.page(options, logged_in=allowed, root=root))

        def user(request: Request) -> Response:
            return JSONResponse("user" if guards.logged_in(request) else None)

        def log_in(form: Annotated[bytes, Depends(guards.body_of)]) -> Response:
            return guards.login(options, form)

        def sysinfo(request: Request) -> Response:
            kind = "attachment" if request.url.path.endswith("-download") else "inline"
            headers = {"content-disposition": f'{kind}; filename="sysinfo-2026-11-22-23-54.json"'}
            return PlainTextResponse(json.dumps(bodies.sysinfo(options), indent=4), headers=headers)

        return {
            "GET /": index,
            "GET /user": user,
            "POST /login": log_in,
            "GET /logout": lambda: RedirectResponse("/", 302),
            "GET /config": lambda: JSONResponse(bodies.gradio_config(options)),
            "GET /theme.css": lambda: PlainTextResponse(":root {}\n", media_type="text/css"),
            "GET /robots.txt": lambda: PlainTextResponse("User-agent: *\nDisallow: "),
            "GET /file={path_or_url:path}": _file,
            "GET /favicon.ico": lambda: PlainTextResponse("<svg/>", media_type="image/svg+xml"),
            "GET /queue/data": _needs_session_hash,
            "GET /upload_progress": _needs_upload_id,
            "GET /internal/sysinfo": sysinfo,
            "GET /internal/sysinfo-download": sysinfo,
            "GET /sd_extra_networks/thumb": _no_file,
            "GET /sd_extra_networks/cover-images": _no_file,
            "GET /sd_extra_networks/get-single-card": _no_card,
        }

    def _api_handlers(self) -> dict[str, Handler]:
        generator, options = self._generator, self.options

        def txt2img(asked: Asked) -> Response:
            return JSONResponse(generator.run(asked))

        def img2img(asked: Asked) -> Response:
            if not asked.init_images:
                raise HTTPException(404, "Init image not found")
            for image in asked.init_images:
                generation.check_image(image)
            return JSONResponse(generator.run(asked))

        def png_info(asked: WithImage) -> Response:
            generation.check_image(asked.image)
            return JSONResponse({"info": "", "items": {}, "parameters": {}})

        def interrupt() -> Response:
            generator.interrupt()
            return JSONResponse({})

        def cmd_flags() -> Response:
            flags = bodies.cmd_flags(options)
            if options.cmd_flags_broken and not options.pydantic1:
                raise errors.ResponseValidationError("port", {**flags, "port": 7860})
            return JSONResponse(flags)

        handlers: dict[str, Handler] = {
            "GET progress": lambda: JSONResponse(generator.progress),
            "POST txt2img": txt2img,
            "POST img2img": img2img,
            "POST png-info": png_info,
            "POST interrupt": interrupt,
            "POST options": _set_options,
            "GET cmd-flags": cmd_flags,
            "GET memory": lambda: JSONResponse(bodies.memory(options)),
            "POST server-kill": lambda: self.kill(),
            "POST server-restart": lambda: JSONResponse(None, 501),
            "POST server-stop": self._server_stop,
        }
        return {key.replace(" ", " /sdapi/v1/"): handler for key, handler in handlers.items()}

    def _server_stop(self) -> Response:
        self.stop()
        return PlainTextResponse("Stopping.")


class _BuiltOnce(FastAPI):
    """A FastAPI that builds /openapi.json once, as the one Forge pins; today's notices added routes."""

    def openapi(self) -> dict[str, Any]:
        """Return the schema as it was when first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = super().openapi()
        return self.openapi_schema


def _bare_app(options: Options) -> FastAPI:
    if options.subpath and not options.web_ui:
        return FastAPI(openapi_url=None)
    servers = [{"url": f"/{options.subpath}"}] if options.subpath else None
    app = _BuiltOnce(servers=servers, strict_content_type=False)
    app.openapi_version = "3.0.2" if options.pydantic1 else "3.1.0"
    return app


def _file(path_or_url: str) -> Response:
    if path_or_url == "README.md":
        return PlainTextResponse("# Stable Diffusion WebUI\n", media_type="text/markdown")
    raise HTTPException(403, f"File not allowed: {path_or_url}.")


async def _needs_session_hash(_: Annotated[str, Query(alias="session_hash")]) -> Response:
    return JSONResponse(None)


def _needs_upload_id(_: Annotated[str, Query(alias="upload_id")]) -> Response:
    return JSONResponse(None)


def _no_file() -> Response:
    raise HTTPException(404, "File not found")


def _no_card() -> Response:
    raise AttributeError("'NoneType' object has no attribute 'items'")


def _set_options(changes: dict[str, Any]) -> Response:
    for name, value in changes.items():
        if name not in bodies.SETTINGS:
            raise KeyError(name)
        if name == "sd_model_checkpoint" and bodies.MODEL not in str(value):
            raise RuntimeError(f"model '{value}' not found")
    return JSONResponse(None)
