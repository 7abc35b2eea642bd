"""What somebody pasted: a command line, a launcher file, HTTP exchanges, a log. Text in, observations out."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _paste, _paste_http
from forgedoctor.forge.scripts import Script, read_script
from forgedoctor.message import t
from forgedoctor.target import Target


class Line(msgspec.Struct, frozen=True):
    """One line of a pasted text, with its 1-based number and the name of the text."""

    text: str
    number: int
    name: str = ""

    @property
    def where(self) -> str:
        """For people: ``webui.log line 12``."""
        return f"{self.name or 'pasted text'} line {self.number}"


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """Flags that were seen in a text. ``kind``: logged (the launcher printed them), variable,
    command, bare, refused (the words that the parser did not know)."""

    text: str
    kind: str
    where: str
    argv: tuple[str, ...] = ()
    env: dict[str, str] = {}
    quoted_whole: bool = False


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request and what came of it: a status, or an ``error`` (refused, timeout, reset, unresolvable)."""

    method: str = "GET"
    url: str = ""
    path: str = "/"
    status: int | None = None
    body: str = ""
    detail: str = ""
    error: str = ""
    where: str = ""
    json: Any = None


class Exchanges(Fact, frozen=True, kw_only=True):
    """The HTTP exchanges that a text tells of, in order."""

    exchanges: tuple[Exchange, ...]


class Transcript(Fact, frozen=True, kw_only=True):
    """A pasted text and what could be recognised in it. The system, fork and version are empty where it is silent.

    ``started``: the log shows a server that came up. ``refused``: the program's own parser says that it stops.
    ``symptom``: the last error that it prints, known or not. ``bare``: there is nothing in it but command lines.
    ``container``, ``wsl``: the side at fault runs in one. ``text`` is the lines in one piece, less the blank
    ones, for a quick look before a slow one.
    """

    lines: tuple[Line, ...]
    text: str = ""
    system: str = ""
    fork: str = ""
    version: str = ""
    command_lines: tuple[CommandLine, ...] = ()
    listening: tuple[str, ...] = ()
    container: bool = False
    wsl: bool = False
    started: bool = False
    refused: bool = False
    bare: bool = False
    symptom: str = ""

    def script(self) -> Script | None:
        """The launcher file, or the lines of one, that was pasted; None where there is none."""
        lines = _paste.script_lines(self.lines)
        if lines is None:
            return None
        windows = any(re.match(r"\s*@?(set|rem|call|echo off)\b", line, re.IGNORECASE) for line in lines)
        shell = any(re.match(r"\s*(export\s|#!.*sh\b)", line) for line in lines)
        names = {line.name.rpartition(".")[2].lower() for line in self.lines}
        comments = any(line.lstrip().startswith("#") for line in lines) and not windows
        posix = shell or "sh" in names or comments or (self.system in ("linux", "macos") and not windows)
        posix = posix and "bat" not in names
        name = "webui-user.sh" if posix else "webui-user.bat"
        return read_script(name, "\n".join(lines).encode("utf-8", "replace"))


@collector(Transcript, scopes=("text",), budget=20.0)
def collect(target: Target) -> Transcript:
    """Read the pasted texts."""
    lines = tuple(
        Line(text, number, name)
        for name, body in target.texts
        for number, text in enumerate(_paste.lines_of(body), start=1)
    )
    whole = "\n".join(line.text for line in lines if line.text.strip())
    if not whole.strip():
        raise Unavailable(t("there is no text to read"), settle=t("paste the log, the command line or the answer"))
    seen = _paste.recognise(lines, whole)
    return Transcript(
        source="pasted text",
        lines=lines,
        text=whole,
        system=target.system or seen.system,
        fork=target.fork or seen.fork,
        version=seen.version,
        command_lines=tuple(CommandLine(**one) for one in seen.command_lines),
        listening=tuple(seen.listening),
        container=seen.container,
        wsl=seen.wsl,
        started=seen.started,
        refused=seen.refused,
        bare=seen.bare,
        symptom=seen.symptom,
    )


@collector(Exchanges, scopes=("text",), budget=20.0)
def exchanges(transcript: Transcript) -> Exchanges:
    """The HTTP exchanges in the text."""
    found = _paste_http.exchanges(transcript.lines)
    if not found:
        raise Unavailable(t("the text holds no HTTP request or answer"), sought=False)
    return Exchanges(source=transcript.source, exchanges=tuple(Exchange(**one) for one in found))
