"""Fixes that many checks share, as commands and edits for the system and the launcher file at hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from forgedoctor.check import Fix, Step, edit, flag, manual, shell
from forgedoctor.facts import Host, Launch
from forgedoctor.message import Message, t

LOGIN = "USER:PASSWORD"  # the reader fills this in; never a real one


def change_flags(
    launch: Launch,
    *,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    title: Message | None = None,
    safety: str = "changes-behaviour",
) -> Fix:
    """Add and drop launch flags where they are kept: an edit of that line, else the new command line.

    ``add`` holds whole flags with their value (``"--port 7861"``); ``drop`` holds flags without.
    """
    return Fix(
        title=title or _title(add, drop),
        steps=_steps(launch, list(add), list(drop)),
        safety=safety,
        undo=t("put the line back as it was, and restart Forge"),
    )


def _title(add: Sequence[str], drop: Sequence[str]) -> Message:
    if add and drop:
        return t("Put {add} in place of {drop}, then restart Forge:", add=" ".join(add), drop=" ".join(drop))
    if add:
        return t("Add {flags}, then restart Forge:", flags=" ".join(add))
    return t("Drop {flags}, then restart Forge:", flags=" ".join(drop))


def _steps(launch: Launch, add: list[str], drop: list[str]) -> tuple[Step, ...]:
    place = launch.place
    if place and launch.origin in (place.file, f"process {launch.pid}", launch.source):
        after = edited(place.raw, add, drop, windows=place.file.lower().endswith(".bat"))
        if after != place.raw:
            return (edit(place.file, place.line, place.raw, after),)
    if launch.argv and not launch.env.get("COMMANDLINE_ARGS"):
        return (shell(command_line(launch.argv, add, drop)),)
    return (flag(add=add, drop=drop),)


def command_line(argv: Sequence[str], add: Sequence[str], drop: Sequence[str]) -> str:
    """``python launch.py`` with changed flags; a dropped flag takes its value along."""
    kept: list[str] = []
    skipping = False
    for token in argv:
        name = token.split("=", 1)[0]
        if name in drop:
            skipping = "=" not in token
            continue
        if skipping and not token.startswith("-"):
            continue
        skipping = False
        kept.append(token)
    added = [word for text in add for word in text.split(" ")]
    return "python launch.py " + " ".join([*map(shlex.quote, kept), *added])


def edited(raw: str, add: Sequence[str], drop: Sequence[str], *, windows: bool) -> str:
    """A line that sets COMMANDLINE_ARGS with flags dropped and added; all else in it stays."""
    text = raw
    for name in drop:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?:[= ](?!-)[^\s\"']+)?(?![\w-])[ \t]?", "", text)
    new = " ".join(add)
    if not new:
        return re.sub(r"[ \t]+$", "", text, flags=re.M)
    if windows and re.search(r"set\s+\"", text, re.I) is None:
        return re.sub(r"[ \t]*$", "", text) + ("" if text.rstrip().endswith("=") else " ") + new
    match = re.search(r"([\"'])\s*(#.*)?$", text)
    if match:
        body = text[: match.start()].rstrip()
        return body + ("" if body.endswith(("=", '"', "'")) else " ") + new + text[match.start() :]
    return text.rstrip() + ("" if text.rstrip().endswith("=") else " ") + new


def interpreter(host: Host | None) -> str:
    """The shell to give commands for."""
    return "cmd" if host and host.system == "windows" else "sh"


def stop_process(pid: int, host: Host | None) -> Fix:
    """End a process, by pid."""
    windows = bool(host and host.system == "windows")
    command = f"taskkill /PID {pid}" if windows else f"kill {pid}"
    return Fix(
        title=t("End that program, if it is not needed:"),
        steps=(shell(command, interpreter(host)),),
        safety="needs-person",
        undo=t("start it again"),
    )


def find_holder(port: int, host: Host | None) -> Fix:
    """See who holds a port, where the doctor could not."""
    if host and host.system == "windows":
        command = f"netstat -ano | findstr :{port}"
    elif host and host.system == "macos":
        command = f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN"
    else:
        command = f"sudo ss -ltnp 'sport = :{port}'"
    return Fix(title=t("See who holds the port:"), steps=(shell(command, interpreter(host)),), safety="safe")


def advise(text: Message, *, undo: Message | None = None) -> Fix:
    """Something only a person can do."""
    return Fix(title=text, safety="needs-person", undo=undo)


def paste(title: Message, command: str, host: Host | None = None, **more: object) -> Fix:
    """A command to paste."""
    return Fix(title=title, steps=(shell(command, interpreter(host)),), **more)  # type: ignore[arg-type]


__all__ = [
    "LOGIN",
    "advise",
    "change_flags",
    "command_line",
    "edited",
    "find_holder",
    "interpreter",
    "manual",
    "paste",
    "stop_process",
]
