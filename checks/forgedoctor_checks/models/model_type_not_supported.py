from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, plain, t
from forgedoctor.facts import Host, Models
from forgedoctor.forge.flags import display_name
from forgedoctor.message import Message
from forgedoctor.models import families, kinds, lacks
from forgedoctor.models.scan import ModelFile
from forgedoctor_checks.models._files import MOST, into, is_chosen

_WHAT = {
    kinds.LORA: t("a LoRA"), kinds.VAE: t("a VAE"), kinds.ENCODER: t("a text encoder"),
    kinds.CONTROLNET: t("a ControlNet"), "control-lora": t("a control LoRA"), "t2i-adapter": t("a T2I adapter"),
    "ip-adapter": t("an IP adapter"), kinds.EMBEDDING: t("a textual inversion"),
}  # fmt: skip
_HOME = {
    kinds.LORA: "lora", kinds.VAE: "vae", kinds.ENCODER: "text-encoder", kinds.EMBEDDING: "embedding",
    kinds.CONTROLNET: "controlnet", "control-lora": "controlnet", "t2i-adapter": "controlnet", "ip-adapter": "controlnet",
}  # fmt: skip


@check("model-type-not-supported", severity=WARNING, group="models")
def model_type_not_supported(models: Models, host: Host | None) -> Iterator[Finding]:
    """A file in the list of checkpoints is none that this fork can load.

    What happens: "Failed to recognize model type!" when it is chosen, or an error about a missing text encoder.
    Why: it is a LoRA, a VAE or another part and lies in the wrong folder; or a model of an architecture that this fork has
    no engine for (newer ones, or ones it has dropped); or a GGUF file of a quantisation that it cannot decode; or it is
    in the layout of diffusers, which Forge does not read.
    Fix: move it to its folder, take another variant of the file, or use a fork that has that engine.
    Source: backend/loader.py, backend/diffusion_engine/*, backend/operations_gguf.py; the header of the file.
    """
    listed = sorted(models.of("checkpoint", ""), key=lambda one: not is_chosen(models, one))
    found = [made for one in listed if one.whole and not one.renamed for made in _judged(one, models, host)]
    yield from found[:MOST]


def _judged(one: ModelFile, models: Models, host: Host | None) -> Iterator[Finding]:
    if one.place == "checkpoint" and one.kind in _WHAT:
        title = t("Move it to its folder, then refresh the lists:")
        yield _finding(
            models, one, t("{file} is no checkpoint but {what}.", file=one.name, what=_WHAT[one.kind]),
            into(models, _HOME[one.kind], one, title, host),
        )  # fmt: skip
    elif one.place == "checkpoint" and one.kind == kinds.DIFFUSERS:
        yield _finding(
            models, one, t("{file} is in the layout of diffusers, which Forge does not read.", file=one.name),
            fixes.advise(t("Take the single-file variant of that model (the names in it begin otherwise)")),
        )  # fmt: skip
    elif one.kind == kinds.CHECKPOINT and families.loads(one.family, models.fork) is False:
        yield _no_engine(one, models)
    elif one.kind == kinds.CHECKPOINT and lacks.undecodable(one):
        types = ", ".join(lacks.undecodable(one))
        yield _finding(
            models, one, t("{file} holds {types} data, for which Forge has no decoder.", file=one.name, types=types),
            fixes.advise(t("Take the same model as Q4_K, Q5_K, Q6_K or Q8_0")),
        )  # fmt: skip


def _no_engine(one: ModelFile, models: Models) -> Finding:
    fork, family = display_name(models.fork), families.name_of(one.family)
    able = [display_name(name) for name in ("forge", "neo", "a1111") if families.loads(one.family, name)]
    fix = fixes.advise(t("This version cannot load it: look for one made for {fork}", fork=fork))
    if able:
        fix = fixes.advise(t("Use a fork that loads it: {forks}", forks=", ".join(able)))
    return _finding(
        models, one, t("{file} is {family}, which {fork} cannot load.", file=one.name, family=family, fork=fork), fix
    )  # fmt: skip


def _finding(models: Models, one: ModelFile, summary: Message, fix: Fix) -> Finding:
    told = plain(families.name_of(one.family)) if one.family else t("known by the names in its header")
    return Finding(
        summary,
        evidence=[Evidence(told, one.path)],
        fixes=[fix],
        severity=ERROR if is_chosen(models, one) else WARNING,
        confidence=CERTAIN if one.family and one.family.startswith("unknown") is False else LIKELY,
    )
