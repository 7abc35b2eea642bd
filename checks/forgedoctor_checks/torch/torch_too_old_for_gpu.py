from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Finding, check, t
from forgedoctor.facts import Host, Install, Launch, LaunchFiles, Packages
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor_checks.torch._cards import evidence, refused
from forgedoctor_checks.torch._install import Room, put, wanted


@check("torch-too-old-for-gpu", severity=ERROR, group="torch", explains=["generation-failed", "launch-ends-at-once"])
def torch_too_old_for_gpu(
    torch: Torch,
    gpus: Gpus | None,
    choice: GpuChoice | None,
    packages: Packages,
    install: Install,
    host: Host | None,
    files: LaunchFiles | None,
    launch: Launch | None,
) -> Iterator[Finding]:
    """The installed torch is older than the card: it has no code for it.

    What happens: "no kernel image is available for execution on the device" at the first picture, "sm_120 is not
    compatible with the current PyTorch installation", or the start ends with "Your device does not support the current
    version of Torch/CUDA". The driver is not to blame, and a newer one does not help.
    Why: RTX 50 cards (Blackwell, capability 12.0) need torch 2.7 or newer built for CUDA 12.8 (cu128) or newer; Forge
    installs 2.3.1+cu121.
    Fix: install a newer torch into the Python that Forge uses: its venv, or system\\python of the one-click package.
    Source: architecture lists of PyTorch's published builds (RELEASE.md and the build scripts).
    """
    found = refused("card-too-new", torch, gpus, choice, host, launch)
    if found is None:
        return
    card, answer = found
    room = Room(torch, packages, install, host, files)
    build, driver = wanted(room, card.capability or (0, 0), gpus.driver if gpus else "")
    none = t(
        "Make Forge's venv anew with a Python that has wheels of a newer torch ({have} has none)",
        have=packages.python or "?",
    )
    yield Finding(
        t("This torch ({build}) is too old for the {card}: it has no code for it.", build=torch.full, card=card.name),
        evidence=evidence(torch, card, answer),
        fixes=[put(room, build, driver) if build else fixes.advise(none)],
        confidence=CERTAIN if card.seen else LIKELY,
    )
