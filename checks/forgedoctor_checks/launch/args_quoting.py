from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch, LaunchFiles
from forgedoctor_checks.launch._words import shown, stop_note


@check(
    "args-quoting", severity=ERROR, group="launch",
    explains=["arg-misspelt", "arg-not-in-this-build", "api-flag-missing", "listen-missing", "endpoint-unreachable"],
)  # fmt: skip
def args_quoting(launch: Launch | None, files: LaunchFiles | None) -> Iterator[Finding]:
    r"""Quotes or backslashes turn several words into one, or eat a part of a path.

    What happens: "unrecognized arguments: --listen --port 7861" although each looks right; a folder C:\models\sd
    arrives as C:modelssd; "ValueError: No closing quotation".
    Why: Forge splits COMMANDLINE_ARGS by the rules of a Unix shell, on Windows too: quotes make one word, a backslash
    outside quotes vanishes.
    Fix: no quotes round the whole value; quote only a path with blanks; forward slashes in paths; in a compose file
    one list item a word.
    Source: modules/paths_internal.py (shlex.split).
    """
    if launch:
        yield from _tokens(launch)
        yield from _unbalanced(launch)
    for script in files.scripts if files else ():
        for problem in script.problems:
            where = f"{script.name} line {problem.line}"
            if problem.kind == "backslash-lost":
                yield Finding(
                    t("Backslashes vanish from a path in COMMANDLINE_ARGS: Forge sees {seen}.", seen=problem.detail or "?"),
                    evidence=[Evidence(plain(problem.text.strip()), where)],
                    fixes=[fixes.advise(t("Write the path with forward slashes, or in double quotes"))],
                    severity=WARNING,
                    confidence=CERTAIN,
                )
            elif problem.kind == "typographic-characters":
                yield Finding(
                    t("A typographic dash or quote stands where a plain one belongs."),
                    evidence=[Evidence(plain(problem.text.strip()), where)],
                    fixes=[fixes.advise(t("Type the dashes and quotes again on the keyboard"))],
                    confidence=CERTAIN,
                )


def _tokens(launch: Launch) -> Iterator[Finding]:
    for one in launch.effective.unknown:
        token = one.token.strip()
        if " " in token and token.startswith("-"):
            yield Finding(
                t("Quotes join several flags into one word: \"{token}\".", token=token),
                evidence=[item for item in (stop_note(launch), shown(launch)) if item],
                fixes=[fixes.advise(t("Take the quotes away, so that it reads: {flags}", flags=token))],
                confidence=CERTAIN,
            )


def _unbalanced(launch: Launch) -> Iterator[Finding]:
    end = launch.effective.exit
    if end and "closing quotation" in end.message.lower() or end and "escaped character" in end.message.lower():
        yield Finding(
            t("COMMANDLINE_ARGS cannot be split: a quote or backslash is left open."),
            evidence=[
                Evidence(plain(launch.env.get("COMMANDLINE_ARGS", "")), "COMMANDLINE_ARGS"),
                *([note] if (note := stop_note(launch)) else []),
            ],
            fixes=[fixes.advise(t("Close the quote; an apostrophe counts as one; no backslash at the end"))],
            confidence=CERTAIN,
        )
