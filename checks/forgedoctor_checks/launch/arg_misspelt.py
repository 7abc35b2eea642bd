from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor_checks.launch._words import confirmed, fork_name, shown, slip, stop_note


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
    for one in launch.effective.unknown:
        token = one.token.strip()
        if " " in token:
            continue  # several words in one: args-quoting
        stray = not token.startswith("-") and not _dash(token)
        if stray or _dash(token) or slip(token, one.nearest, one.elsewhere):
            yield _unknown(launch, token, one.nearest, stray, sure)
    end = launch.effective.exit
    if end and end.code == 2 and "unrecognized" not in end.message and "not allowed with" not in end.message:
        yield Finding(
            t("A launch flag has a wrong value: {message}.", message=end.message.rstrip(".")),
            evidence=[item for item in (stop_note(launch), shown(launch)) if item],
            fixes=[fixes.advise(t("Correct that flag: {message}", message=end.message))],
            severity=ERROR if sure else WARNING,
            confidence=CERTAIN,
        )


def _unknown(launch: Launch, token: str, nearest: tuple[str, ...], stray: bool, sure: bool) -> Finding:
    stops = launch.effective.exit is not None
    summary = t("{token} is no flag of {fork}.", token=token, fork=fork_name(launch))
    if stray:
        before = _before(launch, token)
        summary = t("{token} stands alone on the command line: {flag} takes no value.", token=token, flag=before) if before else summary
    if nearest and not stray:
        fix = fixes.change_flags(launch, drop=[token], add=[nearest[0]], title=t("Write {right} in place of {wrong}:", right=nearest[0], wrong=token))
        summary = t("{token} is misspelt: {fork} knows {right}.", token=token, fork=fork_name(launch), right=nearest[0])
    elif stray and token.isdigit():
        fix = fixes.change_flags(launch, drop=[], add=[f"--port {token}"], title=t("If {token} is the port, write --port {token} (and drop the bare number):", token=token))
    elif stray and _address(token):
        fix = fixes.advise(t("Drop {token}: --listen alone means 0.0.0.0. For one address write --server-name {token} instead.", token=token))
    else:
        fix = fixes.change_flags(launch, drop=[token], title=t("Drop {token}:", token=token))
    evidence = [item for item in (stop_note(launch), shown(launch)) if item]
    if not stops and "IGNORE_CMD_ARGS_ERRORS" in launch.env:
        evidence.insert(0, Evidence(t("IGNORE_CMD_ARGS_ERRORS is set, so it is dropped without a word")))
    return Finding(
        summary, evidence=evidence, fixes=[fix], severity=ERROR if stops and sure else WARNING, confidence=CERTAIN if stops else LIKELY
    )


def _dash(token: str) -> bool:
    return token[:1] in "\u2012\u2013\u2014\u2015\u2212\u2010\u2011"


def _before(launch: Launch, token: str) -> str:
    words = launch.effective.argv
    for first, second in zip(words, words[1:], strict=False):
        if second == token and first.startswith("--"):
            return str(first)
    return ""


def _address(token: str) -> bool:
    parts = token.split(".")
    return len(parts) == 4 and all(part.isdigit() for part in parts)
