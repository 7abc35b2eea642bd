from __future__ import annotations

from collections.abc import Iterator

import msgspec

from forgedoctor.check import LIKELY, WARNING, Finding, NotApplicable, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, MemorySettings, Models
from forgedoctor.memory.advice import cost
from forgedoctor.memory.arithmetic import RESERVE, WARNED_BELOW
from forgedoctor.memory.plan import plan
from forgedoctor_checks.memory._planned import evidence, planned, weights_fix


@check("gpu-weights-too-high", severity=WARNING, group="memory", explains=["vram-oom", "sysmem-fallback-slow"])
def gpu_weights_too_high(
    launch: Launch,
    models: Models,
    gpus: Gpus,
    choice: GpuChoice | None,
    host: Host | None,
    stored: MemorySettings | None,
) -> Iterator[Finding]:
    """ "GPU Weights" leaves too little of the card for computing.

    What happens: "[Low GPU VRAM Warning]" at every step, out of memory, or on Windows a crawl without any error, although
    a lower value of the slider would do.
    Why: the slider says how much of the card weights may take; the rest (forge_inference_memory) is for computing.
    Fix: lower GPU Weights; through the API post forge_inference_memory to /sdapi/v1/options, not in override_settings.
    Source: modules_forge/main_entry.py and backend/memory_management.py of Forge.
    """
    of = planned(launch, models, gpus, choice, host, stored)
    reserve = of.made.ask.reserve
    if reserve >= RESERVE:
        raise NotApplicable(t("no less than usual is kept for computing"))
    better = [plan(msgspec.structs.replace(of.made.ask, reserve=value)) for value in (RESERVE, WARNED_BELOW)]
    trouble = any(one.warns or one.outcome in ("oom", "slow", "tight") for one in of.made.phases)
    best = min(better, key=cost)
    if not trouble or cost(best) >= cost(of.made):
        return
    template = "GPU Weights leaves only {reserve} MB for computing, too little for {model}."
    yield Finding(
        t(template, reserve=f"{reserve:.0f}", model=of.model),
        evidence=evidence(of),
        fixes=[weights_fix(best.ask.reserve, of.made.ask.card)],
        confidence=LIKELY,
    )
