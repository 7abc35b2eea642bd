"""Recognise HTTP exchanges in a pasted text: what curl, browsers' tools, uvicorn, requests and httpx print."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from forgedoctor.facts.transcript import Line

_METHODS = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"
# Most lines of a long log are of no use here.
_MAYBE_HTTP = re.compile(
    r"/sdapi/|->|=>|→|HTTP/|\bAPI |rror|curl|[Rr]efused|REFUSED|Errno|"
    r"onnection timed out|TIMED_?OUT|ConnectTimeout"
)
_REQUEST = re.compile(
    rf"\b(?:Request:\s*)?({_METHODS})\s+(\S+)\s*(?:->|=>|→)\s*(\d{{3}}|None|null|\S+)?\s*([{{\[\"'].*)?"
)
_ACCESS = re.compile(rf'"({_METHODS}) (\S+) HTTP/[\d.]+"\s+(\d{{3}})')
_APILOG = re.compile(rf"\bAPI \d{{4}}-\d\d-\d\d \S+ (\d{{3}}) http/\S+ ({_METHODS}) (\S+)")
_CLIENT_ERROR = re.compile(r"\b(\d{3}) (?:Client|Server) Error: .{0,300}? for url:\s*(\S+)")
_HTTPX_ERROR = re.compile(r"(?:Client|Server) error '(\d{3}) [^']*' for url '([^']+)'")
_API_ERROR = re.compile(rf"API error: ({_METHODS}): (\S+) (\{{.*)$")
_CURL_REQUEST = re.compile(rf"^> ({_METHODS}) (\S+) HTTP/")
_CURL_STATUS = re.compile(r"^(?:< )?HTTP/[\d.]+ (\d{3})")
_CURL_FAILED = re.compile(r"curl: \((\d+)\) (.*)")
_REFUSED = re.compile(
    r"ECONNREFUSED\s+(\S+)|ConnectionRefusedError|\[Errno (?:111|61)\]|WinError 10061|[Cc]onnection refused"
)
# How clients say that nobody answered their connect: requests, httpx, node, browsers, Windows, Linux, macOS.
_TIMED_OUT = re.compile(
    r"ConnectTimeout|ETIMEDOUT|ERR_CONNECTION_TIMED_OUT|WinError 10060|\[Errno (?:110|60|10060)\]|"
    r"[Cc]onnection timed out"
)
# curl's exit codes, from its manual page.
_CURL_ERRORS = {
    6: "unresolvable",
    7: "refused",
    28: "timeout",
    35: "tls-error",
    52: "closed",
    56: "reset",
    60: "tls-error",
}


# A route of the API and a status on one line, in any order: what browsers and clients of all kinds print.
_ROUTE = re.compile(r"(?:https?://[^\s\"'<>/]+)?/sdapi/v1/[\w/-]+")
_CODE = re.compile(r"(?<![\d.:/])([45]\d\d)(?![\d.])(?=\W|$)")
_CURL_COMMAND = re.compile(r"\bcurl\b.*?(https?://[^\s\"']+)")
_POSTED = (
    "txt2img", "img2img", "extra-single-image", "extra-batch-images", "png-info", "interrogate", "interrupt", "skip",
)  # fmt: skip


def _usual(route: str) -> str:
    """The method that a route wants. Source: modules/api/api.py."""
    return "POST" if route.rstrip("/").rpartition("/")[2] in _POSTED else "GET"


LONGEST_BODY = 20_000  # characters of an answer that are parsed
MOST = 2000  # exchanges that are read


def exchanges(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The HTTP exchanges in the lines, each as the fields of an Exchange."""
    found: list[dict[str, Any]] = []
    pending: dict[str, Any] | None = None
    for index, line in enumerate(lines):
        text = line.text
        if len(found) >= MOST or not _MAYBE_HTTP.search(text):
            continue
        if match := _CURL_REQUEST.match(text):
            pending = {"method": match[1], "url": match[2], "where": line.where}
        elif match := _CURL_COMMAND.search(text):
            method = re.search(r"-X\s*([A-Z]+)", text)
            sends = re.search(r"\s(?:-d|--data\S*|--json)\s", text)
            pending = {
                "method": method[1] if method else "POST" if sends else "GET",
                "url": match[1],
                "where": line.where,
            }
        elif (match := _CURL_STATUS.match(text)) and pending:
            found.append(_exchange(**pending, status=match[1], body=_body_after(lines, index)))
            pending = None
        else:
            one = _one_line(line, lines, index)
            if one:
                found.append(one)
    return found


def _one_line(line: Line, lines: Sequence[Line], index: int) -> dict[str, Any] | None:
    text = line.text
    if match := _REQUEST.search(text):
        return _exchange(match[1], match[2], line.where, match[3] or "", match[4] or _body_after(lines, index))
    if match := _API_ERROR.search(text):
        return _exchange(match[1], match[2], line.where, "", match[3])
    if match := _ACCESS.search(text):
        return _exchange(match[1], match[2], line.where, match[3])
    if match := _APILOG.search(text):
        return _exchange(match[2], match[3], line.where, match[1])
    if match := _CLIENT_ERROR.search(text) or _HTTPX_ERROR.search(text):
        return _exchange(_usual(match[2]), match[2], line.where, match[1])
    if match := _CURL_FAILED.search(text):
        error = _CURL_ERRORS.get(int(match[1]), "error")
        return {"error": error, "detail": match[2], "where": line.where, "url": _url_in(match[2])}
    if (match := _ROUTE.search(text)) and (code := _CODE.search(text.replace(match[0], " "))):
        method = re.search(rf"\b({_METHODS})\b", text)
        body = text[text.index("{") :] if "{" in text else ""
        return _exchange(method[1] if method else _usual(match[0]), match[0], line.where, code[1], body)
    if match := _REFUSED.search(text):
        return {"error": "refused", "detail": text.strip()[:300], "where": line.where, "url": match[1] or _url_in(text)}
    if _TIMED_OUT.search(text):
        return {"error": "timeout", "detail": text.strip()[:300], "where": line.where, "url": _url_in(text)}
    return None


def _exchange(method: str, url: str, where: str, status: str = "", body: str = "") -> dict[str, Any]:
    parts = urlsplit(url) if "://" in url else None
    path = (parts.path or "/") if parts else url.split("?", 1)[0]
    value = _value_of(body)
    if status.isdigit():
        code: int | None = int(status)
    else:
        code = _status_in(value)
    detail = value.get("detail") or value.get("errors") or value.get("message") or "" if isinstance(value, dict) else ""
    return {
        "method": method or "GET", "url": url if parts else "", "path": path, "status": code, "body": body[:4000],
        "detail": detail if isinstance(detail, str) else json.dumps(detail)[:1000], "where": where, "json": value,
    }  # fmt: skip


def _status_in(value: object) -> int | None:
    """The status an error handler wrote into its own body. Source: a1111 modules/api/api.py exception handler."""
    if isinstance(value, dict) and value.get("error") == "HTTPException":
        code = value.get("code")
        return code if isinstance(code, int) else None
    return None


def _body_after(lines: Sequence[Line], index: int) -> str:
    """The answer's body: the lines after, up to an empty one that follows text."""
    body: list[str] = []
    for line in lines[index + 1 : index + 40]:
        text = line.text
        if text.startswith(("< ", "> ")) or (not text.strip() and not body):
            if text.startswith("<"):
                continue
            break
        if not text.strip():
            break
        body.append(text)
    return "\n".join(body)


def _value_of(body: str) -> Any:
    body = body.strip()
    if not body.startswith(("{", "[")) or len(body) > LONGEST_BODY:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:  # A Python dict that somebody printed: repr, not JSON.
        import ast

        return ast.literal_eval(body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _url_in(text: str) -> str:
    if match := re.search(r"onnect to (\S+?) port (\d+)", text):  # curl
        return f"{match[1]}:{match[2]}"
    if match := re.search(r"host='([^']+)', port=(\d+)", text):  # urllib3
        return f"{match[1]}:{match[2]}"
    match = re.search(r"https?://\S+|\b\d{1,3}(?:\.\d{1,3}){3}:\d+|\blocalhost:\d+|::1:\d+", text)
    return match[0].rstrip(".,)'\"") if match else ""
