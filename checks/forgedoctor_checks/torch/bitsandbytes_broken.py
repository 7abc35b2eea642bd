from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, WARNING, Evidence, Finding, Fix, NotApplicable, check, plain, t
from forgedoctor.facts import Host, Install, LaunchFiles, Packages
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import cards, matrix
from forgedoctor_checks.install._packages import pip
from forgedoctor_checks.torch._install import Room, put, wanted

PINNED = "0.45.3"  # what Forge puts back at every start: modules_forge/bnb_installer.py
_PINNED_CUDA = ("117", "118", "120", "121", "122", "123", "124", "125", "126", "128")  # the libraries in its wheels
_CHOOSES = (0, 50)  # from this release on it takes the nearest library of the same major CUDA
_WITHOUT_OPS, _REMOVED_OPS = (0, 45), (3, 2)  # bitsandbytes stopped using triton.ops; triton removed it


@check("bitsandbytes-broken", severity=WARNING, group="torch")
def bitsandbytes_broken(
    torch: Torch,
    packages: Packages,
    install: Install,
    host: Host | None,
    files: LaunchFiles | None,
    gpus: Gpus | None,
    choice: GpuChoice | None,
) -> Iterator[Finding]:
    """bitsandbytes has no library for the CUDA that torch is built for, or does not fit triton.

    What happens: "Could not find the bitsandbytes CUDA binary", "CUDA SETUP:", "Could not load bitsandbytes native
    library": NF4 and FP4 models cannot be loaded. "No module named 'triton.ops'" ends the start.
    Why: each CUDA version needs a library of its own in the package; Forge pins 0.45.3, which has them up to CUDA 12.8.
    Fix: a bitsandbytes that has the library; with CUDA 12.9 or 13 in Forge, a torch built for an older CUDA.
    Source: the files in the package bitsandbytes; modules_forge/bnb_installer.py; bitsandbytes pull request 1980.
    """
    if torch.backend != "cuda" or torch.bitsandbytes_libraries is None or not torch.tag:
        raise NotApplicable(t("bitsandbytes with CUDA is not in use"))
    version = torch.companions.get("bitsandbytes", "")
    triton = torch.companions.get("triton") or torch.companions.get("triton-windows", "")
    room = Room(torch, packages, install, host, files)
    if triton and matrix.numbers(version) < _WITHOUT_OPS and matrix.numbers(triton) >= _REMOVED_OPS:
        yield Finding(
            t(
                "bitsandbytes {version} is too old for triton {triton}: it asks for triton.ops, which is gone.",
                version=version,
                triton=triton,
            ),
            evidence=[
                Evidence(t("bitsandbytes {version}, triton {triton}", version=version, triton=triton), packages.source)
            ],
            fixes=list(_fixes(room, gpus, choice)),
            severity=ERROR,
            confidence=LIKELY,
        )
    elif not _has_library(torch, version):
        there = ", ".join(torch.bitsandbytes_libraries) or "-"
        yield Finding(
            t(
                "bitsandbytes {version} has no library for CUDA {cuda}, for which torch is built: no NF4 or FP4 models.",
                version=version,
                cuda=torch.cuda,
            ),
            evidence=[Evidence(t("its libraries: {list}", list=plain(there)), packages.source)],
            fixes=list(_fixes(room, gpus, choice)),
            confidence=LIKELY,
        )


def _has_library(torch: Torch, version: str) -> bool:
    have = torch.bitsandbytes_libraries or ()
    exact = "cuda" + torch.tag[2:]
    if matrix.numbers(version) >= _CHOOSES:
        return any(one.startswith(exact[:6]) for one in have)
    return any(one == exact or one.startswith(exact + "_") for one in have)


def _fixes(room: Room, gpus: Gpus | None, choice: GpuChoice | None) -> Iterator[Fix]:
    """A bitsandbytes for this torch; in Forge, which puts its own back, a torch for that bitsandbytes."""
    ours, forge = pip(room.packages, room.host), room.install.fork == "forge"
    if room.torch.tag[2:] in _PINNED_CUDA:
        command = f"{ours} install --no-deps bitsandbytes=={PINNED}"
        yield fixes.paste(t("Stop Forge, then install:"), command, room.host)
        return
    if not forge:
        yield fixes.paste(t("Stop Forge, then install:"), f"{ours} install -U --no-deps bitsandbytes", room.host)
        return
    known = [
        one.capability or cards.capability(one.name)
        for one in (gpus.alive if gpus else ())
        if _chosen(one.index, choice)
    ]
    build = wanted(room, known[0], gpus.driver if gpus else "")[0] if known and known[0] else None
    if build and build.tag[2:] in _PINNED_CUDA:
        yield put(room, build)
    else:
        yield fixes.advise(
            t(
                "Install a torch built for CUDA 12.8 or older: Forge puts bitsandbytes {version} back at every start",
                version=PINNED,
            )
        )


def _chosen(index: int, choice: GpuChoice | None) -> bool:
    return choice is None or choice.index is None or choice.index == index
