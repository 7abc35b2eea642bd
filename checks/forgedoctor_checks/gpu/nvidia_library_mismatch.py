from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Finding, Fix, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, marks, on_windows, only_with_cuda, told


@check("nvidia-library-mismatch", severity=ERROR, group="gpu")
def nvidia_library_mismatch(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The NVIDIA driver was updated while it was running: its library and its kernel part differ.

    What happens: nvidia-smi says "Driver/library version mismatch"; every new program fails to use CUDA, while those
    that already ran go on.
    Why: an update replaced the libraries; the old kernel module stays loaded until the machine restarts.
    Fix: restart the machine; a container must be started again after that.
    Source: NVML (LibRmVersionMismatch).
    """
    only_with_cuda(launch)
    if not gpus.error or gpus.error.code != nvml_errors.MISMATCH:
        return
    yield Finding(
        t("The NVIDIA driver was updated while it was running: its library and its kernel part differ."),
        evidence=[told(gpus.error), *marks(gpus)],
        fixes=list(_fixes(host)),
        confidence=CERTAIN,
    )


def _fixes(host: Host) -> Iterator[Fix]:
    if host.container:
        yield fixes.advise(t("Restart the host, then start the container again; it gets the host's new libraries"))
    elif on_windows(host) or host.wsl:
        yield fixes.advise(t("Restart Windows"))
    else:
        yield commands(t("Restart the machine:"), ["sudo reboot"], host, admin=True, safety="needs-person")
        lines = ["sudo rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia", "sudo modprobe nvidia"]
        yield commands(
            t("Or, with no desktop and no program on the card, load the module again:"), lines, host, admin=True
        )
