from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, Fix, NotApplicable, Undecided, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, marks, only_with_cuda, told

_GUIDE = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"


@check("container-without-gpu", severity=ERROR, group="gpu")
def container_without_gpu(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The container was started without access to the GPU.

    What happens: "Found no NVIDIA driver on your system", or torch.cuda.is_available() is False, in the container only.
    Why: a container sees no GPU unless it is started with one and the host has the NVIDIA Container Toolkit.
    Fix: --gpus all (Docker), --device nvidia.com/gpu=all (Podman), a limit nvidia.com/gpu (Kubernetes).
    Source: NVIDIA Container Toolkit documentation.
    """
    if not host.container:
        raise NotApplicable(t("this is no container"))
    only_with_cuda(launch)
    if not gpus.error or gpus.error.code not in (nvml_errors.NO_LIBRARY, nvml_errors.NOT_LOADED, 28):
        return
    signs = gpus.signs
    loaded = bool(signs and (signs.module or "nvidia" in signs.modules))
    if gpus.adapters is not None and not gpus.of_vendor("nvidia") and not loaded and not host.wsl:
        return  # no-nvidia-gpu says it
    given = bool(signs and any(node.startswith("/dev/nvidia") and node[11:].isdigit() for node in signs.nodes))
    if given and signs and signs.cuda:
        raise Undecided(
            t("the container has the GPU and CUDA, yet not the library that would tell about it (NVML)"),
            t("start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
        )
    evidence = [told(gpus.error), *marks(gpus)]
    evidence += [
        Evidence(t("{name} is {value}", name=name, value=f'"{value}"'), "environment")
        for name, value in (signs.variables if signs else {}).items()
    ]
    if given:
        summary = t("This container has the GPU's device, and not the driver's libraries.")
    else:
        summary = t("This container was started without a GPU.")
    yield Finding(summary, evidence=evidence, fixes=_fixes(host, given), confidence=LIKELY)


def _fixes(host: Host, given: bool) -> list[Fix]:
    if given:
        line = "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility ..."
        return [commands(t("Start the container with the driver's libraries:"), [line], None)]
    if host.container == "podman":
        line = "podman run --device nvidia.com/gpu=all ..."
    elif host.container == "kubernetes":
        return [fixes.advise(t('Ask for a GPU in the container\'s resources: limits: {{"nvidia.com/gpu": 1}}'))]
    else:
        line = "docker run --gpus all ..."
    return [
        commands(
            t("Start the container with the GPU (for Compose: deploy.resources.reservations.devices):"), [line], None
        ),
        fixes.advise(t("If that is refused, install the NVIDIA Container Toolkit on the host: {url}", url=_GUIDE)),
    ]
