from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Models
from forgedoctor.models import families, kinds
from forgedoctor.models.scan import ModelFile
from forgedoctor_checks.models._files import MOST, into, shown

# Where a kind belongs, and the other places whose lists are of no use to it.
_BELONGS: dict[str, tuple[str, tuple[str, ...]]] = {
    kinds.CHECKPOINT: ("checkpoint", ("lora", "controlnet", "embedding", "vae", "text-encoder")),
    kinds.LORA: ("lora", ("embedding", "vae", "text-encoder")),
    kinds.VAE: ("vae", ("lora", "embedding")),
    kinds.ENCODER: ("text-encoder", ("lora", "embedding")),
}


@check("model-in-wrong-folder", severity=WARNING, group="models")
def model_in_wrong_folder(models: Models, host: Host | None) -> Iterator[Finding]:
    """A model file lies in a folder whose list is for files of another kind.

    What happens: it is offered where it does nothing or fails, and is missing where it would work.
    Why: the sites offer all kinds under the same ending, and the name tells nothing.
    Fix: move it to the folder of its kind. (Other kinds among the checkpoints: model-type-not-supported.)
    Source: the names of the tensors in its header.
    """
    found = [one for one in models.files if one.whole and not one.renamed and _misplaced(one)]
    for one in found[:MOST]:
        home = _BELONGS[one.kind][0]
        what = {
            kinds.CHECKPOINT: t("a checkpoint"),
            kinds.LORA: t("a LoRA"),
            kinds.VAE: t("a VAE"),
            kinds.ENCODER: t("a text encoder"),
        }
        yield Finding(
            t("{file} is {what} and lies in another kind's folder.", file=one.name, what=what[one.kind]),
            evidence=[
                Evidence(t("its header says {family}", family=families.name_of(one.family) or one.kind), one.path)
            ],
            fixes=[into(models, home, one, t("Move it to its folder, then refresh the lists:"), host)],
            confidence=CERTAIN,
        )
    if len(found) > MOST:
        rest = found[MOST:]
        yield Finding(t("{count} more lie in another kind's folder: {files}.", count=len(rest), files=shown(rest)))


def _misplaced(one: ModelFile) -> bool:
    return one.kind in _BELONGS and one.place in _BELONGS[one.kind][1]
