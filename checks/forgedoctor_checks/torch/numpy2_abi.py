from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import Host, Install, Packages
from forgedoctor.facts.torch import Torch
from forgedoctor.forge.releases import pins
from forgedoctor.gpu import matrix
from forgedoctor_checks.install._packages import pip
from forgedoctor_checks.torch._cards import system_of

# The first release of each that is built for numpy 2.
_SINCE = {
    "scikit-image": "0.23.1", "scipy": "1.13.0", "pandas": "2.2.2", "matplotlib": "3.9.0", "numba": "0.60.0",
    "opencv-python": "4.10.0.84", "opencv-python-headless": "4.10.0.84", "opencv-contrib-python": "4.10.0.84",
}  # fmt: skip
# Wheels of torch that were built with numpy 2: on Windows one release later. Source: pytorch issues 107302, 131668.
_TORCH = {"linux": "2.3.0", "windows": "2.4.1", "macos": "2.3.0"}
_OPENCV, _WANTS_2 = ("opencv-python", "opencv-python-headless", "opencv-contrib-python"), (4, 12)


@check("numpy2-abi", severity=ERROR, group="torch", explains=["launch-ends-at-once", "generation-failed"])
def numpy2_abi(torch: Torch, packages: Packages, install: Install, host: Host | None) -> Iterator[Finding]:
    """numpy 2 is installed, and other packages of this Forge are built for numpy 1.

    What happens: "A module that was compiled using NumPy 1.x cannot be run in NumPy 2", "numpy.dtype size changed",
    "Numpy is not available", "_ARRAY_API not found".
    Why: an extension or an update of opencv-python (4.12 asks for numpy 2) pulled it in; Forge pins 1.26.
    Fix: put numpy 1.26 back, with an opencv-python below 4.12.
    Source: the versions in the venv; release notes of each package.
    """
    numpy = packages.packages.get("numpy", "")
    pin = (
        packages.pins.get("numpy")
        or pins(install.fork).get("numpy", "")
        or ("1.26.2" if install.fork == "a1111" else "")
    )
    if not numpy or matrix.numbers(numpy)[:1] < (2,):
        return
    if matrix.numbers(pin)[:1] != (1,):
        raise NotApplicable(t("this fork is made for numpy 2"))
    old = [
        f"{name} {packages.packages[name]}"
        for name, first in _SINCE.items()
        if name in packages.packages and matrix.numbers(packages.packages[name]) < matrix.numbers(first)
    ]
    least = _TORCH.get(system_of(torch, host), "")
    if torch.version and least and matrix.numbers(torch.version) < matrix.numbers(least):
        old.insert(0, f"torch {torch.full}")
    if not old:
        return  # nothing that is known to break: that the version differs is told by pins-drifted
    too_new = [name for name in _OPENCV if matrix.numbers(packages.packages.get(name, ""))[:2] >= _WANTS_2]
    wanted = " ".join([f"numpy=={pin}", *(f'"{name}<{_WANTS_2[0]}.{_WANTS_2[1]}"' for name in too_new)])
    yield Finding(
        t("numpy {version} is installed, and packages of this Forge are built for numpy 1.", version=numpy),
        evidence=[
            Evidence(t("numpy {have} is installed, {pin} is pinned", have=numpy, pin=pin), packages.venv),
            Evidence(t("built for numpy 1: {names}", names=", ".join(old)), packages.source),
        ],
        fixes=[fixes.paste(t("Stop Forge, then put numpy 1 back:"), f"{pip(packages, host)} install {wanted}", host)],
        confidence=CERTAIN,
    )
