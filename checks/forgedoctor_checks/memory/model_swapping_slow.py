from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import INFO, LIKELY, WARNING, Finding, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, MemorySettings, Models
from forgedoctor_checks.memory._planned import evidence, planned, remedies


@check("model-swapping-slow", severity=INFO, group="memory")
def model_swapping_slow(
    launch: Launch,
    models: Models,
    gpus: Gpus,
    choice: GpuChoice | None,
    host: Host | None,
    stored: MemorySettings | None,
) -> Iterator[Finding]:
    """Part of the model stays in main memory and is copied to the card at every step.

    What happens: the log says "CPU Swap Loaded (blocked method): … MB" and steps take longer than on a larger card; with
    several models taking turns "Moving model(s) has taken …" stands before every image.
    Why: the model, with what is kept for computing, is larger than the memory that is free on the card. It works; a copy
    of 1000 MiB takes about 0.1 s over PCIe 3.0 x16 and twice that over x8.
    Fix: a smaller precision of the same model is the change that helps most; --medvram does nothing in Forge.
    Source: backend/memory_management.py of Forge; "forgedoctor fit" shows the numbers.
    """
    of = planned(launch, models, gpus, choice, host, stored)
    fit = of.made.fit
    if of.made.decision != "swap" or fit is None or fit.swap_mib < 1:
        return
    share = fit.swap_mib / (fit.swap_mib + fit.gpu_mib)
    template = "{swap} of the {total} MiB of {model} do not fit on the card and are copied at every step."
    said = t(template, swap=f"{fit.swap_mib:.0f}", total=f"{fit.swap_mib + fit.gpu_mib:.0f}", model=of.model)
    yield Finding(
        said,
        evidence=evidence(of),
        fixes=remedies(of, launch),
        severity=WARNING if share > 0.5 else INFO,
        confidence=LIKELY,
    )
