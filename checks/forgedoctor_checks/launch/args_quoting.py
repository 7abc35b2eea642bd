from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Launch, LaunchFiles, Transcript
from forgedoctor.forge.scripts import Problem, Script
from forgedoctor_checks.launch._lines import flags_in, mended
from forgedoctor_checks.launch._words import shown, stop_note

_FLAG_INSIDE = re.compile(r"\s--?[A-Za-z]")
_BAD_VALUE = re.compile(r"value: '([^']*\s--?[A-Za-z][^']*)'")
_UNSPLIT = re.compile("(?i)closing quotation|escaped character")
_STARTS = ("backslash-lost", "special-character")  # the program starts, though with a wrong path
_KINDS = {
    "backslash-lost": t("Backslashes vanish from a path in COMMANDLINE_ARGS: {detail}"),
    "typographic-characters": t("A typographic dash or quote stands where a plain one belongs: {detail}"),
    "value-cut-short": t("The shell ends COMMANDLINE_ARGS too early, and the flags after it are lost."),
    "ampersand": t("An & ends COMMANDLINE_ARGS, and the flags after it are lost."),
    "special-character": t(
        "A character of COMMANDLINE_ARGS means something else to the shell, and is lost: ^ % | < or >."
    ),
}


@check(
    "args-quoting", severity=ERROR, group="launch",
    explains=[
        "arg-misspelt", "arg-not-in-this-build", "api-flag-missing", "listen-missing", "endpoint-unreachable",
        "bat-line-break",
    ],
)  # fmt: skip
def args_quoting(launch: Launch | None, files: LaunchFiles | None, transcript: Transcript | None) -> Iterator[Finding]:
    r"""Quotes or backslashes turn several words into one, or eat a part of a path.

    What happens: "unrecognized arguments: --listen --port 7861" although each looks right; a folder C:\models\sd
    arrives as C:modelssd; "ValueError: No closing quotation".
    Why: Forge splits COMMANDLINE_ARGS by the rules of a Unix shell, on Windows too: quotes make one word, a backslash
    outside quotes vanishes.
    Fix: no quotes round the whole value; quote only a path with blanks; forward slashes in paths; in a compose file
    one list item a word.
    Source: modules/paths_internal.py (shlex.split).
    """
    told = {problem.kind for script in (files.scripts if files else ()) for problem in script.problems}
    if launch:
        yield from _joined(launch)
        yield from _unbalanced(launch, by_backslash="backslash-lost" in told)
    if transcript and transcript.refused:
        yield from _shown_in_quotes(transcript, launch)
    for script in files.scripts if files else ():
        for problem in script.problems:
            if problem.kind in _KINDS and problem.name == "COMMANDLINE_ARGS":
                yield _in_file(script, problem, launch)


def _joined(launch: Launch) -> Iterator[Finding]:
    """Words that hold a second flag: unknown ones, and values that swallowed one."""
    unknown = [
        one.token for one in launch.effective.unknown if one.token.lstrip().startswith("-") and " " in one.token.strip()
    ]
    values = [one for one in launch.effective.options.values() if isinstance(one, str) and _FLAG_INSIDE.search(one)]
    refused = _BAD_VALUE.search(launch.effective.exit.message) if launch.effective.exit else None
    for text in dict.fromkeys([*unknown, *values, *([refused[1]] if refused else [])]):
        word = next((one for one in launch.effective.argv if one == text or one.endswith("=" + text)), text)
        yield Finding(
            t('Quotes join several flags into one word: "{token}".', token=word.strip()),
            evidence=[item for item in (stop_note(launch), shown(launch)) if item],
            fixes=[_apart(launch, word)],
            confidence=CERTAIN,
        )


def _apart(launch: Launch, word: str) -> Fix:
    title = t("Take the quotes away, so that these are words of their own: {flags}", flags=word.strip())
    if word in launch.effective.argv and not re.search(r"[\\\"']", word):
        return fixes.change_flags(launch, rename={word: word.strip()}, title=title)
    return fixes.advise(title)


def _shown_in_quotes(transcript: Transcript, launch: Launch | None) -> Iterator[Finding]:
    """Somebody shows the flags in quotes, as they were given, and the parser refuses them.

    Older launchers print their arguments without the quotes, so that their own line does not show the fault.
    """
    if launch and launch.effective.unknown:
        return
    for one in transcript.command_lines:
        if one.quoted_whole and " " in one.text.strip():
            words = one.text.strip().strip("\"'")
            yield Finding(
                t("Quotes join several flags into one word: {token}.", token=one.text.strip()),
                evidence=[Evidence(t("the program refuses it with its usage text"), one.where)],
                fixes=[
                    fixes.advise(t("Take the quotes away, so that these are words of their own: {flags}", flags=words))
                ],
                confidence=LIKELY,
            )
            return


def _unbalanced(launch: Launch, *, by_backslash: bool) -> Iterator[Finding]:
    end = launch.effective.exit
    if end and not by_backslash and _UNSPLIT.search(end.message):
        value = launch.env.get("COMMANDLINE_ARGS", "")
        yield Finding(
            t("COMMANDLINE_ARGS cannot be split: a quote or backslash is left open."),
            evidence=[Evidence(plain(value), "COMMANDLINE_ARGS"), *([note] if (note := stop_note(launch)) else [])],
            fixes=[fixes.advise(t("Close the quote; an apostrophe counts as one; no backslash at the end"))],
            confidence=CERTAIN,
        )


def _in_file(script: Script, problem: Problem, launch: Launch | None) -> Finding:
    flags = flags_in(problem.text)
    stops = bool(launch and launch.effective.exit and _UNSPLIT.search(launch.effective.exit.message))
    if problem.kind == "backslash-lost":
        flags = flags.replace("\\", "/")
    elif problem.kind == "typographic-characters":
        flags = ""
    elif problem.kind != "special-character":
        flags = _one_value(flags)
    fix = mended(script, problem, flags) if problem.kind != "special-character" else None
    return Finding(
        Message(_KINDS[problem.kind].template, {"detail": problem.detail}),
        evidence=[Evidence(plain(problem.text.strip()), f"{script.name} line {problem.line}")],
        fixes=[fix or fixes.advise(_advice(problem.kind))],
        severity=WARNING if problem.kind in _STARTS and not stops else ERROR,
        confidence=CERTAIN,
    )


def _advice(kind: str) -> Message:
    if kind == "backslash-lost":
        return t("Write the path with forward slashes, or in double quotes without a backslash at the end")
    if kind == "typographic-characters":
        return t("Type the dashes and quotes again on the keyboard")
    if kind == "special-character":
        return t("Put the path that holds it in double quotes; write %% for a percent sign in a .bat file")
    return t("Put one pair of quotes round the whole value")


def _one_value(text: str) -> str:
    """All the words, quoted so that they can stand in one value."""
    if "\\" in text:
        return text.replace("&", " ")
    try:
        words = shlex.split(text.replace("&", " "))
    except ValueError:
        return text
    return " ".join(f'"{word}"' if " " in word else word for word in words)
