from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, LIKELY, Finding, Fix, NotApplicable, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, failing, marks, only_with_cuda, told


@check("container-lost-gpu", severity=ERROR, group="gpu")
def container_lost_gpu(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The container may no longer use its GPU.

    What happens: "Failed to initialize NVML: Unknown Error"; CUDA finds no device although it worked before.
    Why: systemd on the host reloaded its units (an update does that) and took the device rights away which the
    container's control group had been given.
    Fix: start the container again. To keep it from coming back: name each device with --device, or let Docker use
    cgroupfs.
    Source: NVIDIA/nvidia-docker issue 1730, NVIDIA/nvidia-container-toolkit issue 48.
    """
    if not host.container:
        raise NotApplicable(t("this is no container"))
    only_with_cuda(launch)
    found = failing(gpus, nvml_errors.UNKNOWN, nvml_errors.NO_PERMISSION)
    signs = gpus.signs
    if not found or not signs or not any(node.startswith("/dev/nvidia") for node in signs.nodes):
        return
    yield Finding(
        t("This container may no longer use its GPU."),
        evidence=[told(found[0][1]), *marks(gpus)],
        fixes=list(_fixes()),
        confidence=CERTAIN if signs.closed else LIKELY,
    )


def _fixes() -> Iterator[Fix]:
    yield commands(t("On the host, start the container again:"), ["docker restart CONTAINER"], None)
    line = "docker run --gpus all --device /dev/nvidia0 --device /dev/nvidiactl --device /dev/nvidia-uvm --device /dev/nvidia-modeset ..."
    yield commands(t("So that it does not come back, name the devices when the container is made:"), [line], None)
