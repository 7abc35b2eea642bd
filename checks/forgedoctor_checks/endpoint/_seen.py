"""Readings of an endpoint that several checks share; above all :func:`kind`, so that one cause is named, not five."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from forgedoctor.check import Evidence, plain
from forgedoctor.facts import Endpoint, Probe

Kind = Literal[
    "unasked", "unreachable", "other-scheme", "not-http", "silent", "closes", "slow", "busy", "circle", "elsewhere",
    "login", "gateway", "usable", "prefix", "off", "half", "other-program", "unclear",
]  # fmt: skip

_BESIDE = ("connect", "tls", "plain", "verify")  # probes that are no question to the API
# What a proxy answers for a server behind it. Source: RFC 9110, 15.6.3 to 15.6.5; Cloudflare's 52x.
GATEWAY = frozenset({502, 503, 504, *range(520, 528), 530})
# gradio writes the program's title into the page: og:title, and title in the configuration that it carries.
_FAMILY = re.compile(r'"og:title" content="Stable Diffusion"|"title": ?"Stable Diffusion"')
_TITLE = re.compile(r'<title>([^<]{1,200})</title>|property="og:title" content="([^"]{1,200})"', re.IGNORECASE)


def kind(endpoint: Endpoint) -> Kind:
    """What the answers come to, in one word; each word is the business of one check.

    ``unasked``: the probes that tell were not put. ``usable``: the API answers as Forge's does. ``prefix``: it does so
    without the URL's path. ``off``: Forge's page and its own routes answer, the API does not. ``half``: the page alone
    answers. ``unclear``: answers, and none of the causes known here.
    """
    if not endpoint.peer:
        return "unreachable"
    if not answered(endpoint):
        return _unanswered(endpoint)
    progress = endpoint.probe("progress")
    if progress is None or progress.outcome == "not-tried":
        return "unasked"
    return _missing(endpoint, progress) if progress.status in (404, 405) else _judged(endpoint, progress)


def _unanswered(endpoint: Endpoint) -> Kind:
    tls, other = endpoint.probe("tls"), endpoint.probe("plain")
    if (tls and tls.outcome == "answered") or (other and other.status is not None):
        return "other-scheme"
    if any(probe.outcome == "not-http" for probe in endpoint.probes):
        return "not-http"
    outcomes = {probe.outcome for probe in _asked(endpoint)}
    if not outcomes:
        return "unasked"
    return "silent" if outcomes == {"timeout"} else "closes"


def _judged(endpoint: Endpoint, progress: Probe) -> Kind:
    status = progress.status
    if progress.outcome == "redirect-loop":
        return "circle"
    if status is None:
        return _stuck(endpoint) if progress.outcome == "timeout" else "closes"
    if 300 <= status < 400:
        return "elsewhere"
    if status == 200 and not is_progress(progress):
        return "elsewhere" if progress.redirects else "other-program"
    if status in GATEWAY and "uvicorn" not in progress.headers.get("server", ""):
        return "gateway"
    return "usable" if status == 200 else "login" if status == 401 else "unclear"


def _stuck(endpoint: Endpoint) -> Kind:
    """The API hangs and something else answers: are all routes stuck that need a worker thread, and only those?"""
    others = [probe for probe in (endpoint.probe("samplers"), endpoint.probe("ping")) if probe]
    if others and all(probe.outcome == "timeout" or probe.status == 404 for probe in others):
        hangs = any(probe.outcome == "timeout" for probe in others)
        return "busy" if hangs and code(endpoint, "openapi") == 200 else "slow"
    return "slow"


def _missing(endpoint: Endpoint, progress: Probe) -> Kind:
    """The API's address does not exist: what else is there?"""
    root, page = endpoint.probe("progress-root"), endpoint.probe("page")
    if root and (is_progress(root) or is_own_login(root)):
        return "prefix"
    if lists_api(endpoint) or page is None:
        return "unclear"
    if code(endpoint, "ping") == 200:
        off = page.status == 200 and is_own_404(progress)
        return "off" if off else "unclear"
    if is_family_page(endpoint):
        return "half" if is_own_404(progress) else "unclear"
    if page.status == 200:
        return "unclear" if asks_for_page_login(page) else "other-program"
    return "unclear" if is_own_404(progress) and endpoint.routes is None else "other-program"


def _asked(endpoint: Endpoint) -> list[Probe]:
    return [probe for probe in endpoint.probes if probe.name not in _BESIDE and probe.outcome != "not-tried"]


def answered(endpoint: Endpoint) -> bool:
    """Whether any question was answered in HTTP."""
    return any(probe.status is not None for probe in _asked(endpoint))


def code(endpoint: Endpoint, name: str) -> int | None:
    """The status that a probe was answered with."""
    probe = endpoint.probe(name)
    return probe.status if probe else None


def is_progress(probe: Probe) -> bool:
    """Whether this is the answer of /sdapi/v1/progress. A long one is cut and then known by its beginning."""
    if probe.status != 200:
        return False
    if isinstance(probe.json, dict):
        return isinstance(probe.json.get("progress"), (int, float)) and isinstance(probe.json.get("state"), dict)
    return re.match(r'\s*\{"progress":\s*[\d.]+,', probe.body) is not None


def is_own_login(probe: Probe) -> bool:
    """Whether a 401 is Forge's own: JSON, which a proxy hands on as it is. Source: recorded answers."""
    return probe.status == 401 and _detail(probe) in ("Not authenticated", "Incorrect username or password")


def is_own_404(probe: Probe) -> bool:
    """Whether a 404 is what FastAPI says of a route that it does not have (405: one that it has for other methods)."""
    return _detail(probe) in ("Not Found", "Method Not Allowed")


def is_family_page(endpoint: Endpoint) -> bool:
    """Whether the page is that of a Stable Diffusion WebUI."""
    page = endpoint.probe("page")
    return page is not None and page.status == 200 and _FAMILY.search(page.body) is not None


def asks_for_page_login(page: Probe) -> bool:
    """Whether the page is gradio's login, which does not say whose it is."""
    return '"auth_required":' in page.body.replace(" ", "")


def lists_api(endpoint: Endpoint) -> bool:
    """Whether /openapi.json names the API's main route."""
    return any(path.endswith("/sdapi/v1/txt2img") for path in endpoint.routes or ())


def prefix(endpoint: Endpoint) -> str:
    """The path in the URL that was asked, mostly empty."""
    return urlsplit(endpoint.url).path.rstrip("/")


def root(endpoint: Endpoint) -> str:
    """The URL without a path."""
    return endpoint.url.removesuffix(prefix(endpoint))


def is_local(host: str) -> bool:
    """Whether a host is this machine itself."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def where(endpoint: Endpoint) -> str:
    """``127.0.0.1:7860``"""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


def told(endpoint: Endpoint, *names: str) -> list[Evidence]:
    """What those probes came to, as evidence."""
    found = [endpoint.probe(name) for name in names]
    return [Evidence(plain(line(one)), endpoint.url) for one in found if one and one.outcome != "not-tried"]


def line(probe: Probe) -> str:
    """``GET /sdapi/v1/progress -> 404 Not Found`` or ``-> no answer in 2 s``."""
    asked = f"{probe.method} {probe.path.split('?')[0]}".strip()
    if probe.status is not None and probe.outcome in ("answered", "redirect-loop"):
        return f"{asked} -> {probe.status} {said(probe)}".strip()
    if probe.outcome == "timeout":
        return f"{asked} -> no answer in {max(probe.elapsed, 0.1):.2g} s"
    return f"{asked} -> {probe.outcome}" + (f" ({probe.detail})" if probe.detail else "")


def said(probe: Probe) -> str:
    """The few words of an answer that tell most: the error's detail, the page's title, or all of a short text."""
    if probe.status != 200 and isinstance(probe.json, dict):
        words = [str(probe.json[key]) for key in ("error", "message", "errors", "detail") if probe.json.get(key)]
        return ": ".join(words)[:300]
    name = title(probe)
    return f'"{name}"' if name else ""


def title(probe: Probe) -> str:
    """What a page calls itself."""
    match = _TITLE.search(probe.body)
    if match:
        return " ".join((match[1] or match[2]).split())
    text = probe.body.strip()
    short = 0 < len(text) <= 60 and text.isprintable() and text[0] not in "<{["
    return text if short else ""


def server(endpoint: Endpoint) -> str:
    """The Server header of the first answer that has one."""
    return next((probe.headers["server"] for probe in endpoint.probes if probe.headers.get("server")), "")


def in_front(endpoint: Endpoint) -> str:
    """The name of a proxy that answers in front of the server, or empty. uvicorn's own name is no proxy."""
    via = next((probe.headers["via"] for probe in endpoint.probes if probe.headers.get("via")), "")
    name = server(endpoint)
    return via or (name if "uvicorn" not in name.lower() else "")


def _detail(probe: Probe) -> Any:
    return probe.json.get("detail") if isinstance(probe.json, dict) else None
