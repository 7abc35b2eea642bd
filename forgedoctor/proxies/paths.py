"""Which path Forge is asked for when a client asks nginx: what proxy_pass does to it.

Source: nginx.org, proxy_pass; measured with 1.22.1: with a path in proxy_pass the part of the address that the
location matches is replaced by it, letter by letter; without one the whole address is passed on.
"""

from __future__ import annotations

import re

from forgedoctor.proxies.model import Location

# Where Forge's own addresses begin. Source: /openapi.json of Forge, of its extensions, and gradio's routes.
_OWN = frozenset({
    "sdapi", "internal", "controlnet", "docs", "redoc", "openapi.json", "queue", "config", "info", "assets", "static",
    "theme.css", "file", "run", "api", "call", "login", "logout", "user", "token", "upload", "upload_progress",
    "heartbeat", "custom_component", "component_server", "startup-events", "sd_extra_networks", "app_id", "reset",
    "stream", "proxy", "favicon.ico", "robots.txt", "monitoring", "cancel", "login_check", "dev",
})  # fmt: skip
_WHOLE = ("$request_uri", "${request_uri}")
_ASKED = "sdapi/v1/progress"
_LITERAL = re.compile(r"\^((?:/[\w~-]+)+)(?=/|\(|\$|$)")


def prefix(location: Location) -> str:
    """The part of the address that is nginx's alone, such as ``/forge``; empty where it is none or Forge's own."""
    first = location.path.strip("/").split("/")[0].split("=")[0]
    if location.lost or location.modifier in ("~", "~*", "=") or not first or first in _OWN:
        return ""
    return "/" + location.path.strip("/")


def serves(location: Location, route: str) -> bool:
    """Whether a regular expression takes requests for one of Forge's addresses, as it is or behind a prefix."""
    try:
        pattern = re.compile(location.path[:300], re.I if location.modifier == "~*" else 0)
        return any(pattern.search(base + route) for base in {"", beginning(location)})
    except (re.error, RecursionError, OverflowError):
        return False


def beginning(location: Location) -> str:
    """The prefix that an expression such as ``^/sd/(.*)$`` asks for; empty where it is none or Forge's own."""
    match = _LITERAL.match(location.path) if location.modifier in ("~", "~*") else None
    return match[1] if match and match[1].split("/")[1] not in _OWN else ""


def as_it_is(location: Location) -> bool:
    """Whether the whole address is passed on, by a location that cannot have a path in proxy_pass, or by a variable."""
    return location.uri in _WHOLE or (
        location.uri is None and (bool(location.named) or location.modifier in ("~", "~*"))
    )


def passed(location: Location) -> tuple[str, str, str] | None:
    """An address that a client would ask, the one that Forge gets, and the one that Forge has.

    None where that cannot be told: variables, rewrites, regular expressions, nothing that leads to it.
    """
    whole = as_it_is(location)
    if location.lost or (location.rewrites and location.uri not in _WHOLE) or (location.variables and not whole):
        return None
    path = location.path or "/"
    if location.modifier in ("~", "~*"):
        path = beginning(location)
        asked = f"{path}/{_ASKED}"
        return (asked, asked, f"/{_ASKED}") if whole and path and serves(location, f"/{_ASKED}") else None
    own = path.strip("/").split("/")[0].split("=")[0] in _OWN
    if location.modifier == "=":
        asked = wanted = path
        if not own:
            return None
    elif own:
        asked = wanted = f"/{_ASKED}" if f"/{_ASKED}".startswith(path) else path
    else:
        asked, wanted = f"{path.rstrip('/')}/{_ASKED}", f"/{_ASKED}"
    got = asked if location.uri is None or whole else location.uri + asked[len(path) :]
    return asked, got, wanted
