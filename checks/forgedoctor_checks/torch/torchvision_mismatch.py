from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import (
    CERTAIN,
    ERROR,
    LIKELY,
    WARNING,
    Evidence,
    Finding,
    Fix,
    NotApplicable,
    Undecided,
    check,
    t,
)
from forgedoctor.facts import Host, Packages
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import matrix, torch_builds
from forgedoctor_checks.install._packages import pip

_AUDIO_BOUND = (2, 9)  # later torchaudio keeps to torch's stable interface


@check(
    "torchvision-mismatch",
    severity=ERROR,
    group="torch",
    explains=["launch-ends-at-once", "server-thread-dead", "generation-failed"],
)
def torchvision_mismatch(torch: Torch, packages: Packages, host: Host | None) -> Iterator[Finding]:
    """torchvision or torchaudio belongs to another torch than the installed one.

    What happens: the start ends with "operator torchvision::nms does not exist", "partially initialized module
    'torchvision'", "[WinError 127]", or "PyTorch and torchvision were compiled with different CUDA major versions".
    Why: each release of torchvision is built for one release of torch; an extension or a manual pip install changed one
    of the two.
    Fix: install the torchvision that belongs to the installed torch.
    Source: METADATA of the packages (Requires-Dist: torch==…); recorded start with a torchvision of another torch.
    """
    if not torch.version or "torchvision" not in torch.companions:
        raise NotApplicable(t("torch and torchvision are not both installed"))
    have = torch.companions["torchvision"]
    wants = _wants(torch, "torchvision") or _by_table(have)
    if not matrix.released(torch.full) or not wants:
        raise Undecided(
            t("torch {build} with torchvision {version} is no published pair", build=torch.full, version=have),
            t("run in Forge's Python: import torchvision"),
        )
    theirs, ours = (matrix.cuda_major(tag) for tag in (have.partition("+")[2], torch.tag))
    if matrix.minor(wants) != matrix.minor(torch.version):
        yield Finding(
            t(
                "torchvision {version} belongs to torch {want}, and torch {have} is installed.",
                version=have,
                want=wants,
                have=torch.full,
            ),
            evidence=[
                Evidence(t("torchvision {version} asks for torch {want}", version=have, want=wants), packages.source)
            ],
            fixes=list(_fixes(torch, packages, host)),
            confidence=CERTAIN,
        )
    elif theirs and ours and theirs != ours:
        yield Finding(
            t("torchvision {version} is built for another CUDA than torch {have}.", version=have, have=torch.full),
            evidence=[
                Evidence(t("torch {have}, torchvision {version}", have=torch.full, version=have), packages.source)
            ],
            fixes=list(_fixes(torch, packages, host)),
            confidence=CERTAIN,
        )
    else:
        yield from _audio(torch, packages, host)


def _wants(torch: Torch, name: str) -> str:
    need = torch.needs.get(name, "")
    return need.removeprefix("==").partition("+")[0] if need.startswith("==") else ""


def _by_table(version: str) -> str:
    for one in matrix.releases():
        if matrix.minor(one.torchvision) == matrix.minor(version):
            return one.torch
    return ""


def _audio(torch: Torch, packages: Packages, host: Host | None) -> Iterator[Finding]:
    have, wants = torch.companions.get("torchaudio", ""), _wants(torch, "torchaudio")
    if not wants or matrix.minor(wants) > _AUDIO_BOUND or matrix.minor(wants) == matrix.minor(torch.version):
        return
    command = f"{pip(packages, host)} uninstall -y torchaudio"
    yield Finding(
        t(
            "torchaudio {version} belongs to torch {want}, and torch {have} is installed.",
            version=have,
            want=wants,
            have=torch.full,
        ),
        evidence=[Evidence(t("torchaudio {version} asks for torch {want}", version=have, want=wants), packages.source)],
        fixes=[fixes.paste(t("Forge does not need it; take it out:"), command, host)],
        severity=WARNING,
        confidence=LIKELY,
    )


def _fixes(torch: Torch, packages: Packages, host: Host | None) -> Iterator[Fix]:
    version = matrix.torchvision_for(torch.version)
    if not version or not torch.tag:
        yield fixes.advise(t("Start Forge once with --reinstall-torch, which installs both anew"))
        return
    command = f"{pip(packages, host)} install --no-deps torchvision=={version}+{torch.tag} --index-url {torch_builds.INDEX}{torch.tag}"
    yield fixes.paste(t("Stop Forge, then install the torchvision of this torch:"), command, host)
