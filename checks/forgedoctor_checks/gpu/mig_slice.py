from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import GpuChoice, Gpus, Launch
from forgedoctor_checks.gpu._cards import called, commands, only_answered, only_with_cuda, relevant


@check("mig-slice", severity=INFO, group="gpu")
def mig_slice(gpus: Gpus, choice: GpuChoice | None, launch: Launch | None) -> Iterator[Finding]:
    """The GPU is divided (MIG), so Forge gets one part of it, or none.

    What happens: Forge sees one instance with its share of the memory; with MIG on and no instance made it sees no GPU.
    Why: MIG mode divides data centre cards into instances; CUDA uses one of them.
    Fix: choose the instance by its UUID, make a larger one, or turn MIG off.
    Source: NVIDIA, "Multi-Instance GPU User Guide".
    """
    only_answered(gpus)
    only_with_cuda(launch)
    for card in relevant(gpus, choice):
        if not card.mig:
            continue
        off = commands(
            t("Turn MIG off, with no program on the card (as administrator):"),
            [f"sudo nvidia-smi -i {card.index} -mig 0"],
            None,
            admin=True,
        )
        if not card.slices:
            yield Finding(
                t(
                    "MIG is on at the {card} and no instance is made or given, so CUDA sees no GPU there.",
                    card=called(card),
                ),
                fixes=[off, fixes.advise(t("Or make an instance: nvidia-smi mig -cgi 0 -C"))],
                severity=ERROR,
                confidence=CERTAIN,
            )
            continue
        shown = [
            Evidence(plain(f"{one.name} {one.uuid}: {one.total_mib or '?'} MiB"), "NVML") for one in card.slices[:7]
        ]
        largest = max(card.slices, key=lambda one: one.total_mib or 0)
        title = t("Choose an instance by its UUID, before Forge is started:")
        pick = commands(title, [f"export CUDA_VISIBLE_DEVICES={largest.uuid}"], None) if largest.uuid else None
        yield Finding(
            t(
                "The {card} is divided (MIG): Forge gets one instance, {size} MiB at most.",
                card=called(card),
                size=largest.total_mib or "?",
            ),
            evidence=shown,
            fixes=[one for one in (pick, off) if one],
            confidence=CERTAIN,
        )
