"""Wording that several checks of flags share."""

from __future__ import annotations

from forgedoctor.check import Evidence, plain, t
from forgedoctor.facts import Launch
from forgedoctor.forge.flags import display_name


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
