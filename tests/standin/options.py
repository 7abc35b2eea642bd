"""What a stand-in is started with: the modes by name, and the choices that vary within one."""

from __future__ import annotations

from typing import Any

import msgspec

FORKS = ("forge", "neo", "reforge", "classic", "a1111")
FAILURES = ("model-type", "no-model", "out-of-memory", "disk-full", "read-only")
MEMORIES = ("unavailable", "cuda", "oom")
USER_AND_PASSWORD = "user:secret"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """One stand-in. The first block is what the mode sets, the second what the caller may choose.

    `stage` says how far the start came: "gradio" (its routes only), "internal" (also /internal/*), "all".
    Times are seconds.
    """

    mode: str
    web_ui: bool = True
    api: bool = True
    api_auth: str | None = None
    gradio_auth: str | None = None
    subpath: str | None = None
    server_stop: bool = False
    stage: str = "all"
    queue_full: bool = False
    loop_blocked: bool = False

    fork: str = "forge"
    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    seconds: float = 0.0
    until: float | None = None
    fail: str | None = None
    memory: str = "unavailable"
    cors_allow_origins: str | None = None
    cmd_flags_broken: bool = False

    @property
    def pydantic1(self) -> bool:
        """True for the forks on pydantic 1: they shape errors and headers differently from forge and neo."""
        return self.fork not in ("forge", "neo")


MODES: dict[str, dict[str, Any]] = {
    "ui-api": {},
    "ui-no-api": {"api": False},
    "nowebui": {"web_ui": False},
    "ui-api-auth": {"api_auth": USER_AND_PASSWORD},
    "nowebui-api-auth": {"web_ui": False, "api_auth": USER_AND_PASSWORD},
    "ui-gradio-auth": {"gradio_auth": USER_AND_PASSWORD},
    "ui-both-auth": {"api_auth": USER_AND_PASSWORD, "gradio_auth": USER_AND_PASSWORD},
    "ui-subpath": {"subpath": "forge"},
    "nowebui-subpath": {"web_ui": False, "subpath": "forge"},
    "ui-api-server-stop": {"server_stop": True},
    # A malformed --api-auth kills the server thread after /internal/* was added, before anything else is.
    "half-dead": {"stage": "internal"},
    # A proxy variable without no_proxy kills it earlier: only gradio's own routes stand.
    "half-dead-proxy": {"stage": "gradio"},
    # The same hole in a good start, until the routes are added.
    "starting": {"stage": "gradio", "until": 2.0},
    "queue-full": {"queue_full": True},
    "event-loop-blocked": {"loop_blocked": True},
    "tls": {"tls": True},
}


def options_for(mode: str, chosen: dict[str, Any]) -> Options:
    """Return the mode's options with the caller's choices on top; a choice of None leaves the mode's own."""
    picked = {name: value for name, value in chosen.items() if value is not None}
    return Options(mode=mode, **{**MODES[mode], **picked})
