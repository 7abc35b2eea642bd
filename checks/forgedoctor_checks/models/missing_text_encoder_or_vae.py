from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, NotApplicable, check, t
from forgedoctor.facts import Models
from forgedoctor.models import families, lacks
from forgedoctor.models.scan import MODULES, ModelFile
from forgedoctor_checks.models._files import MOST


@check("missing-text-encoder-or-vae", severity=WARNING, group="models", forks=["forge", "neo"])
def missing_text_encoder_or_vae(models: Models) -> Iterator[Finding]:
    """A checkpoint lacks text encoders or a VAE, and they are not chosen beside it.

    What happens: "You do not have CLIP state dict!", "You do not have T5 state dict!", "You do not have VAE state dict!",
    or 'assert isinstance(state_dict, dict)'; without a VAE sometimes a black image.
    Why: files of FLUX, Chroma and SD3 often hold the denoiser only. The text encoders and the VAE are files of their own
    and are chosen under "VAE / Text Encoder" (through the API: forge_additional_modules, with full paths).
    Fix: put the missing files into models/text_encoder and models/VAE, and choose them.
    Source: backend/loader.py (a part counts from 17 tensors on); the headers of the files.
    """
    if models.named:
        raise NotApplicable(t("no Forge folder was looked at"))
    parts = [one for one in models.of(*MODULES) if one.whole]
    chosen = models.checkpoint
    if chosen and _usable(chosen, models.fork):
        missing = lacks.lacking(chosen, models.chosen_modules)
        if missing and _all_seen(models):
            yield _of_chosen(chosen, missing, parts)
    if set(models.unseen) & set(MODULES):
        return  # what is needed may be among the files that were not looked into
    others = [one for one in models.of("checkpoint") if one is not chosen and _usable(one, models.fork)]
    told: set[tuple[str, ...]] = {_nowhere_to_be_had(chosen, parts)} if chosen else set()
    for one in others:
        without = _nowhere_to_be_had(one, parts)
        if without and without not in told and len(told) < MOST:
            told.add(without)
            yield _nowhere(one, without)


def _usable(one: ModelFile, fork: str) -> bool:
    loads = families.loads(one.family, fork) is not False and not lacks.undecodable(one)
    return one.whole and not one.renamed and loads


def _nowhere_to_be_had(one: ModelFile, parts: list[ModelFile]) -> tuple[str, ...]:
    return tuple(part for part in lacks.lacking(one) if not lacks.fitting(part, parts))


def _all_seen(models: Models) -> bool:
    """Whether every chosen module was looked into: one elsewhere may be just what is needed, and so may a pickle."""
    seen = models.chosen_modules
    return len(seen) == len(models.modules) and all(one.kind or not one.whole for one in seen)


def _names(parts: Sequence[str]) -> str:
    return ", ".join(families.name_of(part) for part in parts)


def _of_chosen(one: ModelFile, missing: tuple[str, ...], parts: list[ModelFile]) -> Finding:
    at_hand = {part: lacks.fitting(part, parts) for part in missing}
    have = [found[0] for found in at_hand.values() if found]
    return Finding(
        t(
            "The chosen checkpoint {file} lacks {parts}, and nothing that is chosen has it.",
            file=one.name,
            parts=_names(missing),
        ),
        evidence=[
            Evidence(
                t("it is {family} and holds {held}", family=families.name_of(one.family), held=_held(one)), one.path
            )
        ],
        fixes=list(_fixes(one, have, [part for part, found in at_hand.items() if not found])),
        severity=ERROR,
        confidence=CERTAIN,
    )


def _held(one: ModelFile) -> str:
    return ", ".join(families.name_of(name) for name in ("denoiser", *one.bundled))


def _fixes(one: ModelFile, have: list[ModelFile], lacking: list[str]) -> Iterator[Fix]:
    yield from _to_fetch(one, lacking)
    if have:
        names = ", ".join(each.name for each in have)
        yield fixes.advise(
            t(
                'Choose {names} under "VAE / Text Encoder"; through the API set forge_additional_modules to their full paths',
                names=names,
            )
        )


def _to_fetch(one: ModelFile, missing: Sequence[str]) -> Iterator[Fix]:
    """Encoders and VAE have each their folder; the usual names help to find them."""
    for place, wanted in (
        ("text_encoder", [p for p in missing if "vae" not in p]),
        ("VAE", [p for p in missing if "vae" in p]),
    ):
        if not wanted:
            continue
        usual = families.usual_files(one.family, wanted)
        title = t("Download {parts} into models/{place}, then choose it", parts=_names(wanted), place=place)
        if usual:
            title = t(
                "Download {parts} (usually called {files}) into models/{place}, then choose it",
                parts=_names(wanted), place=place, files=", ".join(usual),
            )  # fmt: skip
        yield fixes.advise(title)


def _nowhere(one: ModelFile, without: tuple[str, ...]) -> Finding:
    return Finding(
        t("{file} needs {parts}, and none of your folders has it.", file=one.name, parts=_names(without)),
        evidence=[
            Evidence(
                t("it is {family} and holds {held}", family=families.name_of(one.family), held=_held(one)), one.path
            )
        ],
        fixes=list(_to_fetch(one, without)),
        severity=WARNING,
        confidence=CERTAIN,
    )
