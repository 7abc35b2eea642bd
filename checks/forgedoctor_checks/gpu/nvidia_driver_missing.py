from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, NotApplicable, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.facts.gpu import Adapter
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import marks, on_windows, only_with_cuda, told

_URL = "https://www.nvidia.com/drivers"


@check("nvidia-driver-missing", severity=ERROR, group="gpu")
def nvidia_driver_missing(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """There is an NVIDIA card, and no NVIDIA driver, or only half of one.

    What happens: "Found no NVIDIA driver on your system"; torch sees no GPU.
    Why: the system's own driver (Microsoft's basic one, nouveau) shows pictures, and cannot compute. On Linux the
    libraries may also lie where the loader does not look.
    Fix: install NVIDIA's driver, then restart the machine.
    Source: NVML (LibraryNotFound); /sys/bus/pci, the registry.
    """
    if host.container or host.wsl or host.system == "macos":
        raise NotApplicable(t("the driver is the host's"))
    only_with_cuda(launch)
    if not gpus.error or gpus.error.code != nvml_errors.NO_LIBRARY:
        return
    cards = gpus.of_vendor("nvidia")
    loaded = bool(gpus.signs and gpus.signs.module)
    if not cards and not loaded:
        return
    if loaded:
        summary = t("The NVIDIA kernel driver is loaded, and its libraries are not found.")
    elif any(one.driver == "vfio-pci" for one in cards):
        summary = t("The NVIDIA card is set aside for a virtual machine (vfio-pci), so nothing here can use it.")
    elif on_windows(host) and not any(one.name for one in cards):
        summary = t("No NVIDIA driver is installed, and an NVIDIA card is or was in this machine.")
    else:
        summary = t("There is an NVIDIA card in this machine, and no working NVIDIA driver.")
    yield Finding(
        summary,
        evidence=[told(gpus.error), *(_listed(one) for one in cards[:4]), *marks(gpus)],
        fixes=[_fix(host, loaded)],
        confidence=LIKELY if on_windows(host) else CERTAIN,
    )


def _listed(one: Adapter) -> Evidence:
    name = one.name or f"NVIDIA {one.device} {one.bus_id}".strip()
    if one.driver:
        return Evidence(t("{name}, driver {driver}", name=name, driver=one.driver))
    return Evidence(t("{name}, no driver", name=name))


def _fix(host: Host, loaded: bool) -> Fix:
    if on_windows(host):
        return fixes.advise(t("Install the driver from {url}, then restart Windows", url=_URL))
    if loaded:
        text = t(
            "Install the package with the driver's libraries (Debian, Ubuntu: libnvidia-compute-VERSION) in the version of the kernel driver; on NixOS add /run/opengl-driver/lib to LD_LIBRARY_PATH"
        )
        return fixes.advise(text)
    text = t(
        "Install the distribution's NVIDIA driver (Ubuntu: sudo ubuntu-drivers install; Fedora: akmod-nvidia; Arch: nvidia), then restart"
    )
    return fixes.advise(text)
