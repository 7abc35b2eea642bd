from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import ERROR, LIKELY, POSSIBLE, WARNING, Finding, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, MemorySettings, Models
from forgedoctor_checks.memory._planned import evidence, planned, remedies


@check("vram-oom", severity=ERROR, group="memory")
def vram_oom(
    launch: Launch,
    models: Models,
    gpus: Gpus,
    choice: GpuChoice | None,
    host: Host | None,
    stored: MemorySettings | None,
) -> Iterator[Finding]:
    """The job needs more memory than the card has.

    What happens: "CUDA out of memory. Tried to allocate …" ends the image. Where the VAE alone runs out, Forge goes on in
    tiles; where the denoiser or a text encoder does, it does not. On Windows the driver moves the rest into main memory
    instead, without an error, and the image takes many times longer.
    Why: Forge swaps weights that do not fit, yet what computing takes must fit: it grows with the image's area and with
    the batch. --always-high-vram and --always-gpu switch the swapping off.
    Fix: smaller images or batches, a smaller precision of the model, more memory kept for computing; each fix is planned
    again with Forge's own arithmetic before it is told.
    Source: backend/memory_management.py of Forge; "forgedoctor fit" shows the numbers.
    """
    of = planned(launch, models, gpus, choice, host, stored)
    failed = next((one for one in of.made.phases if one.outcome in ("oom", "slow")), None)
    if failed is None:
        return
    free = of.made.ask.free or 0.0
    name = {"denoiser": t("denoiser"), "vae": t("VAE")}.get(failed.name, t("text encoders"))
    template = "The card is too small for {model} as it is set: the {phase} needs {peak} MiB and about {free} are free."
    # A published peak is met within 20 %, so a narrow miss is no more than possible.
    clear = failed.peak_mib > 1.2 * free
    yield Finding(
        t(template, model=of.model, phase=name, peak=f"{failed.peak_mib:.0f}", free=f"{free:.0f}"),
        evidence=evidence(of),
        fixes=remedies(of, launch),
        severity=ERROR if clear and failed.outcome == "oom" else WARNING,
        confidence=LIKELY if clear else POSSIBLE,
        explains=("sysmem-fallback-slow",) if failed.outcome == "slow" else (),
    )
