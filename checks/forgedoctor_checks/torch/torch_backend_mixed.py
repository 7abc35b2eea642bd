from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Host, Launch, Packages
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import matrix
from forgedoctor_checks.install._packages import pip

_DIRECTML, _IPEX = "torch-directml", "intel-extension-for-pytorch"


@check("torch-backend-mixed", severity=ERROR, group="torch", explains=["launch-ends-at-once"])
def torch_backend_mixed(
    torch: Torch, packages: Packages, host: Host | None, launch: Launch | None
) -> Iterator[Finding]:
    """An add-on for AMD (DirectML) or Intel cards does not fit the installed torch, or is not there.

    What happens: "No module named 'torch_directml'", "needs to work with PyTorch …, but PyTorch … is found", a missing
    DLL or symbol at the import.
    Why: each release of these add-ons is made for one torch; the venv was made for another kind of card, or torch was
    updated since.
    Fix: install the torch that the add-on asks for; or make the venv anew for the card that is there.
    Source: METADATA of the add-ons (Requires-Dist: torch==…).
    """
    if not torch.version:
        return
    directml = bool(launch and launch.given("directml"))
    if directml and _DIRECTML not in torch.companions:
        add = fixes.paste(t("Stop Forge, then install it:"), f"{pip(packages, host)} install torch-directml", host)
        drop = fixes.change_flags(launch, drop=["--directml"]) if launch and launch.effective.exit is None else None
        yield Finding(
            t("--directml is given, and torch-directml is not installed in Forge's Python."),
            evidence=[Evidence(t("torch {version}, no torch-directml", version=torch.full), packages.source)],
            fixes=[one for one in (drop, add) if one],
            confidence=LIKELY,
        )
    for name, severity in ((_DIRECTML, ERROR if directml else WARNING), (_IPEX, WARNING)):
        wants = _asked(torch, name)
        if wants and matrix.minor(wants) != matrix.minor(torch.version) and (directml or name != _DIRECTML):
            yield Finding(
                t(
                    "{name} {version} is made for torch {want}, and torch {have} is installed.",
                    name=name,
                    version=torch.companions[name],
                    want=wants,
                    have=torch.full,
                ),
                evidence=[Evidence(t("{name} asks for torch {want}", name=name, want=wants), packages.source)],
                fixes=[_anew(host)],
                severity=severity,
                confidence=LIKELY,
            )


def _asked(torch: Torch, name: str) -> str:
    """The torch of an add-on: by its METADATA, and of Intel's by its own version, which counts like torch's."""
    need = torch.needs.get(name, "")
    if need.startswith("=="):
        return need.removeprefix("==").partition("+")[0]
    return torch.companions.get(name, "").partition("+")[0] if name == _IPEX else ""


def _anew(host: Host | None) -> Fix:
    return fixes.advise(t("Delete Forge's venv folder and start it again: it installs a torch and an add-on that fit"))
