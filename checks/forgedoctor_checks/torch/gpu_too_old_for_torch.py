from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Finding, check, t
from forgedoctor.facts import Host, Install, Launch, LaunchFiles, Packages
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import matrix
from forgedoctor_checks.torch._cards import evidence, refused
from forgedoctor_checks.torch._install import Room, on_processor, put, wanted


@check("gpu-too-old-for-torch", severity=ERROR, group="torch", explains=["generation-failed", "launch-ends-at-once"])
def gpu_too_old_for_torch(
    torch: Torch,
    gpus: Gpus | None,
    choice: GpuChoice | None,
    packages: Packages,
    install: Install,
    host: Host | None,
    files: LaunchFiles | None,
    launch: Launch | None,
) -> Iterator[Finding]:
    """The installed torch no longer has code for this card, which is older.

    What happens: "The minimum cuda capability supported by this library is …", then "no kernel image is available for
    execution on the device". torch.cuda.is_available() says True all the same.
    Why: torch built for CUDA 12.8 and newer has dropped Maxwell and Pascal (GTX 900 and 1000), for CUDA 13 also Volta.
    The builds for CUDA 12.6 keep them up to torch 2.14. Kepler (GTX 600 and 700) is in none that Forge can use, but for
    the Tesla K80.
    Fix: install a build for CUDA 12.6 or older; without any, let it compute on the processor.
    Source: architecture lists of PyTorch's published builds; pytorch issues 157517 and 190385.
    """
    found = refused("card-too-old", torch, gpus, choice, host, launch)
    if found is None:
        return
    card, answer = found
    capability = card.capability or (0, 0)
    room = Room(torch, packages, install, host, files)
    build, driver = wanted(room, capability, gpus.driver if gpus else "")
    last = matrix.last_driver(capability)
    reachable = not driver or not last or matrix.numbers(driver) <= matrix.numbers(last)
    offered = [put(room, build, driver)] if build and reachable else [on_processor(launch, install.fork)]
    if build is None and room.python and wanted(room._replace(packages=_any_python(packages)), capability)[0]:
        offered.insert(0, fixes.advise(t("Make Forge's venv anew with the Python it is made for; for {have} there is no torch that runs on this card", have=packages.python)))  # fmt: skip
    yield Finding(
        t("This torch ({build}) no longer has code for the {card}, which is older.", build=torch.full, card=card.name),
        evidence=evidence(torch, card, answer),
        fixes=offered,
        confidence=CERTAIN if card.seen else LIKELY,
    )


def _any_python(packages: Packages) -> Packages:
    return Packages(source=packages.source, venv=packages.venv)
