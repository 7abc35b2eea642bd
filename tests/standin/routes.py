"""Which routes each relative serves in each mode, as data: `METHOD path`, in the order the start adds them.

forge is as served (openapi of a run of each mode). The other forks differ from it by the names below, which
were read in their code. gradio 3's own routes are gradio 4's less the younger ones; nobody has run them.
"""

from __future__ import annotations

import msgspec

from .options import Options

GRADIO = """
GET /user/|GET /user|GET /login_check/|GET /login_check|GET /token/|GET /token|GET /app_id/|GET /app_id
GET /dev/reload|POST /login/|POST /login|GET /logout|GET /|HEAD /|GET /info|GET /info/|GET /config
GET /config/|GET /static/{path:path}|GET /custom_component/{id}/{type}/{file_name}|GET /assets/{path:path}
GET /favicon.ico|GET /proxy={url_path:path}|HEAD /proxy={url_path:path}|GET /file={path_or_url:path}
HEAD /file={path_or_url:path}|GET /stream/{session_hash}/{run}/{component_id}|GET /file/{path:path}
POST /reset|POST /reset/|GET /heartbeat/{session_hash}|POST /api/{api_name}/|POST /api/{api_name}
POST /run/{api_name}/|POST /run/{api_name}|POST /call/{api_name}/|POST /call/{api_name}|POST /queue/join
POST /cancel|GET /call/{api_name}/{event_id}|GET /queue/data|POST /component_server/|POST /component_server
GET /queue/status|GET /upload_progress|POST /upload|GET /startup-events|GET /theme.css|GET /robots.txt
GET /monitoring|GET /monitoring/{key}
"""
GRADIO_4_ONLY = (
    "/logout",
    "/custom_component",
    "/heartbeat",
    "/call",
    "/cancel",
    "/upload_progress",
    "/monitoring",
)

INTERNAL = """
GET /internal/pending-tasks|POST /internal/progress|GET /internal/quicksettings-hint|GET /internal/ping
GET /internal/profile-startup|GET /internal/sysinfo|GET /internal/sysinfo-download
"""

# A name with "?" is not in every fork: see _FORK_HAS.
SDAPI = """
POST txt2img|POST img2img|POST extra-single-image|POST extra-batch-images|POST png-info|GET progress
POST interrogate?|POST interrupt|POST skip|GET options|POST options|GET cmd-flags|GET samplers|GET schedulers?
GET upscalers|GET latent-upscale-modes|GET sd-models|GET sd-modules?|GET sd-vae?|GET hypernetworks?
GET face-restorers|GET realesrgan-models?|GET prompt-styles|GET embeddings|POST refresh-embeddings
POST refresh-checkpoints|POST refresh-vae|POST create/embedding?|POST create/hypernetwork?
POST train/embedding?|POST train/hypernetwork?|GET memory|POST unload-checkpoint|POST reload-checkpoint?
GET scripts|GET script-info|GET extensions
"""
_OLD_SET = ("forge", "reforge", "a1111")
_FORK_HAS: dict[str, tuple[str, ...]] = {
    "interrogate": _OLD_SET,
    "hypernetworks": _OLD_SET,
    "realesrgan-models": _OLD_SET,
    "create/embedding": _OLD_SET,
    "create/hypernetwork": _OLD_SET,
    "schedulers": ("forge", "neo", "reforge", "a1111"),
    "sd-modules": ("forge", "neo"),
    "sd-vae": ("reforge", "classic", "a1111"),
    "train/embedding": ("reforge", "a1111"),
    "train/hypernetwork": ("reforge", "a1111"),
    "reload-checkpoint": ("forge", "reforge", "classic", "a1111"),
}

SERVER_STOP = "POST /sdapi/v1/server-kill|POST /sdapi/v1/server-restart|POST /sdapi/v1/server-stop"
NETWORKS = """
GET /sd_extra_networks/thumb|GET /sd_extra_networks/cover-images|GET /sd_extra_networks/metadata
GET /sd_extra_networks/get-single-card
"""
CONTROLNET = """
GET /controlnet/model_list|GET /controlnet/module_list|GET /controlnet/control_types|POST /controlnet/detect
"""
LORA = "GET /sdapi/v1/loras|POST /sdapi/v1/refresh-loras"

# Behind --gradio-auth; the rest of gradio's routes stay open.
GRADIO_GUARDED = (
    "/config", "/info", "/file", "/login_check", "/queue", "/upload", "/monitoring",
    "/run", "/api/", "/call", "/dev/reload",
)  # fmt: skip
_NOT_GUARDED = ("/upload_progress",)
# `async def` in the originals: they answer while all worker threads are taken.
ASYNC_PREFIXES = ("/controlnet/", "/sdapi/v1/loras", "/sdapi/v1/refresh-loras", "/startup-events", "/queue/")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route: `guard` is "api", "gradio" or None; an `is_async` one needs no worker thread."""

    method: str
    path: str
    guard: str | None
    is_async: bool


def routes_for(options: Options, stage: str) -> list[Route]:
    """Return the routes that stand once the start has come to `stage` ("gradio", "internal", "all")."""
    if options.subpath and not options.web_ui:
        return []  # uvicorn 0.54 with a root_path that no proxy adds: every path is 404
    page = [line for line in _split(GRADIO) if _has_gradio_route(options, line)] if options.web_ui else []
    if options.web_ui and stage != "gradio":
        page += _split(INTERNAL)
    if stage != "all":
        return [_route(line, api=False) for line in page]
    api = _sdapi(options) if options.api else []
    after = (_split(NETWORKS) if options.web_ui else []) + _extensions(options)
    return (
        [_route(line, api=False) for line in page]
        + [_route(line, api=True) for line in api]
        + [_route(line, api=False) for line in after]
    )


def _split(block: str) -> list[str]:
    return [entry for line in block.split("\n") for entry in line.split("|") if entry]


def _has_gradio_route(options: Options, line: str) -> bool:
    return not options.pydantic1 or not line.split(" ")[1].startswith(GRADIO_4_ONLY)


def _sdapi(options: Options) -> list[str]:
    lines = []
    for entry in _split(SDAPI):
        method, name = entry.rstrip("?").split(" ")
        if options.fork in _FORK_HAS.get(name, (options.fork,)):
            lines.append(f"{method} /sdapi/v1/{name}")
    return lines + (_split(SERVER_STOP) if options.server_stop else [])


def _extensions(options: Options) -> list[str]:
    """Return the routes of the built-in extensions, which no --api-auth guards."""
    lines: list[str] = []
    if options.fork != "a1111":
        lines += [e for e in _split(CONTROLNET) if options.fork != "classic" or "control_types" not in e]
    # classic adds them under a literal --api only, so neither under plain --nowebui nor without the API.
    if options.fork != "classic" or (options.web_ui and options.api):
        lines += _split(LORA)
    return lines


def _route(line: str, *, api: bool) -> Route:
    method, path = line.split(" ")
    guarded = path.startswith(GRADIO_GUARDED) and not path.startswith(_NOT_GUARDED)
    guard = "api" if api else "gradio" if guarded else None
    return Route(method=method, path=path, guard=guard, is_async=path.startswith(ASYNC_PREFIXES))
