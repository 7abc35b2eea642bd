"""The questions that are put to a server, all at once, and the second ones where the first got no answer.

Only what is cheap and changes nothing is asked: no options, cmd-flags, sysinfo, startup-events, extensions, and no POST
save the one image that :func:`generate` makes when it was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from forgedoctor.facts._connect import look_behind, verify
from forgedoctor.facts._http import LARGE, Ask, Client
from forgedoctor.facts._probe import Crew, Deadline, Exchange, Generated, Probe
from forgedoctor.facts._url import Url

GENERATE_SECONDS = 60.0  # the first image loads the model, which is gigabytes from a disk
EXTRA_SECONDS = 0.5  # what a counter-probe may take when the time-out is used up
_PACE = 0.01  # seconds
_PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
_PREFLIGHT = {
    "origin": "https://forgedoctor.invalid",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type",
}
_IMAGE = {"prompt": "", "width": 64, "height": 64, "steps": 1, "seed": 1, "save_images": False}


class _Images(msgspec.Struct):
    images: list[msgspec.Raw]


def questions(url: Url, credentials: str) -> list[Ask]:
    """What is asked of every server. ``/`` and ``/config`` are megabytes in gradio: their beginning is enough."""
    asks = [
        Ask(name="page", path="/", head=True),
        Ask(name="ping", path="/internal/ping"),
        Ask(name="progress", path=_PROGRESS),
        Ask(name="openapi", path="/openapi.json", cap=LARGE, quiet=True),
        Ask(name="samplers", path="/sdapi/v1/samplers", head=True, quiet=True),
        Ask(name="memory", path="/sdapi/v1/memory"),
        Ask(name="config", path="/config", head=True, quiet=True),
        Ask(name="cors", path="/sdapi/v1/txt2img", method="OPTIONS", headers=_PREFLIGHT, anonymous=True),
        Ask(name="nothing", path="/forgedoctor-probe"),
    ]
    if url.path:
        asks.append(Ask(name="progress-root", path=_PROGRESS, prefixed=False))
    if credentials:
        asks.append(Ask(name="anonymous", path=_PROGRESS, anonymous=True))
    return asks


def untried(url: Url, credentials: str) -> list[Exchange]:
    """The same questions, none of them put: nothing takes a connection."""
    return [_exchange(ask, url, Deadline(0)) for ask in questions(url, credentials)]


def put(client: Client, url: Url, peer: str, credentials: str, deadline: Deadline) -> list[Exchange]:
    """Put all questions at once; for https also ask whether the certificate holds. Ends at the deadline."""
    asks = {
        ask.name: (_exchange(ask, url, deadline), partial(client.fetch, ask)) for ask in questions(url, credentials)
    }
    listing, fetch = asks["openapi"]
    asks["openapi"] = (listing, partial(_unless_starting, asks["page"][0], asks["progress"][0], fetch))
    jobs: list[tuple[Exchange, Callable[[Exchange], None]]] = list(asks.values())
    if url.scheme == "https":
        jobs.append((Exchange("verify", "TLS", "", deadline), verify(url, peer)))
    crew = Crew(jobs, pace=_PACE)
    crew.wait()
    return crew.exchanges


def _unless_starting(page: Exchange, progress: Exchange, fetch: Callable[[Exchange], None], exchange: Exchange) -> None:
    """Ask for the list of routes, unless the page is up and the API is not.

    FastAPI makes the list once, at the first request, and keeps it: asked for while a web UI starts, /openapi.json and
    /docs would lack the API until the next start. (Seen with fastapi 0.104; with --nowebui all routes are there before
    the port opens.) Where the two do not answer, half the time is waited for them and the list asked all the same.
    """
    half = Deadline(exchange.deadline.left() / 2)
    while half.left() and (page.result is None or progress.result is None):
        time.sleep(_PACE)
    if page.result and progress.result and page.status == 200 and progress.status == 404:
        exchange.settle(
            "not-tried", "the page is up and the API is not: asking would fix the list of routes without it"
        )
        return
    exchange.begin()
    fetch(exchange)


def put_otherwise(url: Url, peer: str, found: Sequence[Exchange], deadline: Deadline) -> list[Exchange]:
    """Try the other protocol where this one got no answer at all.

    A TLS server closes on plain HTTP without a word; a plain server answers a TLS hello with what OpenSSL calls a wrong
    version number (both recorded with uvicorn).
    """
    tries = [(exchange.probe.outcome, exchange.probe.stage) for exchange in found]
    if any(outcome == "answered" for outcome, _ in tries):
        return []
    extra = Deadline(max(deadline.left(), EXTRA_SECONDS))
    if url.scheme == "http" and any(outcome in ("closed", "reset", "not-http") for outcome, _ in tries):
        crew = Crew([(Exchange("tls", "TLS", "", extra), look_behind(url, peer))])
        crew.wait()
        return crew.exchanges
    if url.scheme == "https" and any(stage == "tls" and outcome != "timeout" for outcome, stage in tries):
        ask = Ask(name="plain", path=_PROGRESS, anonymous=True)
        return _ask_alone(msgspec.structs.replace(url, scheme="http"), peer, ask, extra)
    return []


def generate(
    client: Client,
    url: Url,
    image: Mapping[str, Any] = _IMAGE,
    *,
    seconds: float = GENERATE_SECONDS,
    cap: int = LARGE,
) -> Generated:
    """Make one image, a small one unless told otherwise, waiting at most ``seconds``; what queues before it counts.

    ``image``: the request. ``cap``: bytes of the answer that are read.
    """
    ask = Ask(
        name="generate",
        method="POST",
        path="/sdapi/v1/txt2img",
        headers={"content-type": "application/json"},
        content=msgspec.json.encode(image),
        cap=cap,
    )
    exchange = _exchange(ask, url, Deadline(seconds))
    (probe,) = Crew([(exchange, partial(client.fetch, ask))]).wait()
    ok = probe.status == 200 and probe.outcome == "answered" and _has_image(exchange)
    return Generated(seconds=probe.elapsed, status=probe.status, ok=ok, detail="" if ok else _what_went_wrong(probe))


def _exchange(ask: Ask, url: Url, deadline: Deadline) -> Exchange:
    exchange = Exchange(ask.name, ask.method, ask.full_path(url), deadline)
    exchange.quiet = ask.quiet
    return exchange


def _ask_alone(url: Url, peer: str, ask: Ask, deadline: Deadline) -> list[Exchange]:
    client = Client(url, peer)
    try:
        crew = Crew([(_exchange(ask, url, deadline), partial(client.fetch, ask))])
        crew.wait()
    finally:
        client.close()
    return crew.exchanges


def _has_image(exchange: Exchange) -> bool:
    try:
        return bool(msgspec.json.decode(exchange.body, type=_Images).images)
    except (msgspec.MsgspecError, ValueError):
        return False


def _what_went_wrong(probe: Probe) -> str:
    """The server's own words: Forge puts them in message (500), detail (other errors) or errors (older forks)."""
    said = probe.json if isinstance(probe.json, dict) else {}
    words = [f"{said[key]}" for key in ("error", "message", "errors", "detail") if said.get(key)]
    return ": ".join(words)[:500] or probe.detail or probe.body[:500] or probe.outcome
