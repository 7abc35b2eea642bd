from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, NotApplicable, Undecided, check, manual, t
from forgedoctor.facts import Host, Install, Launch, LaunchFiles, Packages
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import matrix
from forgedoctor_checks.torch._cards import LOOK, UNSEEN, cpu_only, driver_system, used
from forgedoctor_checks.torch._install import Room, on_processor, put, wanted


@check(
    "nvidia-driver-too-old",
    severity=ERROR,
    group="torch",
    explains=["launch-ends-at-once", "generation-failed"],
    systems=["linux", "windows"],
)
def nvidia_driver_too_old(
    torch: Torch,
    gpus: Gpus | None,
    choice: GpuChoice | None,
    packages: Packages,
    install: Install,
    host: Host | None,
    files: LaunchFiles | None,
    launch: Launch | None,
) -> Iterator[Finding]:
    """The NVIDIA driver is older than what the installed torch takes.

    What happens: "The NVIDIA driver on your system is too old (found version 11070)", and the start ends with "Your
    device does not support the current version of Torch/CUDA" or "Torch is not able to use GPU".
    Why: torch built for CUDA 12 takes driver 525 (Windows 528) or newer, for CUDA 13 driver 580. The number that
    nvidia-smi shows as CUDA version is the newest that the driver runs. The CUDA toolkit plays no part: torch brings
    its own.
    Fix: update the driver; or install a torch built for an older CUDA.
    Source: NVIDIA's CUDA compatibility guide.
    """
    if torch.backend != "cuda" or cpu_only(launch):
        raise NotApplicable(t("Forge does not use CUDA here"))
    if gpus is None or not gpus.driver:
        raise Undecided(UNSEEN, LOOK)
    answer = matrix.driver_allows(torch.tag, gpus.driver, driver_system(torch, host))
    # A compatibility package (cuda-compat) can make an older driver run a newer CUDA; then the driver says so.
    if answer.verdict == "yes" or (gpus.cuda and gpus.cuda[0] >= matrix.cuda_major(torch.tag) > 0):
        return
    if answer.verdict == "unknown":
        raise Undecided(answer.reason, t("update the NVIDIA driver"))
    said = ".".join(map(str, gpus.cuda)) if gpus.cuda else "?"
    yield Finding(
        t(
            "The NVIDIA driver ({driver}) is too old for torch {build}: it takes {least} or newer.",
            driver=gpus.driver,
            build=torch.full,
            least=answer.least,
        ),
        evidence=[
            Evidence(t("driver {driver} runs CUDA up to {cuda}", driver=gpus.driver, cuda=said), gpus.source),
            Evidence(t("torch is built for CUDA {cuda}", cuda=torch.cuda or torch.tag), torch.told_by),
        ],
        fixes=list(_fixes(Room(torch, packages, install, host, files), gpus, choice, launch, answer.least)),
        confidence=CERTAIN,
    )


def _fixes(room: Room, gpus: Gpus, choice: GpuChoice | None, launch: Launch | None, least: str) -> Iterator[Fix]:
    card = next(iter(used(gpus, choice)), None)
    capability = card.capability if card else None
    last = matrix.last_driver(capability) if capability else ""
    if not last or matrix.numbers(least)[:1] <= matrix.numbers(last):
        yield _update(room, least, last)
    if capability is None:
        return
    build, driver = wanted(room, capability, gpus.driver)
    if build and not driver:
        yield put(room, build)
    elif last and matrix.numbers(least)[:1] > matrix.numbers(last):
        yield on_processor(launch, room.install.fork)


def _update(room: Room, least: str, last: str) -> Fix:
    host = room.host
    if host and host.container:
        text = t(
            "Update the NVIDIA driver of the host (not in the container) to {least} or newer, then restart it",
            least=least,
        )
    elif host and (host.wsl or host.system == "windows"):
        text = t("Install driver {least} or newer from www.nvidia.com/drivers (in Windows), then restart", least=least)
    else:
        text = t(
            "Install driver {least} or newer with the tools of your distribution (Ubuntu: sudo ubuntu-drivers install), then restart",
            least=least,
        )
    more = (
        [manual(t("Take one of branch {branch} at most: newer ones do not know this card", branch=last))]
        if last
        else []
    )
    return Fix(
        title=t("Update the NVIDIA driver:"), steps=(manual(text), *more), safety="needs-person", needs_admin=True
    )
