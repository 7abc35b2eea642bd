"""Find the model files in the folders that Forge looks into, and tell of each what it is and whether it is whole."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from forgedoctor.models import footprint, headers, kinds
from forgedoctor.models.footprint import ENOUGH, Part
from forgedoctor.models.pickles import PICKLE

_SAFE, _ZIPPED = (".safetensors",), (".ckpt", ".pt", ".pth", ".bin")
# What each folder's list takes up. Source: sd_models.py list_models, esrgan_model.py, sd_forge_lora/networks.py;
# modules_forge/main_entry.py refresh_models; sd_forge_controlnet/lib_controlnet/global_state.py.
ENDINGS = {
    "checkpoint": (".ckpt", ".safetensors", ".gguf"),
    "vae": (".ckpt", ".pt", ".bin", ".safetensors", ".gguf"),
    "text-encoder": (".ckpt", ".pt", ".bin", ".safetensors", ".gguf"),
    "lora": (".pt", ".ckpt", ".safetensors"),
    "controlnet": (".pt", ".pth", ".ckpt", ".safetensors", ".bin", ".patch"),
    "embedding": (".pt", ".bin", ".safetensors"),
    "upscaler": (".pt", ".pth", ".safetensors"),
    "": (*_SAFE, *_ZIPPED, ".gguf"),
}
RENAMED = ".corrupted"  # what Forge adds to the name of a file that it could not load
ALLOCATED = ".aria2"  # aria2 makes the whole file at once and fills it bit by bit; this lies beside it until then
MODULES = ("vae", "text-encoder")  # one list in Forge: VAE / Text Encoder
_DEEPEST = 12  # folders
MOST_LISTED = 100_000  # files
_MANY, _SHARE, _MOST_PROCESSES = 1500, 200, 4  # files from which several processes pay; files of one task


class Folder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A folder that is looked into: what for, where, whether it is there, and the flag that names it."""

    place: str
    path: str
    exists: bool = True
    flag: str = ""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model file.

    ``name``: seen from its folder, with "/". ``place``: the folder's (a key of ENDINGS). ``format``: safetensors, gguf,
    pickle, zip, or empty. ``kind`` and ``family``: see :mod:`kinds`; empty where not known, as for all pickles.
    ``state``: ok, or a code of :mod:`headers`, of which ``missing`` (bytes) and ``detail`` tell more. ``renamed``: it
    has the ending that Forge gives to a file it could not load. ``unfinished``: aria2 is not done with it.
    """

    path: str
    name: str
    place: str = ""
    size: int = 0
    format: str = ""
    kind: str = ""
    family: str = ""
    precision: str = ""
    state: str = "ok"
    missing: int = 0
    detail: str = ""
    parts: tuple[Part, ...] = ()
    renamed: bool = False
    unfinished: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return self.state == "ok" and not self.unfinished

    @property
    def ending(self) -> str:
        """The ending of its name, less the one that Forge added."""
        name = self.name[: -len(RENAMED)] if self.renamed else self.name
        return os.path.splitext(name)[1].lower()

    @property
    def bundled(self) -> tuple[str, ...]:
        """The text encoders and VAE that a checkpoint holds, as far as Forge counts them."""
        return tuple(one.name for one in self.parts if one.name not in ("denoiser", "other") and one.tensors > ENOUGH)


class Entry(msgspec.Struct, frozen=True):
    """A file's place in a folder, before it is looked into."""

    path: str
    name: str
    place: str
    unfinished: bool = False


def folders_of(root: str, fork: str, options: Mapping[str, Any]) -> tuple[Folder, ...]:
    """The folders that a Forge looks into, given its flags (values by dest).

    Source: modules/paths_internal.py, cmd_args.py, launch_utils.py configure_forge_reference_checkout.
    """
    base = os.path.join(root, _text(options, "data_dir"))
    named = _text(options, "models_dir") or _text(options, "model_ref")
    models = os.path.join(root, named) if named else os.path.join(base, "models")
    embeddings = os.path.join(models if fork == "neo" else base, "embeddings")
    found = [
        _folder("checkpoint", os.path.join(models, "Stable-diffusion")),
        *_extra(root, options, "checkpoint", "ckpt_dir", "ckpt_dirs"),
        _folder("vae", os.path.join(models, "VAE")),
        *_extra(root, options, "vae", "vae_dir", "vae_dirs"),
    ]
    if fork in ("forge", "neo"):
        found.append(_folder("text-encoder", os.path.join(models, "text_encoder")))
        found += _extra(root, options, "text-encoder", "text_encoder_dir", "text_encoder_dirs")
    found += _extra(root, options, "lora", "lora_dir", "lora_dirs") or [_folder("lora", os.path.join(models, "Lora"))]
    found += [_folder("controlnet", os.path.join(models, "ControlNet"))]
    found += _extra(root, options, "controlnet", "controlnet_dir", "controlnet_dirs")
    found += _extra(root, options, "embedding", "embeddings_dir") or [_folder("embedding", embeddings)]
    found += _extra(root, options, "upscaler", "esrgan_models_path") or [
        _folder("upscaler", os.path.join(models, "ESRGAN"))
    ]
    found += _referenced(root, options)
    return _once(found)


def _text(options: Mapping[str, Any], dest: str) -> str:
    value = options.get(dest)
    return value if isinstance(value, str) else ""


def _folder(place: str, path: str, flag: str = "") -> Folder:
    return Folder(place=place, path=os.path.normpath(path), exists=os.path.isdir(path), flag=flag)


def _extra(root: str, options: Mapping[str, Any], place: str, *dests: str) -> list[Folder]:
    """The folders that flags name: one value, or several of a flag that may be repeated."""
    found = []
    for dest in dests:
        value = options.get(dest)
        values = value if isinstance(value, (list, tuple)) else [value]
        flag = "--" + dest.replace("_", "-")
        found += [_folder(place, os.path.join(root, one), flag) for one in values if isinstance(one, str) and one]
    return found


def _referenced(root: str, options: Mapping[str, Any]) -> list[Folder]:
    """What --forge-ref-a1111-home adds: the folders that are there, where no flag names another."""
    home = _text(options, "forge_ref_a1111_home")
    if not home:
        return []
    wanted = (
        ("checkpoint", "ckpt_dir", "models/Stable-diffusion"), ("vae", "vae_dir", "models/VAE"),
        ("embedding", "embeddings_dir", "embeddings"), ("lora", "lora_dir", "models/lora"),
        ("controlnet", "controlnet_dir", "models/ControlNet"),
    )  # fmt: skip
    made = [
        (dest, _folder(place, os.path.join(root, home, below), "--forge-ref-a1111-home"))
        for place, dest, below in wanted
    ]
    return [one for dest, one in made if one.exists and not options.get(dest)]


def _once(found: Iterable[Folder]) -> tuple[Folder, ...]:
    seen: dict[tuple[str, str], Folder] = {}
    for one in found:
        seen.setdefault((one.place, os.path.realpath(one.path)), one)
    return tuple(seen.values())


def listed(folder: Folder, *, hidden: bool = False) -> list[Entry]:
    """The model files of a folder and below, links followed, in the order of their names."""
    found: list[Entry] = []
    half: set[str] = set()
    visited: set[tuple[int, int]] = set()
    endings = ENDINGS.get(folder.place, ENDINGS[""])
    wanted = (*endings, *(one + RENAMED for one in endings))
    for path, name in _walk(folder.path, "", visited, 0, hidden):
        low = name.lower()
        if len(found) >= MOST_LISTED:
            break
        if low.endswith(ALLOCATED):
            half.add(path[: -len(ALLOCATED)])
        elif low.endswith(wanted):
            if folder.place == "checkpoint" and low.endswith((".vae.ckpt", ".vae.safetensors")):
                continue
            found.append(Entry(path, name, folder.place))
    if half:
        found = [msgspec.structs.replace(one, unfinished=True) if one.path in half else one for one in found]
    return sorted(found, key=lambda one: one.name.lower())


def _walk(path: str, below: str, visited: set[tuple[int, int]], depth: int, hidden: bool) -> Iterator[tuple[str, str]]:
    try:
        state = os.stat(path)
        entries = list(os.scandir(path))
    except OSError:
        return
    if (state.st_dev, state.st_ino) in visited and state.st_ino:
        return
    visited.add((state.st_dev, state.st_ino))
    for entry in entries:
        try:
            if entry.is_dir():
                if depth < _DEEPEST and (hidden or not entry.name.startswith(".")):
                    yield from _walk(entry.path, f"{below}{entry.name}/", visited, depth + 1, hidden)
            elif entry.is_file():  # a pipe or a device would keep us waiting
                yield entry.path, below + entry.name
        except OSError:
            continue


def examine(entry: Entry) -> ModelFile:
    """Look into one file. Whatever it holds, this returns."""
    seen = headers.read(entry.path)
    renamed = entry.name.lower().endswith(RENAMED)
    problem = seen.problem
    common: dict[str, Any] = {
        "path": entry.path, "name": entry.name, "place": entry.place, "size": seen.size, "format": seen.format,
        "renamed": renamed, "unfinished": entry.unfinished, "state": problem.code if problem else "ok",
        "missing": problem.missing if problem else 0, "detail": problem.detail if problem else "",
    }  # fmt: skip
    if seen.header is None:
        return ModelFile(**common)
    kind = kinds.kind_of(seen.header)
    parts = footprint.footprint(seen.header, kind)
    what = kind.kind or ("upscaler" if entry.place == "upscaler" else "")
    precision = parts[0].precision if parts else ""
    return ModelFile(**common, kind=what, family=kind.family, precision=precision, parts=parts)


def examined(entries: Iterable[Entry], *, most: int = 0, seconds: float = 0.0) -> list[ModelFile]:
    """The files, in that order: at most so many, and for at most so long, where these are not 0."""
    began = time.monotonic()
    found: list[ModelFile] = []
    for entry in entries:
        if (most and len(found) >= most) or (seconds and time.monotonic() - began > seconds):
            break
        found.append(examine(entry))
    return found


def examined_together(entries: Sequence[Entry]) -> list[ModelFile]:
    """All the files, in that order; by several processes where there are thousands, as decoding is all the work."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    workers = min(_MOST_PROCESSES, os.cpu_count() or 1)
    if len(entries) < _MANY or workers < 2:
        return examined(entries)
    shares = [entries[start : start + _SHARE] for start in range(0, len(entries), _SHARE)]
    try:  # not forked: there may be threads by now
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=gc.disable) as pool:
            return [one for share in pool.map(examined, shares) for one in share]
    except (OSError, RuntimeError, BrokenProcessPool):  # a system that allows no processes or semaphores
        return examined(entries)


def strays(root: str, models: str) -> list[str]:
    """Checkpoint-like files in places where people put them and Forge does not look: for who has no checkpoint.

    Source: reports of users; the folder names of ComfyUI; the one-click package, whose Forge lies in webui/.
    """
    above = Path(root).parent / "models"
    places = [
        Path(models) / one for one in ("checkpoints", "unet", "diffusion_models", "diffusers", "stable-diffusion")
    ]
    places += [above / "Stable-diffusion", above / "Stable-Diffusion", above, Path(models), Path(root)]
    found: dict[str, str] = {}
    ours = os.path.realpath(os.path.join(models, "Stable-diffusion"))
    for place in places:
        if os.path.realpath(place) == ours:
            continue
        for entry in _plain_files(place):
            if entry.name.lower().endswith((".ckpt", ".safetensors", ".gguf")):
                found.setdefault(os.path.realpath(entry.path), entry.path)
    return list(found.values())[:20]


def _plain_files(place: Path) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in os.scandir(place) if entry.is_file()]
    except OSError:
        return []


def is_pickle(file: ModelFile) -> bool:
    """Whether loading it runs what is written in it."""
    return file.format == PICKLE
