from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, Message, check, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor.forge.effective import Unknown
from forgedoctor.forge.flags import find
from forgedoctor_checks.launch._words import DASHES, confirmed, fork_name, glued, shown, slip, stop_note, strays

_ARGUMENT = re.compile(r"argument (\S+): (.*)")
_AMBIGUOUS = re.compile(r"ambiguous option: (\S+) could match (.*)")
# Unknown words are told one by one; the others are for arg-conflict and args-quoting.
_NOT_HERE = re.compile(r"unrecognized|not allowed with|'[^']*\s--?[A-Za-z]")


@check("arg-misspelt", severity=ERROR, group="launch", explains=["endpoint-unreachable", "server-thread-dead"])
def arg_misspelt(launch: Launch, transcript: Transcript | None) -> Iterator[Finding]:
    """A launch flag or its value is written wrongly.

    What happens: the program stops with status 2. A bad value stops it at once; an unknown word only after packages
    were installed and torch was loaded, with "error: unrecognized arguments".
    Why: the last of three parsers is strict, unless the variable IGNORE_CMD_ARGS_ERRORS exists; then the word is
    dropped without a sign. Typical: an underscore for a hyphen, a value after a switch (--api 9999,
    --listen 0.0.0.0), a dash that a web page turned into another sign.
    Fix: write the flag as this fork knows it.
    Source: modules/shared_cmd_options.py, modules/cmd_args.py, Python's argparse.
    """
    sure = confirmed(launch, transcript, everywhere=True)
    for one in {one.token.strip(): one for one in launch.effective.unknown}.values():
        token = one.token.strip()
        dash = token[:1] in DASHES
        if " " not in token and (dash or (token[:1] == "-" and slip(token, one.nearest, one.elsewhere))):
            yield _finding(launch, sure, *_misspelt(launch, token, one))
    for word, before in dict.fromkeys(strays(launch)):
        if " " not in word.strip():
            yield _finding(launch, sure, *_stray(launch, word, before))
    end = launch.effective.exit
    if end and end.code == 2 and not _NOT_HERE.search(end.message):
        yield _finding(launch, sure, *_refused(launch, end.message))


def _finding(launch: Launch, sure: bool, summary: Message, made: list[Fix]) -> Finding:
    stops = launch.effective.exit is not None
    evidence = [item for item in (stop_note(launch), shown(launch)) if item]
    if not stops:
        evidence.append(Evidence(t("IGNORE_CMD_ARGS_ERRORS is set: the word is dropped without a sign")))
    return Finding(
        summary,
        evidence=evidence,
        fixes=made,
        severity=ERROR if stops and sure else WARNING,
        confidence=CERTAIN if stops else LIKELY,
    )


def _misspelt(launch: Launch, token: str, one: Unknown) -> tuple[Message, list[Fix]]:
    fork, wrong = fork_name(launch), token.partition("=")[0]
    if not one.nearest:
        return t("{token} is no flag of {fork}.", token=wrong, fork=fork), [fixes.change_flags(launch, drop=[token])]
    if glued(token, one.nearest):
        right = " ".join(one.nearest)
        summary = t("{token} is one word: blanks are missing between the flags.", token=token)
        return summary, [fixes.change_flags(launch, rename={token: right})]
    right = one.nearest[0]
    summary = t("{token} is misspelt: {fork} knows {right}.", token=wrong, fork=fork, right=right)
    meant = find(launch.effective.fork, right)
    if meant and meant.status == "accepted-but-ignored":
        title = t("Drop {token}: {right} does nothing in {fork} either", token=wrong, right=right, fork=fork)
        return summary, [fixes.change_flags(launch, drop=[token], title=title)]
    return summary, [fixes.change_flags(launch, rename={wrong: right})]


def _stray(launch: Launch, word: str, before: str) -> tuple[Message, list[Fix]]:
    summary = t("{token} is no flag of {fork}.", token=word, fork=fork_name(launch))
    if before:
        summary = t("{token} stands alone on the command line: {flag} takes no value.", token=word, flag=before)
    made = [fixes.change_flags(launch, drop=[word], title=t("Drop {token}:", token=word))]
    if word.isdigit() and "port" not in launch.effective.options:
        title = t("If {token} is the port, name it:", token=word)
        made.insert(0, fixes.change_flags(launch, drop=[word], add=[f"--port {word}"], title=title))
    elif before == "--listen" and word != "0.0.0.0":
        title = t("To listen on that one address (it must be this machine's own):")
        new = [f"--server-name {word}"]
        made.insert(0, fixes.change_flags(launch, drop=[word, "--listen"], add=new, title=title))
    return summary, made


def _refused(launch: Launch, message: str) -> tuple[Message, list[Fix]]:
    """What argparse says of a flag that it knows."""
    several = _AMBIGUOUS.fullmatch(message)
    if several:
        right = min(several[2].split(", "), key=len)
        summary = t("{token} may mean several flags: {flags}.", token=several[1], flags=several[2])
        title = t("Write the flag in full, for instance:")
        return summary, [fixes.change_flags(launch, rename={several[1].partition("=")[0]: right}, title=title)]
    match = _ARGUMENT.fullmatch(message)
    if match is None:
        return t("The launch flags are refused: {message}.", message=message.rstrip(".")), []
    flag, why = match[1], match[2].rstrip(".")
    if why.startswith("ignored explicit argument"):
        summary = t("{flag} takes no value.", flag=flag)
        return summary, [fixes.change_flags(launch, drop=[flag], add=[flag], title=t("Write {flag} alone:", flag=flag))]
    if why.startswith("expected"):
        title = t("Give {flag} its value, or drop it:", flag=flag)
        return t("{flag} lacks its value.", flag=flag), [fixes.change_flags(launch, drop=[flag], title=title)]
    title = t("Correct the value, or drop the flag:")
    summary = t("{flag} has a wrong value: {why}.", flag=flag, why=why)
    return summary, [fixes.change_flags(launch, drop=[flag], title=title)]
