"""The checks there are: found through entry points, the built-in ones too; selected by id or group.

An entry point in the group ``forgedoctor.checks`` names a module or package; every :class:`~forgedoctor.check.Check`
in it and in its submodules counts. One in ``forgedoctor.facts`` names a module whose import registers collectors. One
that cannot be loaded is reported, never fatal.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import NamedTuple

from forgedoctor.check import Check
from forgedoctor.message import Message, t

CHECKS, FACTS = "forgedoctor.checks", "forgedoctor.facts"


class EntryPoint(NamedTuple):
    """A line of an ``entry_points.txt``: who offers what."""

    distribution: str
    name: str
    value: str


class Catalogue(NamedTuple):
    """All checks in order of id, and what could not be loaded."""

    checks: tuple[Check, ...]
    faults: tuple[Message, ...]

    def get(self, id: str) -> Check | None:
        """The check of that id."""
        return next((one for one in self.checks if one.id == id), None)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({one.group for one in self.checks}))


class UnknownName(ValueError):
    """A selection named no check and no group; ``nearest`` may be what was meant."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        super().__init__(name)
        self.name, self.nearest = name, list(nearest)


def entry_points(group: str, path: Iterable[str] | None = None) -> Iterator[EntryPoint]:
    """The entry points of a group on ``sys.path``, in the file format of importlib.metadata.

    Read directly, because importing importlib.metadata and parsing every distribution costs more than the rest of
    ``forgedoctor checks``.
    """
    seen: set[str] = set()
    for folder in sys.path if path is None else path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            distribution = name.rsplit(".", 1)[0].split("-", 1)[0].lower().replace("-", "_")
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8", errors="replace") as file:
                    text = file.read(100_000)
            except OSError:
                continue
            if distribution not in seen and f"[{group}]" in text:
                seen.add(distribution)
                yield from _section(distribution, group, text)


def _section(distribution: str, group: str, text: str) -> Iterator[EntryPoint]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(distribution, name.strip(), value.strip())


def load() -> Catalogue:
    """Load every check; a module that fails to load, or an id that is used twice, becomes a fault."""
    faults: list[Message] = []
    found: dict[str, Check] = {}
    for point in entry_points(FACTS):
        list(_modules(point.value, point, faults))
    for point in entry_points(CHECKS):
        for one in _checks_of(point, faults):
            first = found.setdefault(one.id, one)
            if first is one or one in first.ways:
                continue
            if first.origin.partition(".")[0] == one.origin.partition(".")[0]:
                first.ways.append(one)  # the same cause, known in another way
            else:
                faults.append(t("{origin} offers a second check {id}: ignored", origin=one.origin, id=one.id))
    if not found:
        faults.append(t("no checks are installed: install forgedoctor again (pip install --force-reinstall forgedoctor)"))
    return Catalogue(tuple(found[id] for id in sorted(found)), tuple(faults))


def _checks_of(point: EntryPoint, faults: list[Message]) -> Iterator[Check]:
    for module in _modules(point.value.split(":")[0], point, faults):
        yield from (one for one in vars(module).values() if isinstance(one, Check) and one.origin == module.__name__)
        made = vars(module).get("checks")
        if callable(made) and not isinstance(made, Check):
            try:
                yield from made()
            except Exception as error:  # a stranger's code: anything may come
                faults.append(_fault(point, module.__name__, error))


def _modules(name: str, point: EntryPoint, faults: list[Message]) -> Iterator[ModuleType]:
    """A module and, where it is a package, all modules in it; one that fails to load does not stop the others."""
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a stranger's code: anything may come
        faults.append(_fault(point, name, error))
        return
    yield module
    for folder in getattr(module, "__path__", ()):
        for entry in sorted(os.listdir(folder)):
            stem, _, kind = entry.partition(".")
            package = not kind and os.path.isfile(os.path.join(folder, entry, "__init__.py"))
            if (kind == "py" or package) and not stem.startswith("_"):
                yield from _modules(f"{name}.{stem}", point, faults)


def _fault(point: EntryPoint, module: str, error: Exception) -> Message:
    what = f"{type(error).__name__}: {error}"
    return t("plugin {name} could not be loaded: {why}", name=f"{point.distribution} ({module})", why=what)


def select(checks: Sequence[Check], wanted: Sequence[str] = (), ignored: Sequence[str] = ()) -> list[Check]:
    """The checks whose id or group is wanted (all, when nothing is) and not ignored. Raises UnknownName."""
    known = {one.id for one in checks} | {one.group for one in checks}
    for name in (*wanted, *ignored):
        if name not in known:
            import difflib

            raise UnknownName(name, difflib.get_close_matches(name, sorted(known), 3, 0.5))
    return [
        one
        for one in checks
        if (not wanted or one.id in wanted or one.group in wanted) and one.id not in ignored and one.group not in ignored
    ]
