from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Finding, Fix, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import called, commands, failing, on_windows, only_with_cuda, told


@check("gpu-lost", severity=ERROR, group="gpu", explains=["nvidia-driver-hangs"])
def gpu_lost(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """A GPU has fallen off the bus: the machine no longer reaches it.

    What happens: "GPU is lost", "CUDA error: unspecified launch failure" in the middle of an image, Xid 79 in the log.
    Why: too little power, heat, a riser or slot with bad contact, a card that is breaking; overclocking.
    Fix: restart the machine; if it comes back, look at the power cables, the riser and the temperature.
    Source: NVML (GpuIsLost); NVIDIA's table of Xid errors.
    """
    only_with_cuda(launch)
    for card, error in failing(gpus, nvml_errors.LOST)[:1]:
        yield Finding(
            t("The {card} has fallen off the bus: the machine no longer reaches it.", card=called(card)),
            evidence=[told(error)],
            fixes=list(_fixes(host)),
            confidence=CERTAIN,
        )


def _fixes(host: Host) -> Iterator[Fix]:
    if not on_windows(host):
        yield commands(
            t("See what the kernel says of it:"), ["sudo dmesg | grep -i xid"], host, admin=True, safety="safe"
        )
    yield fixes.advise(t("Switch the machine off and on again (a restart may not be enough)"))
    yield fixes.advise(
        t(
            "If it comes back: plug each power cable of the card into a cable of its own, drop the riser, undo any overclocking, look at the temperature"
        )
    )
