from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, check, edit, plain, t
from forgedoctor.facts import LaunchFiles, Transcript
from forgedoctor.forge.scripts import Script
from forgedoctor_checks.launch._lines import without

_KINDS = (
    "caret-then-blank",
    "flags-on-own-line",
    "comment-in-continuation",
    "command-in-continuation",
    "caret-in-quotes",
)
# cmd.exe names the word that it could not run in quotes, after two words at most, whatever the language of its sentence.
_NO_COMMAND = re.compile(
    r"^\s*(?P<lead>(?:[^\W\d_]+\s+){0,2})['\"\u2018\u201c\u201e\u00ab]\s*(?P<flag>--?[A-Za-z][\w-]*)['\"\u2019\u201d\u201c\u00bb]"
)
_ABOUT_A_FLAG = re.compile(
    r"(?i)\b(?:use|add|try|with|without|pass|set|flag|option|argument|arguments|unknown|launching)\b"
)

_WHOLE = re.compile(r"^\s*@?(?:echo off|call\s+\"?webui)", re.IGNORECASE | re.MULTILINE)


@check(
    "bat-line-break",
    severity=ERROR,
    group="launch",
    explains=["api-flag-missing", "listen-missing", "args-in-wrong-place"],
)
def bat_line_break(files: LaunchFiles | None, transcript: Transcript | None) -> Iterator[Finding]:
    """COMMANDLINE_ARGS breaks off: a line of the .bat file does not continue the one before.

    What happens: "'--lora-dir' is not recognized as an internal or external command" (in the system's language), and
    only the first line's flags arrive.
    Why: in a .bat file a line goes on only when ^ is its very last character; a blank after it, or a comment between,
    ends it. A ^ on the last line of flags swallows the command below.
    Fix: one line, or ^ as the last character of each line but the last.
    Source: cmd.exe; webui-user.bat.
    """
    ran = [(line, flag) for line in transcript.lines if (flag := _not_run(line.text))] if transcript else []
    found = [(script, problem) for script in _batches(files) for problem in script.problems if problem.kind in _KINDS]
    if transcript and not ran and not _WHOLE.search(transcript.text):
        # A pasted list of flags has line breaks of its own; a caret before a blank is there to be seen.
        found = [(script, problem) for script, problem in found if problem.kind == "caret-then-blank"]
    if not ran and not found:
        return
    summary = t("A line of webui-user.bat does not continue the one before, so its flags are lost.")
    if ran:
        summary = t(
            "{flag} was run as a command: the line before it in the .bat file does not end in ^.", flag=ran[0][1]
        )
    elif all(problem.kind == "command-in-continuation" for _, problem in found):
        summary = t("The last line of flags ends in ^, so the command below it is taken for a flag and never runs.")
    where = [Evidence(plain(problem.text.strip()), f"{script.name} line {problem.line}") for script, problem in found]
    yield Finding(
        summary,
        evidence=[*(Evidence(plain(line.text.strip()), line.where) for line, _ in ran[:3]), *where[:3]],
        fixes=[_fix(files)],
        confidence=CERTAIN if ran else LIKELY,
    )


def _not_run(text: str) -> str:
    match = _NO_COMMAND.match(text)
    return match["flag"] if match and not _ABOUT_A_FLAG.search(match["lead"]) else ""


def _batches(files: LaunchFiles | None) -> list[Script]:
    return [script for script in files.scripts if script.kind == "bat"] if files else []


def _fix(files: LaunchFiles | None) -> Fix:
    """The lines with their carets put right, where that settles it; else how it should look."""
    for script in _batches(files):
        lines = _continued(script)
        if lines and without(script, lines, _KINDS):
            text = script.text.splitlines()
            return Fix(
                title=t("Write these lines so, then start Forge again:"),
                steps=tuple(edit(script.name, number, text[number - 1], line) for number, line in lines.items()),
                undo=t("put the lines back as they were"),
            )
    return fixes.advise(
        t(
            "Put all flags on one line after set COMMANDLINE_ARGS=, or end each line but the last with ^ and nothing after it"
        )
    )


def _continued(script: Script) -> dict[int, str]:
    """The lines (by number) that would have to end otherwise."""
    text = script.text.splitlines()
    changed: dict[int, str] = {}
    for problem in script.problems:
        above = problem.line - 1
        if problem.kind == "caret-then-blank":
            changed[problem.line] = text[problem.line - 1].rstrip()
        elif problem.kind == "flags-on-own-line" and above and not text[above - 1].rstrip().endswith("^"):
            changed[above] = text[above - 1].rstrip() + " ^"
        elif problem.kind == "command-in-continuation" and above:
            changed[above] = text[above - 1].rstrip().rstrip("^").rstrip()
    return changed
