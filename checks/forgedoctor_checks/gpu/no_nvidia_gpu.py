from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, WARNING, Evidence, Finding, Fix, NotApplicable, Undecided, check, t
from forgedoctor.facts import Gpus, Host, Launch, Packages
from forgedoctor.facts.gpu import Adapter
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import build_of, only_with_cuda, told

_CPU = {"neo": ["--cpu"], "a1111": ["--use-cpu all"]}
_ABSENT = (nvml_errors.NO_LIBRARY, nvml_errors.NOT_LOADED, 28)


@check("no-nvidia-gpu", severity=ERROR, group="gpu")
def no_nvidia_gpu(gpus: Gpus, launch: Launch, host: Host, packages: Packages | None) -> Iterator[Finding]:
    """There is no NVIDIA GPU in this machine, and Forge is set up for one.

    What happens: "Torch is not able to use GPU", "Your device does not support the current version of Torch/CUDA!" or
    "Found no NVIDIA driver on your system".
    Why: Forge installs torch for NVIDIA's CUDA unless something else is chosen.
    Fix: compute on the CPU (slow), or use the variant for the GPU that is there: ROCm (AMD on Linux), ZLUDA or DirectML
    (AMD on Windows), XPU (Intel).
    Source: modules/launch_utils.py (the GPU test), webui.sh (ROCm for AMD cards on Linux).
    """
    if host.system == "macos" or host.wsl:
        raise NotApplicable(t("not for {system}", system=host.system if not host.wsl else "WSL"))
    only_with_cuda(launch)
    if gpus.cards or (gpus.error and gpus.error.code not in _ABSENT) or gpus.of_vendor("nvidia"):
        return
    if gpus.adapters is None or not gpus.error:
        raise Undecided(t("which GPUs this machine has could not be read"), t("look at them in the system's settings"))
    build = build_of(packages)
    others = [one for one in gpus.adapters if one.vendor in ("amd", "intel")]
    if build == "other":
        raise NotApplicable(t("the installed torch is for another kind of GPU"))
    if not build:
        _only_before_the_first_start(launch, host, others)
    yield Finding(
        t("There is no NVIDIA GPU in this machine, and Forge is set up for one."),
        evidence=[told(gpus.error), *_listed(others)],
        fixes=_fixes(launch, host, others),
        severity=ERROR if build == "nvidia" else WARNING,
        confidence=LIKELY,
    )


def _only_before_the_first_start(launch: Launch, host: Host, others: list[Adapter]) -> None:
    """No torch is known that would tell which GPUs it is for."""
    if launch.running:
        raise NotApplicable(t("Forge runs, and which build of torch it has was not found"))
    if not any(one.vendor == "amd" for one in others):
        return
    if host.system == "linux":
        raise NotApplicable(t("webui.sh installs torch for AMD's GPUs here"))
    raise Undecided(
        t("which build of torch Forge has was not found, and the AMD GPU needs one of its own"),
        t("start Forge once (it makes the venv), or set VENV_DIR in webui-user"),
    )


def _listed(others: list[Adapter]) -> list[Evidence]:
    if not others:
        return [Evidence(t("the system lists no card of NVIDIA, AMD or Intel"))]
    names = ", ".join(f"{one.vendor.upper()} {one.name or one.device}" for one in others[:4])
    return [Evidence(t("the system lists: {names}", names=names))]


def _fixes(launch: Launch, host: Host, others: list[Adapter]) -> list[Fix]:
    flags = [*_CPU.get(launch.effective.fork, ["--always-cpu"])]
    if not launch.given("skip_torch_cuda_test"):
        flags.append("--skip-torch-cuda-test")
    title = t("Compute on the CPU (minutes for an image):")
    made = [fixes.change_flags(launch, add=flags, title=title)]
    if any(one.vendor == "amd" for one in others) and host.system == "windows":
        made.append(
            fixes.advise(t("For the AMD GPU use the fork stable-diffusion-webui-amdgpu-forge, which brings ZLUDA"))
        )
    elif any(one.vendor == "amd" for one in others):
        made.append(
            fixes.advise(
                t("For the AMD GPU install a ROCm build of torch: delete the venv folder and start with webui.sh")
            )
        )
    elif others:
        made.append(fixes.advise(t("For an Intel Arc GPU use a fork that supports XPU, with an XPU build of torch")))
    return made
