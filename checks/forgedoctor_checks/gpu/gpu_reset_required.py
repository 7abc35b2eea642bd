from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Finding, Fix, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import called, commands, failing, on_windows, only_with_cuda, told


@check("gpu-reset-required", severity=ERROR, group="gpu")
def gpu_reset_required(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """A GPU must be reset after an error before it computes again.

    What happens: every CUDA program fails on that card.
    Why: an error that cannot be corrected, mostly of its memory, stopped it.
    Fix: restart the machine, or reset the card with nothing running on it.
    Source: NVML (ResetRequired).
    """
    only_with_cuda(launch)
    for card, error in failing(gpus, nvml_errors.RESET)[:1]:
        yield Finding(
            t("The {card} must be reset after an error before it computes again.", card=called(card)),
            evidence=[told(error)],
            fixes=list(_fixes(host, card.index if card else 0)),
            confidence=CERTAIN,
        )


def _fixes(host: Host, index: int) -> Iterator[Fix]:
    yield fixes.advise(t("Restart the machine"))
    if not on_windows(host) and not host.container and not host.wsl:
        line = f"sudo nvidia-smi --gpu-reset -i {index}"
        yield commands(t("Or, with no program on the card, reset it:"), [line], host, admin=True)
