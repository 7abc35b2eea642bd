"""The torch that Forge will load, and what hangs on it: read from the files of its packages, never imported or run."""

from __future__ import annotations

import re
from pathlib import Path

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts import _torch_files as files
from forgedoctor.facts._torch_files import XformersBuild
from forgedoctor.facts.install import Install
from forgedoctor.facts.packages import Packages
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["COMPANIONS", "Torch", "XformersBuild", "collect", "describe"]

# What is built for one torch or breaks with another numpy, and what brings another backend.
COMPANIONS = (
    "torchvision", "torchaudio", "xformers", "bitsandbytes", "triton", "triton-windows", "pytorch-triton-rocm",
    "torch-directml", "intel-extension-for-pytorch", "flash-attn", "sageattention", "numpy",
)  # fmt: skip
_TAG = re.compile(r"(?:cu\d{2,4}|rocm[\d.]*|cpu|xpu)")


class Torch(Fact, frozen=True, kw_only=True):
    """The installed torch.

    ``version``: ``2.3.1``, empty where there is none; ``full``: as torch calls itself (``2.3.1+cu121``). ``recorded``:
    what pip's record says. ``backend``: cuda, rocm, xpu, cpu, or empty where its files do not tell. ``cuda``, ``hip``:
    the version it was built with. ``system``, ``machine``: of the wheel (windows, linux, macos; x86_64, aarch64,
    arm64). ``told_by``: the file that says the backend. ``companions``: versions of the packages that hang on torch
    (COMPANIONS), with their build tag; ``needs``: the torch that they ask for. ``nvidia``: NVIDIA's wheels.
    ``bitsandbytes_libraries``: its native libraries (cuda121, cpu), None where there is no bitsandbytes. ``zluda``:
    the folder of ZLUDA beside Forge, if there is one.
    """

    version: str = ""
    full: str = ""
    recorded: str = ""
    backend: str = ""
    cuda: str = ""
    hip: str = ""
    git: str = ""
    system: str = ""
    machine: str = ""
    told_by: str = ""
    companions: dict[str, str] = {}
    needs: dict[str, str] = {}
    nvidia: dict[str, str] = {}
    xformers_built: XformersBuild | None = None
    bitsandbytes_libraries: tuple[str, ...] | None = None
    zluda: str = ""

    @property
    def tag(self) -> str:
        """The build's tag as PyTorch's index calls it: cu121, rocm6.0, cpu, xpu; empty where it is not known."""
        local = self.full.partition("+")[2]
        if _TAG.fullmatch(local):
            return local
        if self.backend == "cuda" and re.fullmatch(r"\d+\.\d+", self.cuda):
            return "cu" + self.cuda.replace(".", "")
        return self.backend if self.backend in ("cpu", "xpu") else ""


@collector(Torch, scopes=("live", "preflight"))
def collect(target: Target, install: Install, packages: Packages) -> Torch:
    """Read torch/version.py and the records of its companions in the venv that Packages found."""
    try:
        return describe(Path(packages.source), Path(install.root))
    except OSError as error:
        reason = t("{path} may not be read: {why}", path=packages.source, why=str(error.strerror))
        raise Unavailable(reason, state=State.DENIED) from None


def describe(site: Path, root: Path) -> Torch:
    """What a site-packages folder says. Raises OSError where it cannot be listed."""
    records = files.records(site)
    own = records.get("torch")
    path = site / "torch" / "version.py"
    told = files.assigned(files.small(path))
    recorded = files.recorded_version(own)
    full = told.get("__version__") or recorded
    _, system, machine = files.wheel_tag(own)
    companions = {name: _version(site, name, records[name]) for name in COMPANIONS if name in records}
    return Torch(
        source=str(site),
        version=full.partition("+")[0],
        full=full,
        recorded=recorded,
        backend=_backend(told, full, system),
        cuda=told.get("cuda", ""),
        hip=told.get("hip", ""),
        git=told.get("git_version", ""),
        system=system,
        machine=machine,
        told_by=str(path) if told else str(own) if own else "",
        companions=companions,
        needs={name: need for name in companions if (need := files.needs_torch(records[name]))},
        nvidia={
            name: files.recorded_version(record)
            for name, record in records.items()
            if name.startswith("nvidia-") and name != "nvidia-ml-py"
        },
        xformers_built=files.xformers_build(site, records["xformers"]) if "xformers" in records else None,
        bitsandbytes_libraries=files.bitsandbytes_libraries(site, system) if "bitsandbytes" in records else None,
        zluda=next((str(place) for place in (root / ".zluda", root / "zluda") if _is_folder(place)), ""),
    )


def _version(site: Path, name: str, record: Path) -> str:
    """A companion's version: its own version.py knows the build (+cu121) where pip's record does not."""
    own = files.assigned(files.small(site / name.replace("-", "_") / "version.py")) if name.startswith("torch") else {}
    return own.get("__version__") or files.recorded_version(record)


def _backend(told: dict[str, str], full: str, system: str) -> str:
    """Source: torch/version.py sets cuda, hip and xpu, each to a version or to None."""
    local = full.partition("+")[2]
    if told.get("hip") or told.get("rocm") or local.startswith("rocm"):
        return "rocm"
    if told.get("xpu") or local.startswith("xpu"):
        return "xpu"
    if told.get("cuda") or re.match(r"cu\d", local):
        return "cuda"
    # Without a CUDA version it is a CPU build, on a Mac too (MPS is part of that).
    return "cpu" if local == "cpu" or "cuda" in told or (full and system == "macos") else ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
