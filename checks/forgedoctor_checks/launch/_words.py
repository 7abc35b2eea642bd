"""Wording that several checks of flags share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from forgedoctor.check import Evidence, plain, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor.forge import flag_edit
from forgedoctor.forge.flags import display_name, one_slip, plain_spelling

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # what web pages and word processors make of a hyphen


def fork_name(launch: Launch) -> str:
    """The fork's name for people."""
    return display_name(launch.effective.fork)


def shown(launch: Launch) -> Evidence:
    """The command line as evidence."""
    words = list(launch.effective.argv)
    return Evidence(plain(" ".join(words)) if words else t("no flags"), launch.origin)


def stop_note(launch: Launch) -> Evidence | None:
    """What the program will print and when it stops."""
    end = launch.effective.exit
    if end is None:
        return None
    if end.stage == "late":
        template = "it stops with status {code}, but only after installing and loading for a while: {message}"
    else:
        template = "it stops at once with status {code}: {message}"
    return Evidence(t(template, code=end.code, message=end.message))


def confirmed(launch: Launch, transcript: Transcript | None, *, everywhere: bool = False) -> bool:
    """Whether a predicted stop may be called the cause.

    A pasted text can hold a shortened command line, or one of a program that we do not know: there the stop counts
    only if the program's own parser says so, or if the text is nothing but the command line and every fork (or the
    known one) would stop (``everywhere``).
    """
    if transcript is None or transcript.refused:
        return True
    return transcript.bare and (launch.fork_known or everywhere)


def glued(token: str, nearest: tuple[str, ...]) -> bool:
    """Whether the word is several flags of this fork run together: ``--api,--listen``, ``--api--listen``."""
    return len(nearest) > 1 and "".join(nearest) == re.sub("[,;|&]", "", token)


def slip(token: str, nearest: tuple[str, ...], elsewhere: tuple[str, ...]) -> bool:
    """Whether it is a slip of the pen: the same letters, or nearly, as a flag of this fork; no other fork's flag."""
    if not nearest:
        return False
    name = token.split("=", 1)[0]
    if plain_spelling(name) == plain_spelling(nearest[0]) or glued(token, nearest):
        return True
    if elsewhere:
        return False
    close = one_slip(plain_spelling(name), plain_spelling(nearest[0]))
    return close or difflib.SequenceMatcher(None, name, nearest[0]).ratio() >= 0.85


def strays(launch: Launch) -> Iterator[tuple[str, str]]:
    """The words that no flag takes, each with the switch that stands before it (empty where none does)."""
    words = launch.effective.argv
    unknown = {one.token for one in launch.effective.unknown}
    for use in flag_edit.uses(words, launch.effective.fork):
        word = words[use.start]
        if word in unknown and word[:1] != "-" and word[:1] not in DASHES:
            before = words[use.start - 1] if use.start else ""
            yield word, before if before.startswith("--") else ""
