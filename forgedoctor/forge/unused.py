"""Flags that were given, are accepted and do nothing: in this fork, in this mode, or beside another flag.

Sources: the flags that no code of a fork reads (see the data files), ``webui.py`` and ``modules/launch_utils.py`` for
what each mode passes on, ``modules/api/api.py``; for CORS and --gradio-auth, answers of a running Forge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from forgedoctor.forge.bind import GRADIO_4
from forgedoctor.forge.effective import Ignored
from forgedoctor.forge.parse import Given

_NO_PAGE = "with --nowebui there is no page"
_WEBUI_ONLY = {
    "share": _NO_PAGE,
    "autolaunch": _NO_PAGE,
    "gradio_debug": _NO_PAGE,
    "no_gradio_queue": _NO_PAGE,
    "gradio_allowed_path": _NO_PAGE,
    "theme": _NO_PAGE,
    "use_textbox_seed": _NO_PAGE,
    "disable_tls_verify": "with --nowebui the launch does not call its own server",
    "gradio_auth": "it protects the page only, and with --nowebui there is none",
    "gradio_auth_path": "it protects the page only, and with --nowebui there is none",
}
_API_ONLY = {
    "timeout_keep_alive": "it is passed on with --nowebui only",
    "skip_load_model_at_start": "it is heeded with --nowebui only",
}
_GRADIO_4_API_ONLY = {
    "cors_allow_origins": "beside the web UI, gradio's own rules stay in force",
    "cors_allow_origins_regex": "beside the web UI, gradio's own rules stay in force",
}
_NEEDS_API = {
    "api_auth": "without --api there are no routes to protect",
    "api_log": "without --api there are no routes to log",
    "api_server_stop": "without --api there are no routes to add to",
}
_INSTEAD = {"gradio_auth": "--api-auth", "gradio_auth_path": "--api-auth"}
_NEEDS_API_INSTEAD = "--api"
# Flags whose text is looked for among the arguments, so that an abbreviation is not seen.
_BY_TEXT = {"nowebui": "the launcher looks for the full text --nowebui, so the web UI starts"}
_XFORMERS_BY_TEXT = "the full text --xformers is looked for, and without it xformers is kept from loading"


def ignored(
    fork: str, mode: str, api: bool, options: Mapping[str, Any], given: Sequence[Given], argv: Sequence[str]
) -> tuple[Ignored, ...]:
    """The flags among ``given`` that do nothing, in order, each once."""
    found: dict[str, Ignored] = {}
    for one in given:
        why, instead = _why(fork, mode, api, options, one, argv)
        if why:
            found.setdefault(one.flag.flag, Ignored(flag=one.written, why=why, instead=instead))
    return tuple(found.values())


def _why(
    fork: str, mode: str, api: bool, options: Mapping[str, Any], one: Given, argv: Collection[str]
) -> tuple[str, str]:
    flag, dest = one.flag, one.flag.dest
    if flag.status == "accepted-but-ignored":
        return flag.why, flag.instead
    if flag.flag not in argv and dest in _BY_TEXT:
        return _BY_TEXT[dest], flag.flag
    if dest == "xformers" and fork in ("reforge", "classic", "a1111") and "--xformers" not in "".join(argv):
        return _XFORMERS_BY_TEXT, flag.flag
    if mode == "api-only":
        return _WEBUI_ONLY.get(dest, "") or _beside(dest, options), _INSTEAD.get(dest, "")
    only = _API_ONLY | (_GRADIO_4_API_ONLY if fork in GRADIO_4 else {})
    if dest in only:
        return only[dest], ""
    if dest in _NEEDS_API and not api:
        return _NEEDS_API[dest], _NEEDS_API_INSTEAD
    return _beside(dest, options), ""


def _beside(dest: str, options: Mapping[str, Any]) -> str:
    if dest == "listen" and options.get("server_name"):
        return "--server-name decides the address"
    if dest == "server_name" and not options.get("server_name"):
        return "an empty name counts as none"
    return ""
