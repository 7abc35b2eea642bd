from __future__ import annotations

import os
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, Undecided, check, plain, t
from forgedoctor.facts import Host, Models
from forgedoctor.models import kinds
from forgedoctor_checks.models._files import into, move


@check("no-checkpoint", severity=ERROR, group="models")
def no_checkpoint(models: Models, host: Host | None) -> Iterator[Finding]:
    """There is no checkpoint in any folder where Forge looks for one.

    What happens: "You do not have any model!", or "No checkpoints found"; every generation fails.
    Why: a new installation has none; in the one-click package Forge lies in webui/, and the models folder beside it is
    not looked at; a file in a subfolder that ComfyUI uses, or with another ending, is not listed either.
    Fix: put a checkpoint (.safetensors, .gguf or .ckpt) into models/Stable-diffusion, or name the folder with --ckpt-dir.
    Source: modules/sd_models.py list_models, select_checkpoint.
    """
    if models.named:
        return
    if any(not one.renamed for one in models.of("checkpoint")):
        return
    if "checkpoint" in models.unseen:
        raise Undecided(t("not all files were looked at"), t("run: forgedoctor models"))
    looked = [one for one in models.folders if one.place == "checkpoint"]
    evidence = [
        Evidence(t("no checkpoint lies in it"), one.path) if one.exists else Evidence(t("it does not exist"), one.path)
        for one in looked
    ]
    if models.strays:
        evidence.append(Evidence(t("what may be one lies where Forge does not look"), models.strays[0]))
    yield Finding(
        t("Forge has no checkpoint: it cannot make an image."),
        evidence=evidence,
        fixes=list(_fixes(models, host)),
        severity=WARNING,  # it starts all the same, and a checkpoint may come later; a log that shows the error says error
        confidence=CERTAIN,
    )


def _fixes(models: Models, host: Host | None) -> Iterator[Fix]:
    folder = models.folder("checkpoint")
    for path in models.strays[:2]:
        target = os.path.join(folder, path.replace("\\", "/").rsplit("/", 1)[-1])
        yield move(t("Move it to where Forge looks:"), path, target, host)
    elsewhere = [one for one in models.of("lora", "vae", "text-encoder") if one.kind == kinds.CHECKPOINT and one.whole]
    for one in elsewhere[:2]:
        yield into(models, "checkpoint", one, t("{file} is a checkpoint; move it:", file=one.name), host)
    if not models.strays and not elsewhere:
        title = t("Put a checkpoint (.safetensors, .gguf or .ckpt) into this folder, then refresh the list:")
        yield Fix(title=title, steps=(fixes.manual(plain(folder)),), safety="needs-person")
