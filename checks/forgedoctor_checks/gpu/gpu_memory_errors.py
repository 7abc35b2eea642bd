from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Finding, Message, Severity, check, t
from forgedoctor.facts import GpuChoice, Gpus, Host
from forgedoctor.facts.gpu import Card
from forgedoctor_checks.gpu._cards import called, commands, on_windows, only_answered, relevant


@check("gpu-memory-errors", severity=WARNING, group="gpu")
def gpu_memory_errors(gpus: Gpus, choice: GpuChoice | None, host: Host | None) -> Iterator[Finding]:
    """The GPU's memory had errors that could not be corrected.

    What happens: wrong images, "CUDA error: uncorrectable ECC error encountered", programs that die.
    Why: a memory cell that fails. The card sets it aside at its next reset; where it has no spare rows left, it must be
    replaced.
    Fix: restart the machine; if it comes back, have the card replaced.
    Source: NVML (ECC counters since the driver was loaded, remapped rows). Only cards with ECC tell.
    """
    only_answered(gpus)
    for card in relevant(gpus, choice):
        worst = _worst(card)
        if worst is None:
            continue
        summary, severity = worst
        made = [fixes.advise(t("Restart the machine"))]
        if card.remap_failed:
            made = [fixes.advise(t("Have the card replaced; until then use another"))]
        elif not on_windows(host) and not (host and (host.container or host.wsl)):
            made.append(
                commands(
                    t("Or, with no program on the card, reset it:"),
                    [f"sudo nvidia-smi --gpu-reset -i {card.index}"],
                    host,
                    admin=True,
                )
            )
        yield Finding(summary, fixes=made, severity=severity, confidence=CERTAIN)


def _worst(card: Card) -> tuple[Message, Severity] | None:
    if card.remap_failed:
        return t("The memory of the {card} fails, and it has no spare rows left.", card=called(card)), ERROR
    if card.remap_pending:
        return t("The {card} found failing memory, and sets it aside at its next reset.", card=called(card)), WARNING
    if card.uncorrected:
        template = (
            "The memory of the {card} had {count} errors that could not be corrected since the driver was loaded."
        )
        return t(template, card=called(card), count=card.uncorrected), WARNING
    return None
