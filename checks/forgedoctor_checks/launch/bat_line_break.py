from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, check, plain, t
from forgedoctor.facts import LaunchFiles, Transcript

_KINDS = ("caret-then-blank", "flags-on-own-line", "comment-in-continuation")
# cmd.exe names the word it could not run in single quotes, whatever the language of the sentence around it.
_NO_COMMAND = re.compile(r"^\s*['\"\u2018\u201c«]\s*(--?[A-Za-z][\w-]*)['\"\u2019\u201d»]")


@check("bat-line-break", severity=ERROR, group="launch", explains=["api-flag-missing", "listen-missing", "args-in-wrong-place"])
def bat_line_break(files: LaunchFiles | None, transcript: Transcript | None) -> Iterator[Finding]:
    """COMMANDLINE_ARGS breaks off: a line of the .bat file does not continue the one before.

    What happens: "'--lora-dir' is not recognized as an internal or external command" (in the system's language), and
    only the first line's flags arrive.
    Why: in a .bat file a line goes on only when ^ is its very last character; a blank after it, or a comment between,
    ends it.
    Fix: one line, or ^ as the last character of each line but the last.
    Source: cmd.exe; webui-user.bat.
    """
    found = []
    for script in files.scripts if files else ():
        found += [
            Evidence(plain(problem.text.strip()), f"{script.name} line {problem.line}")
            for problem in script.problems
            if problem.kind in _KINDS and script.kind == "bat"
        ]
    ran = [line for line in transcript.lines if _NO_COMMAND.match(line.text)] if transcript else []
    if not ran and not found:
        return
    if not ran and files and transcript:
        return  # a pasted list of flags has line breaks of its own
    flags = [match[1] for line in ran if (match := _NO_COMMAND.match(line.text))]
    summary = t("A line of webui-user.bat is not continued, so its flags are run as a command.")
    if flags:
        summary = t("{flag} was run as a command: the line before it in the .bat file does not end in ^.", flag=flags[0])
    yield Finding(
        summary,
        evidence=[*(Evidence(plain(line.text.strip()), line.where) for line in ran[:3]), *found[:3]],
        fixes=[fixes.advise(t("Put all flags on one line after set COMMANDLINE_ARGS=, or end each line but the last with ^ and nothing after it"))],
        confidence=CERTAIN if ran else LIKELY,
    )
