from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import LaunchFiles, Transcript
from forgedoctor.forge.scripts import Problem, Script

_KINDS = {
    "commented-out": t("the line that sets the flags is a comment"),
    "misspelt-variable": t("the variable's name is misspelt; only COMMANDLINE_ARGS is read"),
    "space-before-equals": t("the blank before '=' makes it another variable"),
    "sh-syntax-in-bat": t("this is shell syntax in a Windows file"),
    "bat-syntax-in-sh": t("this is Windows syntax in a shell file"),
    "after-launch": t("it is set after the program was started"),
    "not-exported": t("without 'export' the program does not see it"),
}


@check("args-in-wrong-place", severity=ERROR, group="launch", explains=["api-flag-missing", "listen-missing"])
def args_in_wrong_place(files: LaunchFiles, transcript: Transcript | None) -> Iterator[Finding]:
    """The flags are written where this launcher does not read them.

    What happens: "Launching Web UI with arguments:" lacks the flags, although they are in a file.
    Why: Windows reads webui-user.bat, Linux and macOS webui-user.sh; a commented line, a misspelt variable, the other
    system's syntax, a line after the call, a shell variable that is not exported: none of these arrives.
    webui-user.bat passes no arguments of its own on.
    Fix: one line in the file that is really started, with this system's syntax.
    Source: webui-user.bat, webui.bat, webui.sh, webui-user.sh of Forge.
    """
    effective = files.value("COMMANDLINE_ARGS")
    for script in files.scripts:
        for problem in script.problems:
            if problem.kind in _KINDS and not (problem.kind == "commented-out" and effective):
                yield _finding(script, problem, ERROR if not effective else WARNING)
    if not effective:
        for script in files.unread:
            yield from _unread(files, script)


def _finding(script: Script, problem: Problem, severity: object) -> Finding:
    where = f"{script.name} line {problem.line}"
    right = "set COMMANDLINE_ARGS=" if script.kind == "bat" else 'export COMMANDLINE_ARGS="'
    tail = "" if script.kind == "bat" else '"'
    return Finding(
        t("The flags never reach Forge: {why}.", why=str(_KINDS[problem.kind])),
        evidence=[Evidence(plain(problem.text.strip()), where)],
        fixes=[fixes.paste(t("Write in {file}, before the program is started:", file=script.name), f"{right}{_flags(problem.text)}{tail}")],
        severity=ERROR if severity is ERROR else WARNING,
        confidence=CERTAIN,
    )


def _flags(text: str) -> str:
    start = text.find("--")
    return text[start:].strip().strip("\"'").rstrip() if start >= 0 else "--api --listen"


def _unread(files: LaunchFiles, script: Script) -> Iterator[Finding]:
    for one in script.assignments:
        if one.name.upper() == "COMMANDLINE_ARGS" and one.value.strip() and files.scripts:
            own = files.scripts[-1].name
            yield Finding(
                t("The flags are in {wrong}, which this system does not read; {right} is read.", wrong=script.name, right=own),
                evidence=[Evidence(plain(one.raw.strip()), f"{script.name} line {one.line}")],
                fixes=[fixes.advise(t("Write the same flags in {file}: {flags}", file=own, flags=one.value.strip()))],
                confidence=LIKELY,
                severity=WARNING,
            )
