"""What a visitor gets: one small page in English or Chinese, and the same for programs as JSON."""

from __future__ import annotations

import html
import json

import msgspec

from forgedoctor.facts._url import bracketed
from forgedoctor.message import Message, t
from forgedoctor.reach.caller import OUTSIDE
from forgedoctor.reach.request import Request, prefers_chinese

PROBE_PATH = "/forgedoctor-reach.json"
KIND = "forgedoctor-reach"
SCHEMA_VERSION = "1.0"
_STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;margin:0;padding:24px;color:#1b1f24;background:#f3f6f4}"
    "main{max-width:34em;margin:0 auto}h1{font-size:1.5em;color:#116329;margin:.2em 0}"
    "code{font:16px ui-monospace,monospace;background:#e2e8e4;padding:2px 6px;border-radius:4px;word-break:break-all}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#12171c}h1{color:#56d364}code{background:#26303a}}"
)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor is told: its address and port as seen here, the address that took it, and the way."""

    peer: str
    peer_port: int
    local: str
    port: int
    way: Message
    origin: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A recognised answer of the other side's reach, as a client reads it."""

    kind: str
    schema_version: str
    you: str = ""
    here: str = ""
    port: int = 0
    origin: str = ""


def answer(request: Request, seen: Seen) -> bytes:
    """The bytes that answer a request: the JSON, the page, or the page with status 404 for any other path."""
    if request.path == PROBE_PATH:
        return _response(200, "application/json", _json(seen), request.method)
    chinese = prefers_chinese(request.language)
    text = page(seen, "zh_CN" if chinese else "en")
    status = 200 if request.path == "/" and request.method in ("GET", "HEAD") else 404
    return _response(status, "text/html; charset=utf-8", text, request.method)


def refusal() -> bytes:
    """The answer to a head that does not end."""
    return _response(431, "text/plain", "the request is too long\n", "GET")


def _json(seen: Seen) -> str:
    told = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, "you": seen.peer, "here": seen.local, "port": seen.port,
        "origin": seen.origin,
    }  # fmt: skip
    return json.dumps(told) + "\n"


def read_reply(body: bytes) -> Reply | None:
    """The answer of a reach on the other side; None for anything else."""
    try:
        reply = msgspec.json.decode(body, type=Reply)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return reply if reply.kind == KIND else None


def page(seen: Seen, language: str) -> str:
    """The page. Nothing of what the visitor sent is on it, only numbers that the system knows."""

    def say(message: Message) -> str:
        return html.escape(message.text(language))

    here = f"{bracketed(seen.local)}:{seen.port}"
    rows = (
        (t("You were seen as"), f"{bracketed(seen.peer)}:{seen.peer_port}"),
        (t("You were received at"), here),
        (t("That is"), seen.way.text(language)),
    )
    lines = "".join(f"<p>{say(label)}: <code>{html.escape(value)}</code></p>" for label, value in rows)
    proved = say(t("The way from your device to that machine is open."))
    end = t("This page is from forgedoctor reach, not from Forge. The person at that machine sees this visit now.")
    return (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh_CN" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{say(t('You got through'))}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{say(t('You got through'))}</h1>{f'<p>{proved}</p>' if seen.origin in OUTSIDE else ''}"
        f"{lines}<p>{say(end)}</p></main></body></html>\n"
    )


def _response(status: int, kind: str, text: str, method: str) -> bytes:
    phrase = {200: "OK", 404: "Not Found", 431: "Request Header Fields Too Large"}[status]
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nServer: forgedoctor-reach\r\n\r\n"
    ).encode("ascii")
    return head if method == "HEAD" else head + body
