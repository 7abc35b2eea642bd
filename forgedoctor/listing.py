"""The list of the checks, in words, without loading them: all that ``checks`` and ``explain`` need.

To load the checks is to load every fact's type, which costs more than all else these commands do. So the list is kept
in the user's cache folder together with the names, times and sizes of the files it was made from, and made anew when
one of them differs. Without a place to keep it, it is made each time. An examination never uses it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from forgedoctor import __version__
from forgedoctor.plugins import CHECKS, FACTS, entry_points

if TYPE_CHECKING:
    from forgedoctor.check import Check


class Entry(NamedTuple):
    """What is said of a check without running it; ``page`` is its documentation, ``needs`` the facts it asks for."""

    id: str
    severity: str
    group: str
    title: str
    page: str
    explains: list[str]
    forks: list[str]
    systems: list[str]
    needs: list[str]
    origin: str


class Listing(NamedTuple):
    """All checks in order of id, and what could not be loaded, in sentences."""

    checks: list[Entry]
    faults: list[str]


def listing() -> Listing:
    """The list as it was kept, or made now; one with faults is not kept."""
    try:
        file, stamp = cache_file(), _stamp()
    except Exception:  # a stranger's import machinery may be asked for where its files are
        return made()
    kept = _kept(file, stamp)
    if kept is not None:
        return Listing(kept, [])
    new = made()
    if file and not new.faults:
        _keep(file, stamp, new.checks)
    return new


def made() -> Listing:
    """The list, from the checks themselves."""
    from forgedoctor import catalogue

    found = catalogue.load()
    entries = [
        Entry(
            id=one.id,
            severity=one.severity.value,
            group=one.group,
            title=one.title,
            page=one.page,
            explains=list(one.explains),
            forks=list(one.forks),
            systems=list(one.systems),
            needs=_needs(one),
            origin=one.origin,
        )
        for one in found.checks
    ]
    return Listing(entries, [str(fault) for fault in found.faults])


def _needs(check: Check) -> list[str]:
    from forgedoctor.fact import name_of

    names: dict[str, None] = {}
    for way in (check, *check.ways):
        with contextlib.suppress(Exception):  # a stranger's check may ask for what is no fact; running it will tell
            names.update(dict.fromkeys(name_of(need.fact) for need in way.needs))
    return list(names)


def cache_file() -> str:
    """Where the list is kept; empty where there is no such place, or ``FORGEDOCTOR_NO_CACHE`` is set."""
    if os.environ.get("FORGEDOCTOR_NO_CACHE"):
        return ""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "forgedoctor", "checks.json") if os.path.isabs(base) else ""


def _stamp() -> list[Any]:
    """What the list depends on: versions, and the files of the engine and of every plugin."""
    stamp: list[Any] = [__version__, list(sys.version_info[:3])]
    names = ["forgedoctor"]
    for group in (CHECKS, FACTS):
        for point in entry_points(group):
            stamp.append(list(point))
            names.append(point.value.split(":")[0])
    for name in names:
        for place in _places(name):
            stamp.extend(_files(place))
    return stamp


def _places(name: str) -> Iterator[str]:
    """The file or folders of a module, found without importing it."""
    top, *below = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        yield os.path.join(folder, *below)
        yield os.path.join(folder, *below) + ".py"
    if spec.submodule_search_locations is None and spec.origin:
        yield spec.origin


def _files(place: str) -> Iterator[list[Any]]:
    if place.endswith(".py"):
        if os.path.isfile(place):
            found = os.stat(place)
            yield [place, found.st_mtime_ns, found.st_size]
    elif os.path.isdir(place):
        for entry in sorted(os.scandir(place), key=lambda one: one.name):
            if entry.name.endswith(".py"):
                found = entry.stat()
                yield [entry.path, found.st_mtime_ns, found.st_size]
            elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
                yield from _files(entry.path)


def _kept(file: str, stamp: list[Any]) -> list[Entry] | None:
    try:
        with open(file, encoding="utf-8") as opened:
            data = json.load(opened)
        return [Entry(*one) for one in data["checks"]] if data["stamp"] == stamp else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _keep(file: str, stamp: list[Any], checks: list[Entry]) -> None:
    part = f"{file}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(part, "w", encoding="utf-8") as opened:
            json.dump({"stamp": stamp, "checks": checks}, opened)
        os.replace(part, file)  # two runs at once each leave a whole file
    except OSError:
        return
