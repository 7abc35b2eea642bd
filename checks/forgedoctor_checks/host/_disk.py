"""Places in words."""

from __future__ import annotations

from collections.abc import Iterable

from forgedoctor.check import Evidence, Message, t
from forgedoctor.facts import Place


def purpose(place: Place) -> Message:
    """What a folder is for."""
    if place.role == "models":
        return t("models")
    if place.role == "outputs":
        return t("images")
    if place.role == "temp":
        return t("temporary files")
    if place.role == "cache":
        return t("downloads")
    return t("Forge's own files")


def shown(places: Iterable[Place]) -> list[Evidence]:
    """Each folder with what it is for and where it lies."""
    found = []
    for one in list(places)[:5]:
        on = " ".join(word for word in (one.kind, one.mount) if word)
        found.append(Evidence(t("{purpose}: {path} (on {on})", purpose=purpose(one), path=one.path, on=on or "?")))
    return found


def by_mount(places: Iterable[Place]) -> list[list[Place]]:
    """Places that lie on the same file system together."""
    groups: dict[str, list[Place]] = {}
    for one in places:
        groups.setdefault(one.mount or one.path, []).append(one)
    return list(groups.values())
