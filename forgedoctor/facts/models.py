"""The model files of a Forge: what each is and whether it is whole, from their headers; and which ones are chosen."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forgedoctor.fact import Fact, collector
from forgedoctor.facts.install import Install
from forgedoctor.facts.launch import Launch
from forgedoctor.models import scan
from forgedoctor.models.scan import Entry, Folder, ModelFile
from forgedoctor.target import Target

# A live examination looks into so many files, and for so long; the chosen and the checkpoints come first.
MOST, SECONDS = 400, 0.8
SETTINGS_LIMIT = 5_000_000  # bytes
_HASH = re.compile(r"\s*\[[0-9a-fA-F]{6,64}\]\s*$")


class Models(Fact, frozen=True, kw_only=True):
    """The model files that a Forge would list.

    ``folders``: where was looked. ``files``: those that were looked into; ``unseen``: places of which not all were.
    ``chosen``: the checkpoint of the settings file as it is written there, and ``selected`` that file's path, empty
    where there is none. ``modules``: paths of the chosen VAE and text encoders. ``strays``: checkpoints in places where
    Forge does not look, sought only where it has none. ``named``: a person named these files; there is no Forge behind.
    """

    fork: str = "forge"
    folders: tuple[Folder, ...] = ()
    files: tuple[ModelFile, ...] = ()
    unseen: tuple[str, ...] = ()
    chosen: str = ""
    selected: str = ""
    modules: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    named: bool = False

    def of(self, *places: str) -> tuple[ModelFile, ...]:
        """The files in the folders of these places."""
        return tuple(one for one in self.files if one.place in places)

    def folder(self, place: str) -> str:
        """The path of the first folder of a place, empty where there is none."""
        return next((one.path for one in self.folders if one.place == place), "")

    @property
    def checkpoint(self) -> ModelFile | None:
        """The chosen checkpoint, where it was looked into."""
        return next((one for one in self.files if self.selected and one.path == self.selected), None)

    @property
    def chosen_modules(self) -> tuple[ModelFile, ...]:
        """The chosen VAE and text encoders, where they were looked into."""
        return tuple(one for one in self.files if one.path in self.modules)


@collector(Models, scopes=("live", "preflight"), budget=2.5)
def collect(target: Target, install: Install, launch: Launch | None) -> Models:
    """A bounded look at the folders."""
    options = launch.effective.options if launch else {}
    return gathered(install.root, install.fork, options, most=MOST, seconds=SECONDS)


def gathered(root: str, fork: str, options: Mapping[str, Any], *, most: int = 0, seconds: float = 0.0) -> Models:
    """The models of a Forge in ``root`` with these flags (values by dest); ``most`` and ``seconds`` bound the look."""
    folders = scan.folders_of(root, fork, options)
    settings = _settings(root, options)
    hidden = bool(settings.get("list_hidden_files"))
    entries = [entry for folder in folders if folder.exists for entry in scan.listed(folder, hidden=hidden)]
    chosen = str(settings.get("sd_model_checkpoint") or "")
    selected = _selected(chosen, entries)
    wanted = settings.get("forge_additional_modules")
    modules = tuple(os.path.normpath(one) for one in wanted if isinstance(one, str)) if isinstance(wanted, list) else ()
    first = {selected, *modules}
    entries.sort(key=lambda one: one.path not in first)
    bounded = bool(most or seconds)
    files = scan.examined(entries, most=most, seconds=seconds) if bounded else scan.examined_together(entries)
    has_any = any(one.place == "checkpoint" and not one.renamed for one in files)
    models = os.path.dirname(folders[0].path)
    return Models(
        source=root,
        fork=fork,
        folders=folders,
        files=tuple(files),
        unseen=tuple(dict.fromkeys(one.place for one in entries[len(files) :])),
        chosen=chosen,
        selected=selected,
        modules=modules,
        strays=() if has_any else tuple(scan.strays(root, models)),
    )


def named(paths: Sequence[str], fork: str = "forge") -> Models:
    """Files and folders that a person named."""
    folders = tuple(Folder(place="", path=path) for path in paths if os.path.isdir(path))
    entries = [Entry(path, os.path.basename(path), "") for path in paths if not os.path.isdir(path)]
    entries += [entry for folder in folders for entry in scan.listed(folder)]
    files = scan.examined_together(entries)
    return Models(source="command line", fork=fork, folders=folders, files=tuple(files), named=True)


def _settings(root: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """config.json, empty where it cannot be read: another fact tells of that."""
    base = os.path.join(root, str(options.get("data_dir") or ""))
    path = Path(root, str(options.get("ui_settings_file") or os.path.join(base, "config.json")))
    try:
        if not path.is_file():
            return {}
        with open(path, "rb") as file:
            loaded = json.loads(file.read(SETTINGS_LIMIT).decode("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _selected(chosen: str, entries: Sequence[Entry]) -> str:
    """The file that a setting means: by its name in the list, else by its bare name, with or without ending.

    Source: modules/sd_models.py CheckpointInfo.ids.
    """
    name = _HASH.sub("", chosen).replace("\\", "/").strip()
    if not name:
        return ""
    checkpoints = [one for one in entries if one.place == "checkpoint" and not one.name.lower().endswith(scan.RENAMED)]
    base = [os.path.basename(one.name) for one in checkpoints]
    for names in ([one.name for one in checkpoints], base, [os.path.splitext(one)[0] for one in base]):
        if name in names:
            return checkpoints[names.index(name)].path
    return ""
