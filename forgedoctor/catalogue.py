"""The checks there are: found through entry points, the built-in ones too; selected by id or group.

An entry point in the group ``forgedoctor.checks`` names a module or package; every :class:`~forgedoctor.check.Check`
in it and in its submodules counts. One in ``forgedoctor.facts`` names a module whose import registers collectors. One
that cannot be loaded is reported, never fatal.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import NamedTuple, Protocol, TypeVar

from forgedoctor.check import Check
from forgedoctor.message import Message, t
from forgedoctor.plugins import CHECKS, FACTS, EntryPoint, entry_points

__all__ = ["CHECKS", "FACTS", "Catalogue", "EntryPoint", "UnknownName", "entry_points", "load", "select"]

IMPORT_LIMIT = 5.0  # seconds that a stranger's plugin may take to be imported
ResultT = TypeVar("ResultT")


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


def load() -> Catalogue:
    """Load every check; a module that fails to load, or an id that is used twice, becomes a fault."""
    faults: list[Message] = []
    found: dict[str, Check] = {}
    for point in entry_points(FACTS):
        _guarded(point, faults, lambda point, told: _modules(point.value.split(":")[0], point, told))
    # Ours first: no plugin can take an id away from a built-in check.
    for point in sorted(entry_points(CHECKS), key=lambda one: one.distribution != "forgedoctor"):
        for one in _guarded(point, faults, _checks_of):
            if one.id not in found:
                one.ways = []  # a check outlives this call; what it was joined with last time does not
            first = found.setdefault(one.id, one)
            if first is one or one in first.ways:
                continue
            if first.origin.partition(".")[0] == one.origin.partition(".")[0]:
                found[one.id] = _joined(first, one)
            else:
                faults.append(t("{origin} offers a second check {id}: ignored", origin=one.origin, id=one.id))
    if not found:
        faults.append(
            t("no checks are installed: install forgedoctor again (pip install --force-reinstall forgedoctor)")
        )
    return Catalogue(tuple(found[id] for id in sorted(found)), tuple(faults))


def _joined(first: Check, other: Check) -> Check:
    """One check of two that know the same cause in different ways; the one that has the page leads."""
    if first.judge.__doc__:
        first.ways.append(other)
        return first
    other.ways = [first, *first.ways]
    return other


def _guarded(
    point: EntryPoint, faults: list[Message], work: Callable[[EntryPoint, list[Message]], Iterable[ResultT]]
) -> list[ResultT]:
    """What ``work`` gives; a stranger's plugin that hangs is left behind, and what it prints is not shown."""
    if point.distribution == "forgedoctor":
        return list(work(point, faults))
    import contextlib
    import io
    import threading

    found: list[ResultT] = []
    told: list[Message] = []
    printed = io.StringIO()
    worker = threading.Thread(target=lambda: found.extend(work(point, told)), daemon=True, name=point.distribution)
    with contextlib.redirect_stdout(printed):
        worker.start()
        worker.join(IMPORT_LIMIT)
    if worker.is_alive():
        faults.append(t("plugin {name} was not loaded in time; it is left out", name=point.distribution))
        return []
    if size := len(printed.getvalue()):
        told.append(t("plugin {name} printed {size} characters; they are left out", name=point.distribution, size=size))
    faults.extend(told)
    return found


def _checks_of(point: EntryPoint, faults: list[Message]) -> Iterator[Check]:
    for module in _modules(point.value.split(":")[0], point, faults):
        yield from (one for one in vars(module).values() if isinstance(one, Check) and one.origin == module.__name__)
        made = vars(module).get("checks")
        if callable(made) and not isinstance(made, Check):
            try:
                yield from made()
            except (Exception, SystemExit) as error:  # a stranger's code: anything may come
                faults.append(_fault(point, module.__name__, error))


def _modules(name: str, point: EntryPoint, faults: list[Message]) -> Iterator[ModuleType]:
    """A module and, where it is a package, all modules in it; one that fails to load does not stop the others."""
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # a stranger's code: anything may come
        faults.append(_fault(point, name, error))
        return
    yield module
    for folder in getattr(module, "__path__", ()):
        for entry in sorted(os.listdir(folder)):
            stem, _, kind = entry.partition(".")
            package = not kind and os.path.isfile(os.path.join(folder, entry, "__init__.py"))
            if (kind == "py" or package) and not stem.startswith("_"):
                yield from _modules(f"{name}.{stem}", point, faults)


def _fault(point: EntryPoint, module: str, error: BaseException) -> Message:
    what = f"{type(error).__name__}: {error}"
    return t("plugin {name} could not be loaded: {why}", name=f"{point.distribution} ({module})", why=what)


class Named(Protocol):
    """What a selection looks at."""

    @property
    def id(self) -> str: ...

    @property
    def group(self) -> str: ...


NamedT = TypeVar("NamedT", bound=Named)


def select(checks: Sequence[NamedT], wanted: Sequence[str] = (), ignored: Sequence[str] = ()) -> list[NamedT]:
    """The checks whose id or group is wanted (all, when nothing is) and not ignored. Raises UnknownName."""
    known = {one.id for one in checks} | {one.group for one in checks}
    for name in (*wanted, *ignored):
        if name not in known:
            import difflib

            raise UnknownName(name, difflib.get_close_matches(name, sorted(known), 3, 0.5))
    return [
        one
        for one in checks
        if (not wanted or one.id in wanted or one.group in wanted)
        and one.id not in ignored
        and one.group not in ignored
    ]
