from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host
from forgedoctor_checks.gpu._cards import called, only_answered, relevant

_FEW = 4
# GB/s of one lane and direction, by generation. Source: PCI Express specifications, after encoding.
_LANE = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.97, 5: 3.94, 6: 7.56}


@check("pcie-width-reduced", severity=INFO, group="gpu")
def pcie_width_reduced(gpus: Gpus, choice: GpuChoice | None, host: Host | None) -> Iterator[Finding]:
    """The GPU is attached by few PCI Express lanes.

    What happens: models load slowly, and one that does not fit into the GPU's memory is swapped slowly; what fits runs
    at full speed.
    Why: a slot with few lanes, a riser or adapter, an M.2 or Thunderbolt box, a contact that is dirty.
    Fix: the slot next to the processor; press the card home. Or choose a model that fits.
    Source: NVML (nvmlDeviceGetCurrPcieLinkWidth); the generation is lower while a card idles, so it is not judged.
    """
    only_answered(gpus)
    if host and host.wsl:
        return  # a virtual bus
    for card in relevant(gpus, choice):
        link = card.link
        if not link.width or not link.max_width or link.width > _FEW:
            continue
        lane = _LANE.get(link.max_generation or 0)
        evidence = [
            Evidence(t("{width} lanes now, {most} at most in this slot", width=link.width, most=link.max_width), "NVML")
        ]
        if lane:
            rate = round(lane * link.width, 1)
            evidence.append(Evidence(t("at most {rate} GB/s when a model is moved or swapped", rate=rate)))
        if link.width < link.max_width:
            summary = t(
                "The {card} uses {width} of {most} PCI Express lanes.",
                card=called(card),
                width=link.width,
                most=link.max_width,
            )
            fix = fixes.advise(
                t("With the machine off, take the card out, clean its contacts, press it home; drop the riser")
            )
        else:
            summary = t(
                "The {card} is attached by {width} PCI Express lanes only.", card=called(card), width=link.width
            )
            fix = fixes.advise(
                t(
                    "Use the slot next to the processor, if there is a wider one; or models that fit into the GPU's memory"
                )
            )
        yield Finding(summary, evidence=evidence, fixes=[fix], confidence=LIKELY)
