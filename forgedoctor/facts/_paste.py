"""Recognise in a pasted text: system, fork, command lines, listening addresses, launcher files.

Patterns follow what the programs print (Forge's launcher, gradio, uvicorn, curl, requests), not any one report.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgedoctor.facts.transcript import Line

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\)")
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


LONGEST = 8000  # characters of a line that are read: what is longer is an image in base64, or hostile


def lines_of(text: str) -> list[str]:
    """Lines as a person sees them: no colours, a progress bar's last state, no carriage returns."""
    shown = []
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line.rstrip("\r").rsplit("\r", 1)[-1]
        shown.append(_ANSI.sub("", line[: 2 * LONGEST])[:LONGEST])
    return shown


# A line that none of these fits says nothing to the patterns below; most lines of a long log are such.
_MAYBE = re.compile(
    r"Launching|Running on|Uvicorn|Version:|ARGS|args|flags|[Cc]ommand ?[Ll]ine|launch\.py|webui|^\s*[\"']?--?[a-z]"
    r"|\b(?i:os|system|gpu|fork)\s*:|error:|usage:|Startup|HTTP/1"
)


class Seen:
    """What :func:`recognise` found."""

    def __init__(self) -> None:
        self.system = self.fork = self.version = ""
        self.container = self.wsl = self.started = self.refused = False
        self.bare = True
        self.symptom = ""
        self.command_lines: list[dict[str, Any]] = []
        self.listening: list[str] = []


def recognise(lines: Sequence[Line], whole: str) -> Seen:
    """Read the lines once; ``whole`` is the same text in one piece."""
    seen = Seen()
    for line in lines:
        text = line.text
        if not _MAYBE.search(text):
            seen.bare = seen.bare and (not text.strip() or bool(_OF_SCRIPT.match(text)))
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
        elif text.strip() and not _OF_SCRIPT.match(text):
            seen.bare = False
        seen.started = seen.started or bool(STARTED.search(text))
        seen.refused = seen.refused or bool(REFUSED.search(text))
    seen.symptom = _symptom(whole)
    seen.fork = fork_of_version(seen.version)
    seen.system = seen.system or _system_of(whole)
    return seen


# The last words of a Python traceback, uvicorn's and argparse's errors: something went wrong, whatever it was.
_SYMPTOM = re.compile(
    r"^\W{0,8}((?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit)\b:?.*|ERROR:\s.*|\S*:? ?error: .*"
    r"|.*\b(?:WinError|Errno)\b.*)$",
    re.M,
)


def _symptom(whole: str) -> str:
    found = ""
    if "Traceback (most recent call last)" in whole or "rror" in whole or "Errno" in whole:
        for match in _SYMPTOM.finditer(whole):
            found = match[1]
    return found.strip()[:200]


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


_SCRIPT = re.compile(
    r"COMMANDLINE[_-]?ARGS\s*=|^\s*@?(?:set\s+\"?COMMAND|export\s+COMMAND|call\s+\"?webui|@echo off)", re.I
)
# What a launcher file is made of; prose around a pasted one would open quotation marks that nothing closes.
_OF_SCRIPT = re.compile(
    r"^\s*(?:@|#|::|rem\b|set\b|setlocal|export\b|call\b|source\b|\.\s|if\b|else\b|fi\b|for\b|goto\b|pause\b|cd\b|pushd\b|exit\b"
    r"|python\w*\s|\.?/?webui\S*\.(?:sh|bat)|--?[a-z]|[A-Za-z_][\w-]*\s?\+?=|[)(}{])",
    re.I,
)


def script_lines(lines: Sequence[Line]) -> list[str] | None:
    """The lines of a pasted launcher file, the others empty so that numbers stay; None where there is no such file."""
    texts = [_unlabelled(line.text) for line in lines]
    if not any(_SCRIPT.search(text) for text in texts):
        return None
    kept: list[str] = []
    for text in texts:
        goes_on = bool(kept) and kept[-1].rstrip().endswith(("^", "\\"))
        kept.append(text if goes_on or _OF_SCRIPT.match(text) else "")
    return kept


def _unlabelled(text: str) -> str:
    label, colon, rest = text.partition(":")
    return rest.strip() if colon and label.strip().lower() in ("command line", "commandline", "args") else text


_UNRECOGNIZED = re.compile(r"\berror: unrecognized arguments: (.+)$")


def _command_line(text: str, where: str) -> dict[str, Any] | None:
    if match := _UNRECOGNIZED.search(text):
        # All that is left of a command line: argparse joins the words with blanks.
        return {"text": match[1], "kind": "refused", "where": where, "argv": tuple(match[1].split())}
    if match := LAUNCHING.search(text):
        return {"text": match[2], "kind": "logged", "where": where, "argv": tuple(_split(match[2]))}
    labelled = re.match(r"\s*(?:command ?line(?: arguments| args)?|arguments|args|flags)\s*[:=]\s*(.*)$", text, re.I)
    body = labelled[1].strip() if labelled else text.strip()
    if VARIABLE.search(body):
        return {"text": body, "kind": "variable", "where": where}
    if match := PROGRAM.search(body):
        rest = "" if match[1] == "webui-user.bat" else match[2].strip()  # that file hands no arguments on
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
