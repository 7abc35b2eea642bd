"""Fixes that many checks share, as commands and edits for the system and the launcher file at hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from forgedoctor.check import Fix, Step, edit, flag, manual, shell
from forgedoctor.facts import Host, Launch, LaunchFiles
from forgedoctor.facts.launch import Place
from forgedoctor.forge import flag_edit
from forgedoctor.forge.flag_edit import Change
from forgedoctor.forge.launcher import ENV
from forgedoctor.message import Message, t

__all__ = [
    "LOGIN", "advise", "change_flags", "command_line", "edited", "find_holder", "interpreter", "manual", "paste",
    "rewrite_line", "stop_process", "unset_variable", "write_flags",
]  # fmt: skip

LOGIN = "USER:PASSWORD"  # the reader fills this in; never a real one
_BACK = t("put the line back as it was, and restart Forge")
_BARE = re.compile(r"[\w%+=:./-]+", re.ASCII)
_IN_DOUBLE_QUOTES = re.compile(r"[^\"$`!\n]*[^\"$`!\n\\]")
_EMPTY_DEFAULT = re.compile(rf"\s*#\s*export\s+{ENV}=(?:\"\"|'')?\s*")


def change_flags(
    launch: Launch,
    *,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    files: LaunchFiles | None = None,
    title: Message | None = None,
    safety: str = "changes-behaviour",
) -> Fix:
    """Change launch flags where they are kept: an edit of that line, else the new command line, else what to change.

    ``add`` holds whole flags with their value (``"--port 7861"``), ``drop`` flags without (the value goes too, and
    abbreviations of the flag) or stray words, ``rename`` flags that are to be written otherwise and keep their value.
    ``files``: lets the line that a shell script has as a comment be used, where no other sets the flags.
    """
    # A slip of a flag that is also given rightly need not be written a second time.
    repeated = [old for old, new in (rename or {}).items() if new in launch.effective.argv]
    renamed = {old: new for old, new in (rename or {}).items() if old not in repeated}
    dropped = [name for name in (*drop, *repeated) if _is_given(launch, name)]
    change = Change(tuple(add), tuple(dropped), renamed, launch.effective.fork)
    step = _step(launch, change, files)
    undo = _BACK if step.kind == "edit" else t("start it with the flags as they were")
    return Fix(title=title or _title(change), steps=(step,), safety=safety, undo=undo)


def _is_given(launch: Launch, name: str) -> bool:
    """Whether there is something to drop: the flag, an abbreviation of it, or the stray word."""
    words = [word.split("=", 1)[0] for word in launch.effective.argv]
    abbreviated = any(one.flag == name for one in launch.effective.abbreviations)
    return name in words or name in launch.effective.argv or abbreviated


def _title(change: Change) -> Message:
    old = " ".join([*change.drop, *change.rename])
    new = " ".join([*change.rename.values(), *change.add])
    if change.drop and not change.rename and set(change.drop) == {one.split(" ")[0] for one in change.add}:
        return t("Write {flags} instead, then restart Forge:", flags=new)
    if old and new:
        return t("Put {add} in place of {drop}, then restart Forge:", add=new, drop=old)
    if new:
        return t("Add {flags}, then restart Forge:", flags=new)
    return t("Drop {flags}, then restart Forge:", flags=old)


def _step(launch: Launch, change: Change, files: LaunchFiles | None) -> Step:
    stored = _split(launch.env.get(ENV, ""))
    typed, _ = flag_edit.planned(launch.argv, change)
    place = _kept_in(launch)
    if place and not typed:
        after = flag_edit.edited(place.raw, change, windows=_for_windows(place))
        if after != place.raw:
            return edit(place.file, place.line, place.raw, after)
    from_files = not launch.argv and not launch.env.get(ENV) and launch.origin != "command line"
    if files and change.add and from_files:
        line = _default_line(files, change.add)
        if line:
            return line
    by_hand = launch.origin == "command line" or not (launch.complete or launch.running)
    if by_hand and place is None and stored is not None and not flag_edit.planned(stored, change)[0]:
        return shell(_spelt(flag_edit.changed(launch.argv, change)))
    dropped = [f'"{name}"' if " " in name else name for name in (*change.drop, *change.rename)]
    return flag(add=[*change.rename.values(), *change.add], drop=dropped)


def _kept_in(launch: Launch) -> Place | None:
    """The line that this launch takes its flags from; None where another place may have set them since."""
    place = launch.place
    if place is None:
        return None
    stored = launch.env.get(ENV, "")
    same = place.value == stored if stored or place.value else not launch.argv
    if launch.origin.rsplit(" line ", 1)[0] == place.file or same:
        return place
    return place if stored and re.search("[%$]", place.raw) else None


def _for_windows(place: Place) -> bool:
    return place.file.lower().endswith((".bat", ".cmd")) or bool(re.match(r"\s*@?set\s", place.raw, re.I))


def _split(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _default_line(files: LaunchFiles, add: Sequence[str]) -> Step | None:
    """The line of a fresh webui-user.sh, which is a comment there, with these flags in force."""
    for script in files.scripts:
        if script.kind != "sh" or any(one.name == ENV for one in script.assignments):
            continue
        for number, line in enumerate(script.text.splitlines(), 1):
            if _EMPTY_DEFAULT.fullmatch(line):
                return edit(script.name, number, line, f'export {ENV}="{" ".join(add)}"')
    return None


def command_line(argv: Sequence[str], add: Sequence[str] = (), drop: Sequence[str] = (), *, fork: str = "forge") -> str:
    """``python launch.py`` with changed flags, quoted so that cmd, PowerShell and sh read the same.

    A dropped flag takes its value along, also where it is abbreviated; one that is added replaces those of its name.
    """
    return _spelt(flag_edit.changed(argv, Change(tuple(add), tuple(drop), {}, fork)))


def _spelt(words: Sequence[str]) -> str:
    return " ".join(["python launch.py", *map(_quoted, words)])


def _quoted(word: str) -> str:
    if _BARE.fullmatch(word):
        return word
    return f'"{word}"' if _IN_DOUBLE_QUOTES.fullmatch(word) else shlex.quote(word)


def edited(raw: str, add: Sequence[str], drop: Sequence[str], *, windows: bool, fork: str = "forge") -> str:
    """A line that sets COMMANDLINE_ARGS with flags dropped and added; all else in it stays.

    ``raw`` may be several lines that continue each other. It comes back as it is where nothing is to change, and where
    it is too intricate to be changed without doubt.
    """
    return flag_edit.edited(raw, Change(tuple(add), tuple(drop), {}, fork), windows=windows)


def rewrite_line(file: str, line: int, before: str, after: str) -> Fix:
    """Write one line (or continued lines) of a launcher file otherwise."""
    title = t("Write it so, then start Forge again:")
    return Fix(title=title, steps=(edit(file, line, before, after),), undo=_BACK)


def write_flags(files: LaunchFiles, words: str) -> Step | None:
    """Put these flags into the launcher file that is read; None where it has no line for them."""
    for script in reversed(files.scripts):
        for one in reversed(script.assignments):
            if one.name == ENV:
                after = edited(one.raw, [words], [], windows=script.kind == "bat")
                return edit(script.name, one.line, one.raw, after) if after != one.raw else None
    return _default_line(files, [words])


def unset_variable(name: str, host: Host | None = None, files: LaunchFiles | None = None) -> Fix:
    """Take an environment variable out of the launch: a comment where a launcher file sets it, else a command."""
    for script in files.scripts if files else ():
        for one in reversed(script.assignments):
            if one.name == name and one.line == one.last_line and not one.removed:
                mark = "rem " if script.kind == "bat" else "# "
                return Fix(
                    title=t("Make this line a comment, then start Forge again:"),
                    steps=(edit(script.name, one.line, one.raw, mark + one.raw),),
                    undo=_BACK,
                )
    windows = interpreter(host) == "cmd"
    return Fix(
        title=t("Unset {name} in the window that starts Forge, and wherever it is set for good:", name=name),
        steps=(shell(f"set {name}=" if windows else f"unset {name}", interpreter(host)),),
        undo=t("set it again"),
    )


def interpreter(host: Host | None) -> str:
    """The shell to give commands for."""
    return "cmd" if host and host.system == "windows" else "sh"


def stop_process(pid: int, host: Host | None) -> Fix:
    """End a process, by pid. Windows ends a console program only by force."""
    command = f"taskkill /F /PID {pid}" if interpreter(host) == "cmd" else f"kill {pid}"
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
