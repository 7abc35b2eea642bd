from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import GpuChoice, Gpus
from forgedoctor.facts.gpu import Card
from forgedoctor_checks.gpu._cards import called, only_answered, relevant

_HEAT = {"software-thermal", "hardware-thermal"}


@check("gpu-throttled", severity=WARNING, group="gpu")
def gpu_throttled(gpus: Gpus, choice: GpuChoice | None) -> Iterator[Finding]:
    """The GPU slows itself down: it is too hot, or its power supply tells it to.

    What happens: images take much longer than they did, most of all after some minutes of work.
    Why: dust, a fan that stands still, thermal paste; "power brake" comes from the power supply or the machine. That a
    card stays below its power limit is normal, and not reported.
    Fix: clean it, give it air, lower its power limit a little.
    Source: NVML (nvmlDeviceGetCurrentClocksEventReasons).
    """
    only_answered(gpus)
    for card in relevant(gpus, choice):
        reasons = set(card.reasons or ())
        summary = _summary(card, reasons)
        if summary is None:
            continue
        evidence = [Evidence(t("the driver's reasons: {reasons}", reasons=", ".join(sorted(reasons))), "NVML")]
        if card.power is not None and card.power_limit is not None:
            evidence.append(Evidence(t("{power} W of {limit} W", power=card.power, limit=card.power_limit), "NVML"))
        yield Finding(summary, evidence=evidence, fixes=list(_fixes(card, reasons)), confidence=CERTAIN)


def _summary(card: Card, reasons: set[str]) -> Message | None:
    if reasons & _HEAT:
        if card.temperature is None:
            return t("The {card} is too hot and slows itself down.", card=called(card))
        return t(
            "The {card} is too hot ({degrees} °C) and slows itself down.", card=called(card), degrees=card.temperature
        )
    if "power-brake" in reasons:
        return t("The power supply slows the {card} down (power brake).", card=called(card))
    if "hardware-slowdown" in reasons:
        return t("The {card} protects itself and runs at half speed or less (hardware slowdown).", card=called(card))
    return None


def _fixes(card: Card, reasons: set[str]) -> Iterator[Fix]:
    if not reasons & _HEAT:
        yield fixes.advise(t("Look at the power supply and at the card's power cables"))
    yield fixes.advise(t("Clean the card and the case, see that its fans turn, give it air"))
    if card.power_limit:
        lower = int(card.power_limit * 0.8)
        title = t("Lower its power limit by a fifth until the next start; that costs little speed (as administrator):")
        yield fixes.paste(title, f"nvidia-smi -i {card.index} -pl {lower}", needs_admin=True,
                          undo=plain(f"nvidia-smi -i {card.index} -pl {int(card.power_limit)}"))  # fmt: skip
