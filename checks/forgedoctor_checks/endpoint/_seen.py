"""Readings of an endpoint that several checks share."""

from __future__ import annotations

from forgedoctor.check import Evidence, plain, t
from forgedoctor.facts import Endpoint, Probe

PLAIN_ROUTES = ("progress", "ping", "samplers")
ASYNC_ROUTES = ("openapi",)


def told(endpoint: Endpoint, *names: str) -> list[Evidence]:
    """What those probes came to, as evidence."""
    found = []
    for name in names:
        probe = endpoint.probe(name)
        if probe and probe.outcome != "not-tried":
            found.append(Evidence(plain(line(probe)), endpoint.url))
    return found


def line(probe: Probe) -> str:
    """``GET /sdapi/v1/progress -> 404`` or ``-> timeout``."""
    came = str(probe.status) if probe.status is not None else probe.outcome + (f" ({probe.detail})" if probe.detail else "")
    return f"{probe.method} {probe.path.split('?')[0]} -> {came}"


def status(endpoint: Endpoint, name: str) -> int | None:
    """The status that a probe was answered with."""
    probe = endpoint.probe(name)
    return probe.status if probe else None


def reached(endpoint: Endpoint) -> bool:
    """Whether anything took the connection."""
    return bool(endpoint.peer)


def answered(endpoint: Endpoint) -> bool:
    """Whether any HTTP answer came."""
    return any(probe.status is not None for probe in endpoint.probes)


def looks_like_forge(endpoint: Endpoint) -> bool:
    """Whether the answers are those of this family: its routes, its ping, or gradio's page."""
    if endpoint.fork:
        return True
    if endpoint.routes and any(path.startswith(("/sdapi/", "/internal/")) for path in endpoint.routes):
        return True
    if status(endpoint, "ping") == 200 or status(endpoint, "progress") in (200, 401):
        return True
    return bool(endpoint.gradio)


def server(endpoint: Endpoint) -> str:
    """The Server header of the first answer that has one."""
    return next((probe.headers["server"] for probe in endpoint.probes if probe.headers.get("server")), "")


def behind_proxy(endpoint: Endpoint) -> str:
    """The name of a proxy that answers in front of the server, or empty. uvicorn's own name is no proxy."""
    name = server(endpoint)
    via = next((probe.headers["via"] for probe in endpoint.probes if probe.headers.get("via")), "")
    return via or (name if name and "uvicorn" not in name.lower() else "")


def age(endpoint: Endpoint, seconds: float | None) -> Evidence:
    """How long the server's process has run."""
    if seconds is None:
        return Evidence(t("how long the process has run is not known"), endpoint.url)
    return Evidence(t("the process has run for {seconds} s", seconds=round(seconds)))
