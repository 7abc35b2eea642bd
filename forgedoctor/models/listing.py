"""The list of model files, for a terminal and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from forgedoctor.message import Message, t
from forgedoctor.models import families, kinds, lacks, scan, words
from forgedoctor.models.scan import ModelFile

if TYPE_CHECKING:
    from forgedoctor.facts.models import Models

SCHEMA_VERSION = "1.0"
_TITLES = {
    "checkpoint": t("Checkpoints"), "vae": t("VAEs"), "text-encoder": t("Text encoders"), "lora": t("LoRAs"),
    "controlnet": t("ControlNets"), "embedding": t("Textual inversions"), "upscaler": t("Upscalers"), "": t("Files"),
}  # fmt: skip
_KINDS = {
    kinds.LORA: t("LoRA"), kinds.CONTROLNET: t("ControlNet"), kinds.EMBEDDING: t("textual inversion"),
    kinds.UPSCALER: t("upscaler"), kinds.DIFFUSERS: t("diffusers layout"), "control-lora": t("control LoRA"),
    "t2i-adapter": t("T2I adapter"), "ip-adapter": t("IP adapter"),
}  # fmt: skip
_FOLDED = ("lora", "embedding", "controlnet", "upscaler")  # of these, only what is wrong is listed one by one
_OWN = {
    "checkpoint": (kinds.CHECKPOINT,), "lora": (kinds.LORA,), "vae": (kinds.VAE, kinds.ENCODER),
    "text-encoder": (kinds.VAE, kinds.ENCODER), "embedding": (kinds.EMBEDDING,),
}  # fmt: skip
Row = tuple[str, str, list[Message]]  # sign (ok, warning, error or info), name, what is said of it


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file in the JSON. ``lacks``: parts that it needs and does not hold; ``completed_by``: files at hand that are
    such a part. ``wrong``: what is wrong with it, in words."""

    path: str
    name: str
    place: str
    size: int
    format: str
    kind: str
    family: str
    family_name: str
    precision: str
    state: str
    wrong: str
    renamed: bool
    loads: bool | None
    chosen: bool
    parts: list[dict[str, Any]]
    lacks: list[str]
    completed_by: dict[str, list[str]]


def document(models: Models, language: str) -> dict[str, Any]:
    """The list as plain data."""
    parts = [one for one in models.of(*scan.MODULES, "") if one.whole]
    return {
        "kind": "models",
        "schema_version": SCHEMA_VERSION,
        "fork": models.fork,
        "folders": [msgspec.to_builtins(one) | {"exists": one.exists} for one in models.folders],
        "files": [msgspec.to_builtins(_entry(one, models, parts, language)) for one in models.files],
        "chosen": {"checkpoint": models.selected, "modules": list(models.modules), "setting": models.chosen},
        "complete": not models.unseen,
    }


def _entry(one: ModelFile, models: Models, parts: list[ModelFile], language: str) -> FileEntry:
    missing = lacks.lacking(one)
    return FileEntry(
        path=one.path, name=one.name, place=one.place, size=one.size, format=one.format, kind=one.kind,
        family=one.family, family_name=families.name_of(one.family) if one.family else "", precision=one.precision,
        state="unfinished" if one.unfinished and one.state == "ok" else one.state,
        wrong="" if one.whole else words.wrong(one).text(language), renamed=one.renamed,
        loads=families.loads(one.family, models.fork) if one.kind == kinds.CHECKPOINT else None,
        chosen=one.path == models.selected or one.path in models.modules,
        parts=[msgspec.to_builtins(part) for part in one.parts], lacks=list(missing),
        completed_by={part: [found.path for found in lacks.fitting(part, parts)] for part in missing},
    )  # fmt: skip


def sections(models: Models, language: str, *, every: bool) -> Iterator[tuple[Message, str, list[Row], Message | None]]:
    """(title, folder, rows, a sum of what is not listed) for each folder; ``every``: list also what is mostly long."""
    parts = [one for one in models.of(*scan.MODULES, "") if one.whole]
    folders = [(one.place, one.path, one.exists) for one in models.folders]
    if models.named:
        folders = [("", "", True)]
    for place, path, exists in folders:
        files = [one for one in models.files if one.place == place and (not path or _below(one.path, path))]
        if not exists:
            if place in ("checkpoint", *scan.MODULES):
                yield _TITLES[place], path, [], t("the folder is not there")
            continue
        listed = files if every or place not in _FOLDED else [one for one in files if _odd(one)]
        rest = [one for one in files if one not in listed]
        if files or place in ("checkpoint", *scan.MODULES):
            yield (
                _TITLES[place],
                path,
                [_row(one, models, parts, language) for one in listed],
                _sum(rest) if rest else _none(files),
            )


def _odd(one: ModelFile) -> bool:
    return not one.whole or one.renamed or bool(one.kind and one.kind not in _OWN.get(one.place, (one.kind,)))


def _below(path: str, folder: str) -> bool:
    bare = folder.rstrip("/\\")
    return path.startswith((bare + "/", bare + "\\"))


def _none(files: list[ModelFile]) -> Message | None:
    return None if files else t("nothing in it")


def _sum(files: list[ModelFile]) -> Message:
    counts = Counter(families.name_of(one.family) if one.family else "?" for one in files)
    told = ", ".join(f"{count} {name}" for name, count in counts.most_common(6))
    total = words.size(sum(one.size for one in files))
    return t("{count} whole files, {size}: {families}", count=len(files), size=total, families=told)


def _row(one: ModelFile, models: Models, parts: list[ModelFile], language: str) -> Row:
    said: list[Message] = []
    facts = [_what(one, language), one.precision, words.size(one.size)]
    first = " · ".join(str(fact) for fact in facts if fact)
    said.append(t("{what}, chosen", what=first) if one.path == models.selected else t("{what}", what=first))
    if not one.whole:
        said.append(words.wrong(one))
        return "error", one.name, said
    if one.renamed:
        said.append(t("put aside by Forge after a failed load; its header and size are right"))
        return "warning", one.name, said
    if one.kind == kinds.CHECKPOINT and one.place in ("checkpoint", ""):
        return _checkpoint(one, models, parts, said)
    if one.kind and one.place in _OWN and one.kind not in _OWN[one.place]:
        said.append(t("it lies in another kind's folder"))
        return "warning", one.name, said
    return "ok" if one.kind or one.format == "pickle" else "info", one.name, said


def _checkpoint(one: ModelFile, models: Models, parts: list[ModelFile], said: list[Message]) -> Row:
    if families.loads(one.family, models.fork) is False:
        said.append(t("this fork cannot load it"))
        return "error", one.name, said
    if lacks.undecodable(one):
        said.append(t("Forge has no decoder for {types}", types=", ".join(lacks.undecodable(one))))
        return "error", one.name, said
    if one.bundled:
        said.append(t("holds {parts}", parts=", ".join(families.name_of(name) for name in one.bundled)))
    missing = lacks.lacking(one)
    sign = "ok"
    for part in missing:
        found = lacks.fitting(part, parts)
        name = families.name_of(part)
        sign = sign if found else "warning"
        at_hand = ", ".join(each.name for each in found[:3])
        said.append(
            t("lacks {part}; at hand: {files}", part=name, files=at_hand)
            if found
            else t("lacks {part}; you have none", part=name)
        )
    return sign, one.name, said


def _what(one: ModelFile, language: str) -> str:
    family = families.name_of(one.family) if one.family else ""
    kind = _KINDS[one.kind].text(language) if one.kind in _KINDS else ""
    if one.format in ("pickle", "zip"):
        return one.format
    return " ".join(word for word in (family, kind) if word) or ("" if not one.whole else "?")
