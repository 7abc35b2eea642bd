"""Wording that several checks of flags share."""

from __future__ import annotations

import difflib

from forgedoctor.check import Evidence, plain, t
from forgedoctor.facts import Launch, Transcript
from forgedoctor.forge.flags import display_name, plain_spelling


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


def slip(token: str, nearest: tuple[str, ...], elsewhere: tuple[str, ...]) -> bool:
    """Whether it is a slip of the pen: the same letters, or nearly, as a flag of this fork; no other fork's flag."""
    if not nearest:
        return False
    name = token.split("=", 1)[0]
    if plain_spelling(name) == plain_spelling(nearest[0]):
        return True
    return not elsewhere and difflib.SequenceMatcher(None, name, nearest[0]).ratio() >= 0.85
