from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Finding, Fix, NotApplicable, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import called, commands, failing, marks, on_windows, only_with_cuda, told


@check("nvidia-no-permission", severity=ERROR, group="gpu")
def nvidia_no_permission(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """This user may not use the GPU.

    What happens: "Failed to initialize NVML: Insufficient Permissions"; torch sees no GPU, though it works for root.
    Why: /dev/nvidiactl and /dev/nvidia0 belong to a group that the user is not in.
    Fix: put the user into that group (video or render), and sign in again.
    Source: NVML (NoPermission); the driver's NVreg_DeviceFileMode.
    """
    if host.container:
        raise NotApplicable(t("container-lost-gpu speaks of containers"))
    only_with_cuda(launch)
    found = failing(gpus, nvml_errors.NO_PERMISSION)
    if not found:
        return
    card, error = found[0]
    yield Finding(
        t("This user may not use the {card}.", card=called(card))
        if card
        else t("This user may not use the NVIDIA GPU."),
        evidence=[told(error), *marks(gpus)],
        fixes=list(_fixes(host)),
        confidence=CERTAIN,
    )


def _fixes(host: Host) -> Iterator[Fix]:
    if on_windows(host):
        yield fixes.advise(t("Run it in the session of the user who is signed in at the screen, or as administrator"))
        return
    yield commands(t("See whose the device files are:"), ["ls -l /dev/nvidia*"], host, safety="safe")
    yield commands(
        t("Put yourself into that group, here video, then sign in again:"),
        ['sudo usermod -aG video "$USER"'],
        host,
        admin=True,
    )
