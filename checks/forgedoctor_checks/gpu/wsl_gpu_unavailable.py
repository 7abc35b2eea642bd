from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Finding, NotApplicable, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, marks, only_with_cuda, told

_OWN = "/usr/lib/wsl/lib/"
_CODES = (nvml_errors.NO_LIBRARY, nvml_errors.NOT_LOADED, nvml_errors.MISMATCH, nvml_errors.UNKNOWN, 17, 28)


@check("wsl-gpu-unavailable", severity=ERROR, group="gpu", explains=["nvidia-library-mismatch", "nvidia-driver-fails"])
def wsl_gpu_unavailable(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """WSL does not get the GPU from Windows.

    What happens: torch sees no GPU in WSL, though Windows uses it.
    Why: WSL 1 has no GPU; Windows' NVIDIA driver is missing or old; a Linux driver that was installed inside WSL hides
    the one that Windows brings in /usr/lib/wsl/lib.
    Fix: update the driver in Windows and WSL itself; never install a Linux display driver inside WSL.
    Source: NVIDIA, "CUDA on WSL User Guide".
    """
    if not host.wsl or host.container:
        raise NotApplicable(t("not for {system}", system=host.system))
    only_with_cuda(launch)
    signs = gpus.signs
    if not gpus.error or not signs or gpus.error.code not in _CODES:
        return
    evidence, confidence = [told(gpus.error), *marks(gpus)], CERTAIN
    update = "wsl --update"
    made = [
        fixes.advise(t("In Windows, install NVIDIA's newest driver from {url}", url="https://www.nvidia.com/drivers"))
    ]
    made.append(
        commands(t("In Windows, update WSL and start it again:"), [update, "wsl --shutdown"], Host(system="windows"))
    )
    if "/dev/dxg" not in signs.nodes:
        summary = t("WSL has no GPU: this is WSL 1, or WSL is too old, or its GPU support is off.")
        made.append(
            commands(
                t("Turn WSL 1 into WSL 2 (see the name with wsl -l -v):"),
                ["wsl --set-version NAME 2"],
                Host(system="windows"),
            )
        )
    elif signs.library and not signs.library.startswith(_OWN):
        summary = t("A Linux NVIDIA driver is installed inside WSL and hides the one that Windows brings.")
        line = "sudo apt-get purge '^nvidia-.*' '^libnvidia-.*' && sudo ldconfig"
        made = [commands(t("Remove the Linux driver from WSL:"), [line], host, admin=True, safety="needs-person")]
    elif signs.wsl_library and gpus.error.code == nvml_errors.NO_LIBRARY:
        summary = t("Windows brings its NVIDIA driver into WSL, and the loader does not find it in /usr/lib/wsl/lib.")
        lines = ["echo /usr/lib/wsl/lib | sudo tee /etc/ld.so.conf.d/ld.wsl.conf", "sudo ldconfig"]
        made = [commands(t("Tell the loader where it is:"), lines, host, admin=True)]
    else:
        summary = t("Windows does not bring an NVIDIA driver into WSL, or it fails there.")
        confidence = LIKELY
    yield Finding(summary, evidence=evidence, fixes=made, confidence=confidence)
