from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.facts.gpu import Card, DriverError
from forgedoctor.gpu import nvml_errors as codes
from forgedoctor_checks.gpu._cards import called, commands, marks, on_windows, only_with_cuda, told

# Those that have a check of their own, or say nothing about the GPU.
_ELSEWHERE = {
    codes.NO_BINDING, codes.HANGS, codes.NO_PERMISSION, codes.POWER, codes.NOT_LOADED, codes.NO_LIBRARY, codes.LOST,
    codes.RESET, codes.MISMATCH, codes.NOT_SUPPORTED, codes.NO_FUNCTION, 28,
}  # fmt: skip


@check("nvidia-driver-fails", severity=ERROR, group="gpu")
def nvidia_driver_fails(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The NVIDIA driver fails, for a reason that it hardly tells.

    What happens: nvidia-smi says "Unknown Error" or the like; torch sees no GPU, or fails at its first use.
    Why: the driver crashed, or does not get along with the card, the kernel or the firmware.
    Fix: restart the machine; then install the driver again.
    Source: NVML's error codes.
    """
    only_with_cuda(launch)
    found: list[tuple[Card | None, DriverError]] = [(one, one.error) for one in gpus.cards if one.error]
    found = [(None, gpus.error), *found] if gpus.error else found
    here = [(card, error) for card, error in found if error.code not in _ELSEWHERE]
    if not here or (host.container and here[0][1].code == codes.UNKNOWN and _has_nodes(gpus)):
        return  # container-lost-gpu
    card, error = here[0]
    yield Finding(
        t("The NVIDIA driver fails: {meaning}.", meaning=error.meaning)
        if card is None
        else t("The NVIDIA driver fails at the {card}: {meaning}.", card=called(card), meaning=error.meaning),
        evidence=[
            told(error),
            *([Evidence(t("driver {version}", version=gpus.driver), "NVML")] if gpus.driver else []),
            *marks(gpus),
        ],
        fixes=list(_fixes(host)),
        confidence=LIKELY,
    )


def _has_nodes(gpus: Gpus) -> bool:
    return bool(gpus.signs and any(node.startswith("/dev/nvidia") for node in gpus.signs.nodes))


def _fixes(host: Host) -> Iterator[Fix]:
    if not on_windows(host):
        lines = ["sudo dmesg | grep -iE 'nvrm|xid' | tail -20"]
        yield commands(t("See what the kernel says of it:"), lines, host, admin=True, safety="safe")
    yield fixes.advise(t("Restart the machine"))
    yield fixes.advise(t("If it stays so, install the NVIDIA driver again"))
