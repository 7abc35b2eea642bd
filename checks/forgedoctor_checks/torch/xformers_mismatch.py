from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, Fix, Message, NotApplicable, Undecided, check, t
from forgedoctor.facts import Host, Install, Launch, Packages
from forgedoctor.facts.torch import Torch, XformersBuild
from forgedoctor.gpu import matrix, torch_builds
from forgedoctor_checks.install._packages import pip

# From this release on xformers keeps to torch's stable interface: a build for torch 2.10 fits every newer torch.
_STABLE, _STABLE_TORCH = (0, 0, 34), (2, 10)


@check("xformers-mismatch", severity=WARNING, group="torch")
def xformers_mismatch(
    torch: Torch, packages: Packages, install: Install, host: Host | None, launch: Launch | None
) -> Iterator[Finding]:
    """xformers is built for another torch, CUDA or Python than the installed one.

    What happens: "xFormers can't load C++/CUDA extensions. xFormers was built for …" at the start. Forge goes on with
    PyTorch's own attention, which is as fast on most cards; AUTOMATIC1111 may fail at the first picture.
    Why: torch was updated and xformers was not, or pip took an xformers that brought another torch along.
    Fix: install the xformers made for this torch, or do without it.
    Source: xformers/cpp_lib.json and METADATA in the venv.
    """
    if "xformers" not in torch.companions:
        raise NotApplicable(t("xformers is not installed"))
    if not torch.version:
        raise NotApplicable(t("torch is not installed"))
    built = torch.xformers_built
    asked = torch.needs.get("xformers", "")
    wants = built.torch if built else asked.removeprefix("==") if asked.startswith("==") else ""
    if not wants:
        return  # the newest xformers has no code of its own that could mismatch
    wrong = _wrong(torch, built, wants, packages.python)
    if not wrong:
        if not matrix.released(torch.full) and wants != torch.full:
            raise Undecided(
                t("torch {build} is no published release", build=torch.full),
                t("start Forge, and read what xformers says"),
            )
        return
    told = t("xformers is built for torch {torch}", torch=wants)
    if built and built.python:
        told = t("xformers is built for torch {torch} and Python {python}", torch=wants, python=built.python)
    yield Finding(
        t(
            "xformers {version} does not fit the installed torch ({build}).",
            version=torch.companions["xformers"],
            build=torch.full,
        ),
        evidence=[
            Evidence(told, "cpp_lib.json" if built else "METADATA"),
            *[Evidence(one, torch.told_by) for one in wrong],
        ],
        fixes=list(_fixes(torch, packages, host, launch)),
        confidence=LIKELY,
    )


def _wrong(torch: Torch, built: XformersBuild | None, wants: str, python: str) -> list[Message]:
    """What does not fit, as sentences."""
    found = []
    stable = matrix.numbers(torch.companions["xformers"]) >= _STABLE and matrix.minor(wants) >= _STABLE_TORCH
    have = matrix.minor(torch.version)
    if (have < _STABLE_TORCH) if stable else (matrix.minor(wants) != have):
        found.append(t("torch {version} is installed", version=torch.full))
    theirs, ours = (built.cuda if built else "").split(".")[0], torch.cuda.split(".")[0]
    if theirs and ours and theirs != ours:
        found.append(
            t(
                "torch is built for CUDA {have}, xformers for CUDA {want}",
                have=torch.cuda,
                want=built.cuda if built else "",
            )
        )
    tag = built.tag if built else ""
    parts = python.split(".")
    if tag.startswith("cp") and len(parts) > 1 and tag != f"cp{parts[0]}{parts[1]}":
        found.append(t("Forge's Python is {have}, the wheel is for {want}", have=python, want=tag))
    return found


def _fixes(torch: Torch, packages: Packages, host: Host | None, launch: Launch | None) -> Iterator[Fix]:
    ours = pip(packages, host)
    fitting = matrix.xformers_for(torch.version)
    if fitting and torch.tag.startswith("cu"):
        command = f"{ours} install --force-reinstall --no-deps xformers=={fitting} --index-url {torch_builds.INDEX}{torch.tag}"
        yield fixes.paste(t("Stop Forge, then install the xformers made for this torch:"), command, host)
    yield fixes.paste(
        t("Or do without it (Forge uses PyTorch's own attention):"), f"{ours} uninstall -y xformers", host
    )
    if launch and launch.given("xformers") and launch.effective.exit is None:
        again = t("Without it, drop {flag} too, which would install it again:", flag="--xformers")
        yield fixes.change_flags(launch, drop=["--xformers"], title=again)
