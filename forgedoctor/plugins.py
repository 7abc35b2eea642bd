"""Who offers checks and facts: the entry points of all that is installed, ours and everybody else's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

CHECKS, FACTS = "forgedoctor.checks", "forgedoctor.facts"


class EntryPoint(NamedTuple):
    """A line of an ``entry_points.txt``: who offers what."""

    distribution: str
    name: str
    value: str


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
