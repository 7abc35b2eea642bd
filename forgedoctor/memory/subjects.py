"""Which model is asked about: a family by name, a file, or the checkpoints of a Forge folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgedoctor.memory.arithmetic import MIB
from forgedoctor.memory.families import component, family, family_named, table
from forgedoctor.memory.plan import Ask
from forgedoctor.memory.precision import GGUF_BITS, NAMES, Precision, precision_named
from forgedoctor.memory.typed import Asked, Wrong
from forgedoctor.message import Message, t

if TYPE_CHECKING:
    from forgedoctor.models.scan import ModelFile

MOST = 200  # models that are answered for at once

Subject = tuple[str, Ask, tuple[Message, ...]]


def subjects(asked: Asked, flags: dict[str, Any]) -> list[Subject]:
    """What is asked about, with the file's path (empty for a family). Raises Wrong where nothing is meant."""
    if asked.family:
        return [("", _of_family(asked.family, asked), ())]
    if len(asked.models) > 1:
        raise Wrong(t("Name one model; Forge's flags come after --."))
    if asked.models:
        word = asked.models[0]
        if not os.path.exists(word) and family_named(word) and not _looks_like_file(word):
            return [("", _of_family(word, asked), ())]
        return [_of_file(_found(word, asked, flags), asked)]
    return _of_folder(asked, flags)


def _looks_like_file(word: str) -> bool:
    return "/" in word or "\\" in word or word.lower().endswith((".safetensors", ".gguf", ".ckpt", ".pt"))


def _of_family(name: str, asked: Asked) -> Ask:
    key = family_named(name)
    if not key:
        known = ", ".join(table().families)
        raise Wrong(t("No model family is called {name}; known are {known}.", name=name[:80], known=known))
    default = "bf16" if family(key).compute == "bf16" else "fp16"
    return Ask(family=key, precision=_precision(asked.precision or default, asked))


def _precision(text: str, asked: Asked) -> Precision:
    found = _named(text)
    if asked.encoders:
        return msgspec.structs.replace(found, encoders=_named(asked.encoders).weights)
    return found


def _named(text: str) -> Precision:
    found = precision_named(text)
    if found is None:
        raise Wrong(t("No precision is called {name}; known are {known}.", name=text[:80], known=", ".join(NAMES)))
    return found


def _found(word: str, asked: Asked, flags: dict[str, Any]) -> str:
    """The file that a word means: a path, or a name in the checkpoint folders."""
    if os.path.isfile(word):
        return word
    if os.path.isdir(word):
        raise Wrong(t("{file} is a folder; name a model file in it, or the Forge folder with --dir.", file=word))
    for path, name in _checkpoints(asked, flags):
        if word.lower() in (name.lower(), os.path.splitext(name)[0].lower(), os.path.basename(name).lower()):
            return path
    raise Wrong(t("There is no file {file}.", file=word[:200]))


def _of_file(path: str, asked: Asked) -> Subject:
    from forgedoctor.models.scan import Entry, examine

    seen = examine(Entry(path, os.path.basename(path), ""))
    made = of_seen(seen, asked)
    if isinstance(made, Message):
        raise Wrong(made)
    return made


def of_seen(seen: ModelFile, asked: Asked) -> Subject | Message:
    """What a file is to be judged as; a sentence where it cannot be."""
    if seen.state != "ok":
        return t("{file} cannot be read as a model: 'forgedoctor models' tells more.", file=seen.name)
    if seen.kind != "checkpoint":
        return t("{file} is no checkpoint that Forge could load as a model.", file=seen.name)
    if seen.family not in table().families:
        return t("{file} is of a family whose memory use in Forge is not known.", file=seen.name)
    part = next((one for one in seen.parts if one.name == "denoiser"), None)
    found = _precision(asked.precision or (part.precision if part else "") or "fp16", asked)
    about = family(seen.family)
    bundled = next((one for one in seen.parts if one.name == "t5xxl"), None)
    if bundled and not asked.encoders:
        inside = precision_named(bundled.precision)
        found = msgspec.structs.replace(found, encoders=inside.weights if inside else "fp16")
    measured: dict[str, float] = {}
    if part and found.weights in GGUF_BITS and not asked.precision:
        measured["denoiser"] = part.bytes / MIB
    elif part and abs(part.params / max(1, component(about.denoiser).params) - 1) > 0.05:
        each = component(about.denoiser).mib(found.weights) / component(about.denoiser).params
        measured["denoiser"] = part.params * each
    notes: tuple[Message, ...] = ()
    if "t5xxl" in about.encoders and not bundled and not asked.encoders:
        notes = (
            t(
                "The text encoders are not in this file; their 16-bit files are assumed. With fp8 "
                "ones: --text-encoders fp8."
            ),
        )
    return seen.path, Ask(family=seen.family, precision=found, measured=measured), notes


def _checkpoints(asked: Asked, flags: dict[str, Any]) -> list[tuple[str, str]]:
    """(path, name) of the checkpoints of the Forge at hand."""
    from forgedoctor.facts.install import candidates, fork_of, is_forge
    from forgedoctor.models.scan import folders_of, listed

    start = Path(asked.directory or ".").absolute()
    root = next((one for one in candidates(start) if is_forge(one)), None)
    if root is None:
        return []
    folders = folders_of(str(root), fork_of(root)[0], flags)
    return [(entry.path, entry.name) for one in folders if one.place == "checkpoint" for entry in listed(one)]


def _of_folder(asked: Asked, flags: dict[str, Any]) -> list[Subject]:
    from forgedoctor.models.scan import Entry, examine

    made = [
        of_seen(examine(Entry(path, name, "checkpoint")), asked) for path, name in _checkpoints(asked, flags)[:MOST]
    ]
    return [one for one in made if not isinstance(one, Message)]
