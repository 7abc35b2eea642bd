"""Which of the relatives answers, as told by routes, headers, error bodies and the gradio version alone.

Each function takes one kind of evidence and returns the forks that it leaves possible, with the reason; an empty
reason means that it says nothing. Sources: the ``add_api_route`` calls of ``modules/api/api.py`` and of
``extensions-builtin/sd_forge_controlnet`` in each fork, the pins in their requirements files, and recordings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

FORKS = frozenset({"forge", "neo", "reforge", "classic", "a1111"})
PYDANTIC_1 = frozenset({"reforge", "classic", "a1111"})
PYDANTIC_2 = FORKS - PYDANTIC_1


class Evidence(NamedTuple):
    """The forks that are left, and why; no reason where nothing is said."""

    left: frozenset[str] = FORKS
    because: str = ""


def from_models_route(routes: Collection[str]) -> Evidence:
    """``sd-modules`` took the place of ``sd-vae`` in Forge and Neo."""
    if "/sdapi/v1/sd-modules" in routes:
        return Evidence(PYDANTIC_2, "it has /sdapi/v1/sd-modules")
    if "/sdapi/v1/sd-vae" in routes:
        return Evidence(PYDANTIC_1, "it has /sdapi/v1/sd-vae")
    return Evidence()


def from_dropped_routes(routes: Collection[str]) -> Evidence:
    """Neo and Classic have dropped ``interrogate`` and ``hypernetworks``. Says nothing where the API is off."""
    if "/sdapi/v1/txt2img" not in routes:
        return Evidence()
    old = {"/sdapi/v1/interrogate", "/sdapi/v1/hypernetworks"} & set(routes)
    if not old:
        return Evidence(frozenset({"neo", "classic"}), "it has no /sdapi/v1/interrogate and no /sdapi/v1/hypernetworks")
    return Evidence(FORKS - {"neo", "classic"}, f"it has {min(old)}")


def from_training(routes: Collection[str]) -> Evidence:
    """Only A1111 and reForge can still train."""
    if "/sdapi/v1/train/embedding" in routes:
        return Evidence(frozenset({"a1111", "reforge"}), "it has /sdapi/v1/train/embedding")
    return Evidence()


def from_controlnet(routes: Collection[str]) -> Evidence:
    """ControlNet is built into Forge and its forks; in A1111 it is an extension that also tells its version."""
    if "/controlnet/version" in routes:
        return Evidence(frozenset({"a1111"}), "it has the ControlNet extension of A1111 (/controlnet/version)")
    if "/controlnet/module_list" in routes and "/controlnet/control_types" not in routes:
        return Evidence(frozenset({"classic"}), "its ControlNet has no /controlnet/control_types")
    if "/controlnet/module_list" in routes:
        return Evidence(FORKS - {"a1111"}, "ControlNet is built in (/controlnet/module_list)")
    if "/sdapi/v1/txt2img" in routes:
        return Evidence(frozenset({"a1111"}), "no ControlNet is built in")
    return Evidence()


def from_headers(headers: Mapping[str, str]) -> Evidence:
    """``X-Process-Time`` is sent by the forks on pydantic 1; its absence may be a proxy's doing and says nothing."""
    if "x-process-time" in headers:
        return Evidence(PYDANTIC_1, "it sends X-Process-Time")
    return Evidence()


def from_error(body: Any) -> Evidence:
    """The shape of an error body: ``errors`` on pydantic 1, ``message`` in Forge and Neo."""
    if not isinstance(body, dict) or not {"error", "detail", "body"} <= body.keys():
        return Evidence()
    if "errors" in body:
        return Evidence(PYDANTIC_1, "its error bodies hold the key errors")
    return Evidence(PYDANTIC_2, "its error bodies hold the key message") if "message" in body else Evidence()


def from_gradio(version: str) -> Evidence:
    """gradio 3 in the older forks, 4 in Forge and Neo (and in branches of reForge)."""
    major = version.partition(".")[0]
    if major == "3":
        return Evidence(PYDANTIC_1, f"it runs gradio {version}")
    if major == "4":
        return Evidence(PYDANTIC_2 | {"reforge"}, f"it runs gradio {version}")
    return Evidence()


def of_the_family(routes: Collection[str]) -> bool:
    """Whether these are the routes of a Stable Diffusion WebUI at all, with or without the API."""
    return any(route.startswith(("/sdapi/v1/", "/internal/sysinfo", "/sd_extra_networks/")) for route in routes)


def guess(
    routes: Collection[str] | None, headers: Iterable[Mapping[str, str]], bodies: Iterable[Any], gradio: str
) -> tuple[str, str]:
    """The fork, and why: strongest evidence first; what contradicts it is left out.

    ``routes`` are the path names of ``/openapi.json`` (None: not known), ``headers`` and ``bodies`` those of any
    answers. The fork is empty where more than one is left, and the reason then names them; both are empty where
    nothing points to this family.
    """
    if routes is not None and not of_the_family(routes):
        return "", ""
    known = routes or ()
    pieces = [from_models_route(known), from_dropped_routes(known), from_training(known)]
    pieces += [from_error(body) for body in bodies] + [from_headers(one) for one in headers]
    pieces += [from_gradio(gradio), from_controlnet(known)]
    left, reasons = FORKS, []
    for piece in pieces:
        narrowed = left & piece.left
        if narrowed and narrowed != left:
            left = narrowed
            reasons.append(piece.because)
    because = ", ".join(reasons)
    if len(left) == 1:
        return next(iter(left)), because
    return "", f"one of {', '.join(sorted(left))}: {because}" if because else ""
