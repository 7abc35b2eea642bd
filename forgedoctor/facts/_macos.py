"""How macOS words the state of its application firewall, its packet filter and who holds AirPlay's ports. Pure.

The wording of socketfilterfw changed over the years: states are read from ``State = N`` and from single words,
whatever stands around them.
"""

from __future__ import annotations

import re

import msgspec

AIRPLAY_PORTS = (5000, 7000)
_STATE = re.compile(r"State\s*=\s*(\d)")
_APP = re.compile(r"^\s*\d+\s*:\s+(?P<path>/.*?)\s*$")
_VERDICT = re.compile(r"\(\s*(allow|block)\s+incoming\s+connections\s*\)\s*$", re.IGNORECASE)
_OFF = re.compile(r"\b(disabled|off)\b", re.IGNORECASE)
_ON = re.compile(r"\b(enabled|on)\b", re.IGNORECASE)
_LISTENS = re.compile(r":(\d+) \(LISTEN\)\s*$")
_NOISE = ("No ALTQ support", "ALTQ related functions", "#")


class MacApp(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the application firewall's list: a program or bundle, and whether connections to it are let in."""

    path: str
    allowed: bool


def state(text: str) -> int | None:
    """--getglobalstate: 0 off, 1 on, 2 all incoming connections blocked; None where the text says nothing."""
    found = _STATE.search(text)
    return int(found[1]) if found else None


def switched(text: str) -> bool | None:
    """One switch (--getblockall, --getstealthmode): on, off, or None where the text says neither, or both."""
    on, off = _ON.search(text), _OFF.search(text)
    return None if bool(on) == bool(off) else bool(on)


def signed(text: str) -> tuple[bool | None, bool | None]:
    """--getallowsigned: whether software that came with macOS, and signed downloads, are let in unasked."""
    found: dict[str, bool | None] = {"built-in": None, "downloaded": None}
    for line in text.splitlines():
        for kind in found:
            if kind in line.lower():
                found[kind] = switched(line)
    return found["built-in"], found["downloaded"]


def apps(text: str) -> tuple[MacApp, ...] | None:
    """--listapps: a path and its verdict in one line or in two; None where this is no such list."""
    if "number of apps" not in text and not _VERDICT.search(text.rstrip()):
        return None
    found: list[MacApp] = []
    path = ""
    for line in text.splitlines():
        verdict = _VERDICT.search(line)
        named = _APP.match(line[: verdict.start()] if verdict else line)
        path = named["path"] if named else path
        if verdict and path:
            found.append(MacApp(path=path, allowed=verdict[1].lower() == "allow"))
            path = ""
    return tuple(found)


def listed(text: str) -> str:
    """--getappblocked: allow, block, unlisted, or empty where the text says none of them."""
    words = text.lower()
    if "not part of the firewall" in words:
        return "unlisted"
    if re.search(r"\bis blocked\b", words):
        return "block"
    return "allow" if re.search(r"\bis (permitted|allowed|not blocked)\b", words) else ""


def pf_rules(text: str) -> tuple[str, ...]:
    """pfctl -sr: its rules, without what it says of itself."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith(_NOISE))


def airplay(text: str) -> tuple[int, ...]:
    """lsof -nP: the AirPlay ports that ControlCenter (``ControlCe``) listens on."""
    ports = {
        int(found[1]) for line in text.splitlines() if line.startswith("ControlCe") and (found := _LISTENS.search(line))
    }
    return tuple(sorted(ports & set(AIRPLAY_PORTS)))


def bundle(program: str) -> str:
    """The program as the firewall knows it: a framework's Python runs as the ``Python.app`` beside it.

    ``…/Versions/3.10/bin/python3.10`` only starts ``…/Versions/3.10/Resources/Python.app``. Other programs stay as
    they are. Source: CPython, Mac/Tools/pythonw.c.
    """
    inside = re.match(r"(.*\.app)/Contents/MacOS/[^/]+$", program)
    if inside:
        return inside[1]
    framework = re.match(r"(.*/Python3?\.framework/Versions/[^/]+)/bin/python[\d.]*$", program)
    return f"{framework[1]}/Resources/Python.app" if framework else program
