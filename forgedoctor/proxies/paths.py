"""Which path Forge is asked for when a client asks nginx: what proxy_pass does to it.

Source: nginx.org, proxy_pass; measured with 1.22.1: with a path in proxy_pass the part of the address that the
location matches is replaced by it, letter by letter; without one the whole address is passed on.
"""

from __future__ import annotations

from forgedoctor.proxies.model import Location

# Where Forge's own addresses begin. Source: /openapi.json of Forge, of its extensions, and gradio's routes.
_OWN = frozenset({
    "sdapi", "internal", "controlnet", "docs", "redoc", "openapi.json", "queue", "config", "info", "assets", "static",
    "theme.css", "file", "run", "api", "call", "login", "logout", "user", "token", "upload", "upload_progress",
    "heartbeat", "custom_component", "component_server", "startup-events", "sd_extra_networks", "app_id", "reset",
    "stream", "proxy", "favicon.ico", "robots.txt", "monitoring", "cancel", "login_check", "dev",
})  # fmt: skip
_ASKED = "sdapi/v1/progress"


def prefix(location: Location) -> str:
    """The part of the address that is nginx's alone, such as ``/forge``; empty where it is none or Forge's own."""
    first = location.path.strip("/").split("/")[0].split("=")[0]
    if location.modifier in ("~", "~*", "=") or not first or first in _OWN:
        return ""
    return "/" + location.path.strip("/")


def passed(location: Location) -> tuple[str, str, str] | None:
    """An address that a client would ask, the one that Forge gets, and the one that Forge has.

    None where that cannot be told: variables, rewrites, regular expressions.
    """
    if location.variables or location.rewrites or location.modifier in ("~", "~*"):
        return None
    path = location.path or "/"
    own = path.strip("/").split("/")[0].split("=")[0] in _OWN
    if location.modifier == "=":
        asked = wanted = path
        if not own:
            return None
    elif own:
        asked = wanted = f"/{_ASKED}" if f"/{_ASKED}".startswith(path) else path
    else:
        asked, wanted = f"{path.rstrip('/')}/{_ASKED}", f"/{_ASKED}"
    got = asked if location.uri is None else location.uri + asked[len(path) :]
    return asked, got, wanted
