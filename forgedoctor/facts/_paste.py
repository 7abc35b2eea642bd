"""Recognise in a pasted text: system, fork, command lines, listening addresses, HTTP exchanges.

Patterns follow what the programs print (Forge's launcher, gradio, uvicorn, curl, requests), not any one report.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from forgedoctor.facts.transcript import Line

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*(?:\x07|\x1b\\)")
_METHODS = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"
_SYSTEMS = {
    "windows": "windows",
    "linux": "linux",
    "macos": "macos",
    "darwin": "macos",
    "docker": "linux",
    "wsl": "linux",
}

# modules/launch_utils.py start(): printed with shlex.join, so POSIX splitting gives the tokens back.
LAUNCHING = re.compile(r"Launching (API server|Web UI) with arguments:\s*(.*)$")
LISTENING = re.compile(r"(?:Running on local URL:|Uvicorn running on)\s+(https?://\S+)")
VERSION = re.compile(r"^\s*Version:\s*(\S+)")
VARIABLE = re.compile(r"COMMANDLINE[_-]?ARGS\s*=", re.IGNORECASE)
PROGRAM = re.compile(r"(?:^|[\s/\\\"'])(launch\.py|webui\.py|webui\.sh|webui\.bat|webui-user\.bat)\b[\"']?(.*)$")


# Source: gradio, uvicorn, webui.py; argparse writes "PROGRAM: error: ..." after its usage.
STARTED = re.compile(
    r"Running on local URL:|Uvicorn running on|Startup time:|Application startup complete|HTTP/1\.[01]\" \d{3}"
)
REFUSED = re.compile(r":\s*error: (?:unrecognized arguments|argument |ambiguous option)|^usage: \S+\.py \[-h\]")


def lines_of(text: str) -> list[str]:
    """Lines as a person sees them: no colours, a progress bar's last state, no carriage returns."""
    shown = []
    for line in text.replace("\r\n", "\n").split("\n"):
        line = _ANSI.sub("", line).rstrip("\r")
        shown.append(line.rsplit("\r", 1)[-1])
    return shown


# A line that none of these fits says nothing to the patterns below; most lines of a long log are such.
_MAYBE = re.compile(
    r"Launching|Running on|Uvicorn|Version:|ARGS|args|flags|[Cc]ommand ?[Ll]ine|launch\.py|webui|^\s*[\"']?--?[a-z]"
    r"|\b(?i:os|system|gpu|fork)\s*:|error:|usage:|Startup|HTTP/1"
)
_MAYBE_HTTP = re.compile(r"->|=>|→|HTTP/|\bAPI |rror|curl|[Rr]efused|REFUSED|Errno")


class Seen:
    """What :func:`recognise` found."""

    def __init__(self) -> None:
        self.system = self.fork = self.version = ""
        self.container = self.wsl = self.started = self.refused = False
        self.bare = True
        self.command_lines: list[dict[str, Any]] = []
        self.listening: list[str] = []


def recognise(lines: Sequence[Line], whole: str) -> Seen:
    """Read the lines once; ``whole`` is the same text in one piece."""
    seen = Seen()
    for line in lines:
        text = line.text
        if not _MAYBE.search(text):
            seen.bare = seen.bare and not text.strip()
            continue
        label, colon, value = text.partition(":")
        label = label.strip().lower().lstrip("*-# ")
        if colon and label in ("os", "system", "operating system"):
            seen.system = seen.system or next((_SYSTEMS[w] for w in _SYSTEMS if w in value.lower()), "")
            seen.container = seen.container or "docker" in value.lower()
            seen.wsl = seen.wsl or "wsl" in value.lower()
            continue
        if colon and label in ("gpu", "fork"):
            continue
        if match := VERSION.match(text):
            seen.version = match[1]
        if match := LISTENING.search(text):
            seen.listening.append(match[1].rstrip(").,"))
        found = _command_line(text, line.where)
        if found:
            seen.command_lines.append(found)
        elif text.strip():
            seen.bare = False
        seen.started = seen.started or bool(STARTED.search(text))
        seen.refused = seen.refused or bool(REFUSED.search(text))
    seen.fork = fork_of_version(seen.version)
    seen.system = seen.system or _system_of(whole)
    return seen


def fork_of_version(version: str) -> str:
    """The fork that prints such a version. Source: modules_forge/forge_version.py of each; a1111 prints its tag."""
    if version in ("classic", "neo"):
        return version
    if version.startswith("f1.0.0"):
        return "reforge"
    if re.match(r"f2\.0|f0\.0", version):
        return "forge"
    return "a1111" if re.match(r"v1\.\d", version) else ""


_WINDOWS = re.compile(r"\b[A-Za-z]:\\|\bvenv\\Scripts\\|WinError|\.bat\b|^\s*@?set COMMANDLINE_ARGS", re.M)
_MACOS = re.compile(r"/Users/[^/\s]+/|\bdarwin\b|macOS")
_LINUX = re.compile(
    r"/home/[^/\s]+/|/root/|/usr/lib|/usr/local/lib|\[Errno (?:98|111)\]|^\s*export COMMANDLINE_ARGS", re.M
)


def _system_of(text: str) -> str:
    """The system whose marks come first in the text."""
    marks = {"windows": _WINDOWS, "macos": _MACOS, "linux": _LINUX}
    first = {system: match.start() for system, pattern in marks.items() if (match := pattern.search(text))}
    return min(first, key=lambda system: first[system], default="")


def _command_line(text: str, where: str) -> dict[str, Any] | None:
    if match := LAUNCHING.search(text):
        return {"text": match[2], "kind": "logged", "where": where, "argv": tuple(_split(match[2]))}
    labelled = re.match(r"\s*(?:command ?line(?: arguments| args)?|arguments|args|flags)\s*[:=]\s*(.*)$", text, re.I)
    body = labelled[1].strip() if labelled else text.strip()
    if VARIABLE.search(body):
        return {"text": body, "kind": "variable", "where": where}
    if match := PROGRAM.search(body):
        rest = match[2].strip()
        if rest.startswith("-") or (labelled and not rest):
            return {"text": body, "kind": "command", "where": where, "argv": tuple(_split(rest))}
        return None
    if labelled and body.startswith(('"', "'")) and body.endswith(body[0]) and len(body) > 2:
        # Somebody shows the quotes because they are part of what was given: one token with blanks in it.
        inner = body[1:-1]
        return {
            "text": body, "kind": "bare", "where": where, "argv": (inner,), "quoted_whole": inner.startswith("-"),
        }  # fmt: skip
    if re.match(r"--?[a-z][\w-]*(?:[\s=]|$)", body) and (labelled or _flags_only(body)):
        return {"text": body, "kind": "bare", "where": where, "argv": tuple(_split(body))}
    return None


def _flags_only(text: str) -> bool:
    words = text.split()
    return len(words) <= 60 and words[0].startswith("--") and "error" not in text.lower() and len(words[0]) < 40


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


# -- HTTP ---------------------------------------------------------------------------------------------------------

_REQUEST = re.compile(
    rf"\b(?:Request:\s*)?({_METHODS})\s+(\S+)\s*(?:->|=>|→)\s*(\d{{3}}|None|null|\S+)?\s*([{{\[\"'].*)?"
)
_ACCESS = re.compile(rf'"({_METHODS}) (\S+) HTTP/[\d.]+"\s+(\d{{3}})')
_APILOG = re.compile(rf"\bAPI \d{{4}}-\d\d-\d\d \S+ (\d{{3}}) http/\S+ ({_METHODS}) (\S+)")
_CLIENT_ERROR = re.compile(r"\b(\d{3}) (?:Client|Server) Error: .*? for url:\s*(\S+)")
_HTTPX_ERROR = re.compile(r"(?:Client|Server) error '(\d{3}) [^']*' for url '([^']+)'")
_API_ERROR = re.compile(rf"API error: ({_METHODS}): (\S+) (\{{.*)$")
_CURL_REQUEST = re.compile(rf"^> ({_METHODS}) (\S+) HTTP/")
_CURL_STATUS = re.compile(r"^(?:< )?HTTP/[\d.]+ (\d{3})")
_CURL_FAILED = re.compile(r"curl: \((\d+)\) (.*)")
_REFUSED = re.compile(
    r"ECONNREFUSED\s+(\S+)|ConnectionRefusedError|\[Errno (?:111|61)\]|WinError 10061|[Cc]onnection refused"
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


def exchanges(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The HTTP exchanges in the lines, each as the fields of an Exchange."""
    found: list[dict[str, Any]] = []
    pending: dict[str, Any] | None = None
    for index, line in enumerate(lines):
        text = line.text
        if not _MAYBE_HTTP.search(text):
            continue
        if match := _CURL_REQUEST.match(text):
            pending = {"method": match[1], "url": match[2], "where": line.where}
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
        return _exchange("", match[2], line.where, match[1])
    if match := _CURL_FAILED.search(text):
        error = _CURL_ERRORS.get(int(match[1]), "error")
        return {"error": error, "detail": match[2], "where": line.where, "url": _url_in(match[2])}
    if match := _REFUSED.search(text):
        return {"error": "refused", "detail": text.strip()[:300], "where": line.where, "url": match[1] or _url_in(text)}
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
    if not body.startswith(("{", "[")):
        return None
    try:
        return json.loads(body)
    except ValueError:
        pass
    try:  # A Python dict that somebody printed: repr, not JSON.
        import ast

        return ast.literal_eval(body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _url_in(text: str) -> str:
    if match := re.search(r"onnect to (\S+?) port (\d+)", text):  # curl
        return f"{match[1]}:{match[2]}"
    match = re.search(r"https?://\S+|\b\d{1,3}(?:\.\d{1,3}){3}:\d+|\blocalhost:\d+|::1:\d+", text)
    return match[0].rstrip(".,)'\"") if match else ""
