from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, NotApplicable, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, marks, on_windows, only_with_cuda, told


@check("nvidia-driver-not-loaded", severity=ERROR, group="gpu")
def nvidia_driver_not_loaded(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The NVIDIA driver is installed, and its kernel part does not run.

    What happens: nvidia-smi says "couldn't communicate with the NVIDIA driver"; torch sees no GPU.
    Why: a new kernel for which the module was not built (DKMS), secure boot that refuses it, nouveau that holds the
    card; on Windows a device that is disabled or failed.
    Fix: load it and read why it is refused; build it again; restart.
    Source: NVML (DriverNotLoaded).
    """
    if host.container:
        raise NotApplicable(t("the driver is the host's"))
    only_with_cuda(launch)
    if not gpus.error or gpus.error.code != nvml_errors.NOT_LOADED or host.wsl:
        return
    if gpus.adapters is not None and not gpus.of_vendor("nvidia"):
        return  # no-nvidia-gpu says it: a driver without a card
    yield Finding(
        t("The NVIDIA driver is installed, and is not running."),
        evidence=[told(gpus.error), *_why(gpus), *marks(gpus)],
        fixes=list(_fixes(gpus, host)),
        confidence=CERTAIN,
    )


def _why(gpus: Gpus) -> Iterator[Evidence]:
    signs = gpus.signs
    if signs and "nouveau" in signs.modules:
        yield Evidence(t("the free driver nouveau is loaded, which holds the card"), "/sys/module")
    if signs and signs.secure_boot:
        yield Evidence(t("secure boot is on: a module that is not signed is refused"), "efivars")


def _fixes(gpus: Gpus, host: Host) -> Iterator[Fix]:
    if on_windows(host):
        yield fixes.advise(
            t("Restart Windows; then look at the card in the Device Manager, and install the driver again")
        )
        return
    lines = ["sudo modprobe nvidia", "sudo dmesg | grep -iE 'nvrm|nvidia|nouveau' | tail -20"]
    yield commands(t("Load it; if that is refused, the second line says why:"), lines, host, admin=True)
    if gpus.signs and gpus.signs.secure_boot:
        yield commands(t("With secure boot, sign the module (a password is asked for, and again at the restart):"),
                       ["sudo mokutil --import /var/lib/shim-signed/mok/MOK.der", "sudo reboot"], host, admin=True)  # fmt: skip
    yield commands(
        t("After an update of the kernel, build the module again:"),
        ["sudo dkms autoinstall", "sudo reboot"],
        host,
        admin=True,
    )
