"""The head of a request, read from whatever a peer sends: bounded, and never trusted."""

from __future__ import annotations

from typing import Literal

import msgspec

from forgedoctor.report.text import harmless

MOST_HEAD = 16 * 1024  # bytes
_LONGEST = 80  # characters of a peer's word that are shown
_METHOD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# Headers by which proxies say that they are there. Source: RFC 9110 (Via), RFC 7239, customs of nginx and Cloudflare.
_PROXIES = ("via", "forwarded", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip")

Spoken = Literal["http", "tls", "junk", "more"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked; texts are cut and safe to show. ``proxy``: the header by which a proxy gave itself away."""

    method: str = ""
    path: str = ""
    host: str = ""
    agent: str = ""
    language: str = ""
    proxy: str = ""


def spoken(data: bytes) -> Spoken:
    """What a peer speaks, by its first bytes; ``more`` while that is open."""
    if data[:1] == b"\x16":
        if len(data) > 1 and data[1:2] != b"\x03":
            return "junk"
        return "tls" if len(data) > 1 else "more"
    if not _METHOD.issuperset(data[:3]):
        return "junk"
    return "http" if ended(data) else "more"


def ended(data: bytes) -> bool:
    """Whether the head of a request is complete."""
    return b"\r\n\r\n" in data or b"\n\n" in data


def parse(data: bytes) -> Request | None:
    """The request in these bytes; None where they are none."""
    head = data[:MOST_HEAD].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode("latin-1")
    first, *lines = head.split("\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/") or not words[0].isalpha():
        return None
    headers: dict[str, str] = {}
    for line in lines[:100]:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    proxy = next((name for name in _PROXIES if name in headers), "")
    return Request(
        method=shown(words[0], 10),
        path=shown(_without_query(words[1])),
        host=shown(headers.get("host", "").rpartition("@")[2]),
        agent=shown(headers.get("user-agent", "")),
        language=headers.get("accept-language", "")[:200],
        proxy=proxy,
    )


def _without_query(path: str) -> str:
    """The path alone: what follows may be a token, and is nobody's business."""
    return path.partition("?")[0].rpartition("@")[2] if "://" in path else path.partition("?")[0]


def shown(text: str, most: int = _LONGEST) -> str:
    """A peer's text as one short line that can do a terminal no harm."""
    cut = text[:most] + ("..." if len(text) > most else "")
    return harmless(" ".join(cut.split()))


def prefers_chinese(accepted: str) -> bool:
    """Whether an Accept-Language header ranks Chinese above English (RFC 9110, 12.5.4); of equals the first wins."""
    best, highest = "", 0.0
    for part in accepted.split(",")[:20]:
        name, _, weight = part.partition(";")
        language = name.strip().lower()[:2]
        try:
            rank = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in ("zh", "en") and rank > highest:
            best, highest = language, rank
    return best == "zh"
