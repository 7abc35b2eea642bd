from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, NotApplicable, Undecided, check, t
from forgedoctor.facts import Host, Install, Launch, LaunchFiles, Packages
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor_checks.torch._cards import Used, cpu_only, used
from forgedoctor_checks.torch._install import Room, default, put, wanted

_VENDOR = {"rocm": "amd", "xpu": "intel"}


@check(
    "torch-cpu-build",
    severity=ERROR,
    group="torch",
    explains=["launch-ends-at-once", "generation-failed", "xformers-mismatch", "bitsandbytes-broken"],
    systems=["linux", "windows"],
)
def torch_cpu_build(
    torch: Torch,
    gpus: Gpus | None,
    choice: GpuChoice | None,
    packages: Packages,
    install: Install,
    host: Host | None,
    files: LaunchFiles | None,
    launch: Launch | None,
) -> Iterator[Finding]:
    """The installed torch cannot use NVIDIA cards: it is a build for the processor, or for another maker's cards.

    What happens: "Torch not compiled with CUDA enabled", or "Torch is not able to use GPU" at the start.
    Why: an extension or a manual "pip install torch" brought the build from PyPI, which on Windows is for the processor;
    or the venv was made for an AMD or Intel card.
    Fix: install a build for CUDA into the Python that Forge uses.
    Source: torch/version.py (cuda is None), the build tag (+cpu, +rocm, +xpu).
    """
    if not torch.version or torch.backend == "cuda":
        return
    if cpu_only(launch) or (launch and launch.given("directml", "use_ipex")):
        raise NotApplicable(t("the launch asks for no CUDA"))
    if not torch.backend:
        raise Undecided(
            t("for what torch was built could not be read"),
            t("run in Forge's Python: import torch; print(torch.__version__, torch.version.cuda)"),
        )
    if torch.zluda and torch.backend == "cpu":
        yield _for_zluda(torch)
        return
    found = sorted(used(gpus, choice), key=lambda one: one.capability or (0, 0))
    card = found[-1] if found else None  # CUDA counts from the fastest
    if card is None or gpus is None:
        raise NotApplicable(t("no NVIDIA card was seen"))
    if gpus.of_vendor(_VENDOR.get(torch.backend, "-")):
        raise Undecided(t("a card that this torch is built for is there too"), t("say which card Forge is to use"))
    room = Room(torch, packages, install, host, files)
    build, driver = wanted(room, card.capability, gpus.driver) if card.capability else (None, "")
    yield Finding(
        t(
            "The installed torch ({build}) cannot use the {card}: it is built without CUDA.",
            build=torch.full,
            card=card.name or "NVIDIA",
        ),
        evidence=_evidence(torch, card),
        fixes=[put(room, build or default(room), driver)],
        confidence=CERTAIN if card.seen else LIKELY,
    )


def _evidence(torch: Torch, card: Used) -> list[Evidence]:
    built = {"cpu": t("the processor only"), "rocm": t("AMD cards (ROCm)"), "xpu": t("Intel cards (XPU)")}
    return [
        Evidence(
            t("torch {version} is built for {what}", version=torch.full, what=built[torch.backend]), torch.told_by
        ),
        Evidence(t("this machine has: {card}", card=card.name or "NVIDIA"), "NVML" if card.seen else ""),
    ]


def _for_zluda(torch: Torch) -> Finding:
    anew = t(
        "Delete Forge's venv folder and start it again with --zluda, so that it installs the torch that ZLUDA needs"
    )
    return Finding(
        t("The installed torch ({build}) is built without CUDA, and ZLUDA needs one with it.", build=torch.full),
        evidence=[
            Evidence(t("the folder of ZLUDA is there"), torch.zluda),
            Evidence(t("no CUDA in it"), torch.told_by),
        ],
        fixes=[fixes.advise(anew)],
        confidence=LIKELY,
    )
