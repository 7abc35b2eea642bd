"""What a checkpoint needs beside itself, which files at hand would give it, and which do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forgedoctor.models import families, gguf, kinds
from forgedoctor.models.scan import ModelFile


def lacking(file: ModelFile, modules: Iterable[ModelFile] = ()) -> tuple[str, ...]:
    """The parts that a checkpoint needs and neither it nor these modules hold, text encoders first; a VAE by its kind
    (vae_4ch, vae_16ch). Empty for a family whose needs are not known."""
    if file.kind != kinds.CHECKPOINT:
        return ()
    encoders, vae = families.needs(file.family)
    given = {one.family for one in modules if one.kind in (kinds.VAE, kinds.ENCODER)}
    any_vae = any(one.kind == kinds.VAE for one in modules)
    missing = [part for part in encoders if part not in file.bundled and part not in given]
    if vae and "vae" not in file.bundled and vae not in given and not any_vae:
        missing.append(vae)
    return tuple(missing)


def fitting(part: str, files: Iterable[ModelFile]) -> list[ModelFile]:
    """The whole files among these that are such a part, the smallest first."""
    found = [one for one in files if one.whole and not one.renamed and one.kind in (kinds.VAE, kinds.ENCODER)]
    return sorted((one for one in found if one.family == part), key=lambda one: one.size)


def clashing(file: ModelFile, modules: Sequence[ModelFile]) -> list[ModelFile]:
    """The VAEs among the modules that this checkpoint cannot take in: another number of latent channels."""
    _, vae = families.needs(file.family)
    return [one for one in modules if vae and one.kind == kinds.VAE and one.family != vae]


def undecodable(file: ModelFile) -> tuple[str, ...]:
    """The types of a GGUF file for which Forge has no decoder: it takes their bytes for numbers, or stops."""
    if file.format != "gguf":
        return ()
    used = {name for part in file.parts for name in part.dtypes}
    return tuple(sorted(used - gguf.DECODED))
