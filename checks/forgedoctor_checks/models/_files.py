"""What several checks of model files share: how a file is named, moved and taken away."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from forgedoctor import fixes
from forgedoctor.check import Fix, Message, t
from forgedoctor.facts import Host, Models
from forgedoctor.models.scan import ModelFile

MOST = 5  # files that are told of one by one


def shown(files: Sequence[ModelFile]) -> str:
    """Names of files in a sentence."""
    names = ", ".join(one.name for one in files[:3])
    return names + (" …" if len(files) > 3 else "")


def move(title: Message, source: str, target: str, host: Host | None) -> Fix:
    """Move or rename a file; an existing one is never written over."""
    windows = bool(host and host.system == "windows")
    command = f"mv -n {shlex.quote(source)} {shlex.quote(target)}"
    command = f'move "{source}" "{target}"' if windows else command
    undo = t("move it back to {path}", path=source)
    return fixes.paste(title, command, host, undo=undo)


def into(models: Models, place: str, file: ModelFile, title: Message, host: Host | None) -> Fix:
    """Move a file into the folder of a place."""
    folder = models.folder(place)
    if not folder:
        return fixes.advise(t("Move {file} to the folder where it belongs", file=file.name))
    return move(title, file.path, os.path.join(folder, os.path.basename(file.name)), host)


def is_chosen(models: Models, file: ModelFile) -> bool:
    """Whether Forge would load it next, as far as the settings tell."""
    return file.path == models.selected or file.path in models.modules
