from __future__ import annotations

from collections.abc import Iterator

import msgspec

from forgedoctor import fixes
from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, MemorySettings, Models
from forgedoctor.memory.plan import plan
from forgedoctor_checks.memory._planned import evidence, planned

_SAVING = {
    "always_no_vram": "--always-no-vram",
    "always_low_vram": "--always-low-vram",
    "always_offload_from_vram": "--always-offload-from-vram",
    "vae_in_cpu": "--vae-in-cpu",
}


@check("memory-flag-slows", severity=WARNING, group="memory")
def memory_flag_slows(
    launch: Launch,
    models: Models,
    gpus: Gpus,
    choice: GpuChoice | None,
    host: Host | None,
    stored: MemorySettings | None,
) -> Iterator[Finding]:
    """A flag that saves memory makes everything slower on a card that does not need it.

    What happens: with --always-no-vram every weight is copied to the card for every step, with --always-low-vram the text
    encoders run on the processor, with --vae-in-cpu an image takes minutes to decode.
    Why: such flags are handed on from smaller cards and other programs. Without them Forge swaps by itself, only as much
    as it must.
    Fix: drop the flag.
    Source: backend/memory_management.py of Forge; planned with and without the flag.
    """
    given = [name for name in _SAVING if launch.given(name)]
    if not given:
        raise NotApplicable(t("no flag saves memory here"))
    of = planned(launch, models, gpus, choice, host, stored)
    flags = {name: value for name, value in of.made.ask.flags.items() if name not in _SAVING}
    without = plan(msgspec.structs.replace(of.made.ask, flags=flags))
    if without.decision != "full" or any(one.outcome != "ok" or one.warns for one in without.phases):
        return
    names = [_SAVING[name] for name in given]
    peak = Evidence(t("without it {peak} MiB are in use at the worst", peak=f"{without.peak_mib:.0f}"))
    yield Finding(
        t(
            "{flags} makes it slower for nothing: {model} fits on the card without it.",
            flags=", ".join(names),
            model=of.model,
        ),
        evidence=[*evidence(of)[:1], peak],
        fixes=[fixes.change_flags(launch, drop=names)],
        confidence=LIKELY,
    )
