from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, plain, t
from forgedoctor.facts import Launch, LaunchFiles
from forgedoctor.forge.scripts import Problem, Script
from forgedoctor_checks.launch._lines import flags_in, mended

_ARGS = "COMMANDLINE_ARGS"
_KINDS = {
    "commented-out": t("the line that sets them is a comment"),
    "misspelt-variable": t("the variable's name is misspelt; only COMMANDLINE_ARGS is read"),
    "space-before-equals": t("a blank stands before the '='"),
    "space-after-equals": t("a blank after the '=' ends the value before it begins"),
    "missing-equals": t("there is no '=' after COMMANDLINE_ARGS"),
    "sh-syntax-in-bat": t("this is shell syntax in a Windows file"),
    "bat-syntax-in-sh": t("this is Windows syntax in a shell file"),
    "powershell-syntax": t("this is PowerShell, and another shell reads the file"),
    "after-launch": t("they are set after the program was started"),
    "not-exported": t("without 'export' the program does not see the variable"),
    "undone-by-endlocal": t("endlocal takes the variable back before the program is started"),
}
_IN_PLACE = frozenset(_KINDS) - {"after-launch", "undone-by-endlocal"}
_NAMED = re.compile(r"COMMAND[\s_-]?LINE", re.I)
_OWN_FILES = ("webui-user.bat", "webui-user.sh")  # webui-macos-env.sh is part of the program


@check("args-in-wrong-place", severity=ERROR, group="launch", explains=["api-flag-missing", "listen-missing"])
def args_in_wrong_place(files: LaunchFiles, launch: Launch | None) -> Iterator[Finding]:
    """The flags are written where this launcher does not read them.

    What happens: "Launching Web UI with arguments:" lacks the flags, although they are in a file.
    Why: Windows reads webui-user.bat, Linux and macOS webui-user.sh; a commented line, a misspelt variable, the other
    system's syntax, a line after the call, a shell variable that is not exported: none of these arrives.
    webui-user.bat passes no arguments of its own on.
    Fix: one line in the file that is really started, with this system's syntax.
    Source: webui-user.bat, webui.bat, webui.sh, webui-user.sh of Forge.
    """
    others = bool(files.value(_ARGS) or (launch and launch.effective.argv))
    for script in files.scripts:
        comments = {problem.line for problem in script.problems if problem.kind == "commented-out"}
        for problem in script.problems:
            comment = problem.kind == "commented-out"
            if problem.kind not in _KINDS or (comment and others) or (problem.line in comments and not comment):
                continue
            if comment and "for example" in problem.text:
                continue  # the remark that the file is shipped with
            if problem.name not in ("", _ARGS):
                yield _variable(script, problem)
            elif _NAMED.search(problem.text) and "-" in flags_in(problem.text):
                yield _flags(script, problem, others)
    if not others:
        for script in files.unread:
            yield from _unread(files, script)


def _flags(script: Script, problem: Problem, others: bool) -> Finding:
    flags = flags_in(problem.text)
    fix = mended(script, problem) if problem.kind in _IN_PLACE else None
    emptied = [one for one in script.assignments if one.name == _ARGS and one.line > problem.line]
    if emptied and not emptied[-1].value.strip():
        # The line below would empty it again: the flags belong there.
        last = emptied[-1]
        after = fixes.edited(last.raw, [flags], [], windows=script.kind == "bat")
        fix = fixes.rewrite_line(script.name, last.line, last.raw, after) if after != last.raw else None
    if fix is None:
        fix = fixes.advise(
            t(
                "Set COMMANDLINE_ARGS to {flags} in {file}, above the line that starts Forge",
                flags=flags,
                file=script.name,
            )
        )
    return Finding(
        t("These flags never reach Forge: {why}.", why=_KINDS[problem.kind]),
        evidence=[Evidence(plain(problem.text.strip()), f"{script.name} line {problem.line}")],
        fixes=[fix],
        severity=WARNING if others else ERROR,
        confidence=CERTAIN,
    )


def _variable(script: Script, problem: Problem) -> Finding:
    """Another variable than that of the flags."""
    fix: Fix = fixes.advise(t("Correct that line of {file}", file=script.name))
    if problem.kind in ("space-before-equals", "space-after-equals"):
        after = re.sub(r"\s*=\s*", "=", problem.text, count=1)
        fix = fixes.rewrite_line(script.name, problem.line, problem.text, after)
    return Finding(
        t("{name} is not set: {why}", name=problem.name, why=problem.detail),
        evidence=[Evidence(plain(problem.text.strip()), f"{script.name} line {problem.line}")],
        fixes=[fix],
        severity=WARNING,
        confidence=CERTAIN,
    )


def _unread(files: LaunchFiles, script: Script) -> Iterator[Finding]:
    """Flags in the other system's file, while this system's has none."""
    found = [one for one in script.assignments if one.name == _ARGS and one.value.strip()]
    if not found or not files.scripts or script.name not in _OWN_FILES:
        return
    own, value = files.scripts[-1].name, found[-1].value.strip()
    step = fixes.write_flags(files, value)
    fix = fixes.advise(t("Write the same flags in {file}: {flags}", file=own, flags=value))
    if step:
        fix = Fix(title=t("Write them in {file}:", file=own), steps=(step,), undo=t("put the line back as it was"))
    yield Finding(
        t("The flags are in {wrong}, which this system does not read; {right} is read.", wrong=script.name, right=own),
        evidence=[Evidence(plain(found[-1].raw.strip()), f"{script.name} line {found[-1].line}")],
        fixes=[fix],
        severity=WARNING,
        confidence=LIKELY,
    )
