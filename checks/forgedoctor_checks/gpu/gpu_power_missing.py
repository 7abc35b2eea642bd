from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Finding, check, t
from forgedoctor.facts import Gpus, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import called, failing, only_with_cuda, told


@check("gpu-power-missing", severity=ERROR, group="gpu")
def gpu_power_missing(gpus: Gpus, launch: Launch | None) -> Iterator[Finding]:
    """A power plug of the GPU is missing or loose.

    What happens: the driver refuses the card; the screen may still show a picture.
    Why: the card needs more power than the slot gives, and misses its own cable.
    Fix: with the machine off, press every plug of the card home, or add the one that is missing.
    Source: NVML (InsufficientPower).
    """
    only_with_cuda(launch)
    for card, error in failing(gpus, nvml_errors.POWER)[:1]:
        yield Finding(
            t("A power plug of the {card} is missing or loose.", card=called(card)),
            evidence=[told(error)],
            fixes=[
                fixes.advise(
                    t("Switch the machine off, press every power plug of the card home, add any that is missing")
                )
            ],
            confidence=CERTAIN,
        )
