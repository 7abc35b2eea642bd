"""Which published torch to install for a card: the one nearest to what the fork asks for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from forgedoctor.gpu import matrix
from forgedoctor.gpu.matrix import Capability, Release

INDEX = "https://download.pytorch.org/whl/"  # PyTorch's own index: one folder a build


class Build(msgspec.Struct, frozen=True):
    """A published torch with the torchvision that belongs to it. ``tag``: cu128, cpu …"""

    torch: str
    tag: str
    torchvision: str

    @property
    def name(self) -> str:
        """``2.7.1+cu128``."""
        return f"{self.torch}+{self.tag}"

    @property
    def index(self) -> str:
        """The address of its package index."""
        return INDEX + self.tag

    def packages(self, *, audio: bool = False) -> str:
        """The requirements for pip, with torchaudio where that is wanted (it counts like torch)."""
        words = [f"torch=={self.name}", f"torchvision=={self.torchvision}+{self.tag}"]
        if audio and matrix.minor(self.torch) >= (2, 1):
            words.append(f"torchaudio=={self.name}")
        return " ".join(words)


def best(
    capability: Capability,
    system: str,
    *,
    preferred: str,
    least: str = "",
    python: tuple[int, int] | None = None,
    driver: str = "",
    driver_system: str = "",
    machine: str = "x86_64",
) -> Build | None:
    """The build for a card that is nearest to ``preferred`` (``2.3.1+cu121``): that itself, else its release with
    another CUDA, else the next newer release, else an older one down to ``least``. None where no published build does.

    ``python``: only builds with wheels for it. ``driver``: only builds that it is new enough for; ``driver_system``:
    whose driver numbers these are, where that is another (WSL has those of Windows).
    """
    for build in _nearest(preferred, least, python):
        if matrix.runs_on(build.torch, build.tag, capability, system, machine).verdict != "yes":
            continue
        if driver and matrix.driver_allows(build.tag, driver, driver_system or system).verdict == "no":
            continue
        return build
    return None


def _nearest(preferred: str, least: str, python: tuple[int, int] | None) -> Iterator[Build]:
    version, _, tag = preferred.partition("+")
    wanted = matrix.minor(version)
    known = [one for one in matrix.releases() if matrix.minor(one.torch) >= matrix.minor(least or "0.0")]
    newer = [one for one in known if matrix.minor(one.torch) >= wanted]
    older = [one for one in known if matrix.minor(one.torch) < wanted]
    for one in [*newer, *reversed(older)]:
        if python and not one.accepts_python(python):
            continue
        release = version if matrix.minor(one.torch) == wanted else one.torch
        for cuda in _tags(one, tag):
            yield Build(release, cuda, matrix.torchvision_for(release))


def _tags(release: Release, preferred: str) -> list[str]:
    """A release's CUDA builds: the one asked for first, then from the newest down."""
    first = [preferred] if preferred in release.cuda else []
    return first + [one for one in reversed(release.cuda) if one != preferred]
