"""Which torch wheel runs on which card and driver: data/torch_cuda.json with a reader.

A wheel holds machine code for a fixed list of architectures, which differs between releases, CUDA builds, Linux and
Windows. Code runs on cards of the same major capability with an equal or higher minor one. What the table does not hold
(nightlies, builds of distributions, newer releases) is unknown, never guessed.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import msgspec

from forgedoctor.message import Message, plain, t

_DATA = Path(__file__).parent / "data" / "torch_cuda.json"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:\.post\d+)?(?:\+([A-Za-z0-9._-]+))?")

Capability = tuple[int, int]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``verdict``: yes, no or unknown; ``reason`` in one sentence without a full stop. ``why`` of a no: card-too-new,
    card-too-old or driver-too-old. ``architectures``: what the wheel has code for. ``least``: the driver it takes."""

    verdict: str
    reason: Message
    why: str = ""
    architectures: tuple[str, ...] = ()
    least: str = ""


class Wheels(msgspec.Struct, frozen=True, kw_only=True):
    """The wheels of one CUDA build (``cu128``) in a range of torch releases, for one system and machine."""

    cuda: str
    torch: tuple[str, str]
    system: str
    architectures: tuple[str, ...]
    machine: str = "x86_64"
    ptx: str = ""
    unsure: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One minor release of torch: its last patch, the Pythons with wheels, the torchvision that goes with it, and its
    CUDA builds in rising order."""

    torch: str
    python: tuple[str, str]
    torchvision: str
    cuda: tuple[str, ...]

    def accepts_python(self, python: tuple[int, int]) -> bool:
        """Whether there are wheels for this Python (major, minor)."""
        return minor(self.python[0]) <= python <= minor(self.python[1])


class _Table(msgspec.Struct, frozen=True):
    as_of: str
    driver_least: dict[str, dict[str, str]]
    driver_of_toolkit: dict[str, dict[str, str]]
    last_driver: dict[str, str]
    releases: tuple[Release, ...]
    builds: tuple[Wheels, ...]
    xformers: dict[str, str]


@functools.cache
def _table() -> _Table:
    return msgspec.json.decode(_DATA.read_bytes(), type=_Table)


def released(version: str) -> bool:
    """Whether a version is a published release (2.3.1, 2.3.1+cu121) and no nightly or build of one's own."""
    return _VERSION.fullmatch(version.strip()) is not None


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparing: (2, 3, 1) of 2.3.1+cu121; empty where it has none."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4] if len(part) < 9)


def minor(version: str) -> tuple[int, int]:
    """(2, 3) of 2.3.1+cu121; (0, 0) where it cannot be read."""
    found = numbers(version)[:2]
    return (found[0], found[1]) if len(found) == 2 else (0, 0)


def cuda_major(cuda_tag: str) -> int:
    """12 of cu121, 0 where it is no CUDA tag."""
    match = re.fullmatch(r"cu(\d{2})\d+", cuda_tag)
    return int(match[1]) if match else 0


def capability_of(text: str) -> Capability:
    """(8, 6) of ``8.6``."""
    major, _, rest = text.partition(".")
    return int(major), int(rest)


def releases() -> tuple[Release, ...]:
    """The releases that are known, in rising order."""
    return _table().releases


def release_of(version: str) -> Release | None:
    """The minor release that a version belongs to."""
    return next((one for one in releases() if minor(one.torch) == minor(version)), None)


def wheels(torch_version: str, cuda_tag: str, system: str, machine: str = "x86_64") -> Wheels | None:
    """The wheels of that build; None where the table does not hold them."""
    if not released(torch_version):
        return None
    wanted = minor(torch_version)
    for one in _table().builds:
        same = (one.cuda, one.system, one.machine) == (cuda_tag, system, machine)
        if same and minor(one.torch[0]) <= wanted <= minor(one.torch[1]):
            return one
    return None


def runs_on(torch_version: str, cuda_tag: str, capability: Capability, system: str, machine: str = "x86_64") -> Answer:
    """Whether the published wheel of ``torch_version`` and ``cuda_tag`` (cu128) has code for a card.

    ``system``: linux (WSL too) or windows; ``machine``: x86_64 or aarch64.
    """
    found = wheels(torch_version, cuda_tag, system, machine)
    told = {"build": f"{torch_version.partition('+')[0]}+{cuda_tag}", "capability": ".".join(map(str, capability))}
    if found is None:
        return Answer(verdict="unknown", reason=t("torch {build} is not in the table of published builds", **told))
    have = [capability_of(one) for one in found.architectures]
    unsure = [capability_of(one) for one in found.unsure]
    if any(_covers(one, capability) for one in have):
        verdict, reason = "yes", t("torch {build} has code for capability {capability}", **told)
    elif any(_covers(one, capability) for one in unsure):
        verdict, reason = "unknown", t("sources differ on whether torch {build} has code for {capability}", **told)
    elif found.ptx and capability > capability_of(found.ptx):
        verdict, reason = "unknown", t("torch {build} has only code that the driver must compile first", **told)
    else:
        told["list"] = ", ".join(found.architectures)
        verdict = "no"
        reason = t("torch {build} has code for capabilities {list}, and the card has {capability}", **told)
    why = "" if verdict != "no" else "card-too-old" if capability < min(have) else "card-too-new"
    return Answer(verdict=verdict, reason=reason, why=why, architectures=found.architectures)


def _covers(code: Capability, card: Capability) -> bool:
    return code[0] == card[0] and code[1] <= card[1]


def driver_allows(cuda_tag: str, driver: str, system: str) -> Answer:
    """Whether an NVIDIA driver (``551.61``) is new enough for wheels of a CUDA build.

    Wheels bring their own CUDA runtime; it needs the least driver of its major release, and not that of its toolkit.
    Source: NVIDIA's CUDA compatibility guide, minor version compatibility.
    """
    row = _table().driver_least.get(str(cuda_major(cuda_tag)), {})
    least = row.get(system, "")
    have = numbers(driver)
    if not least or not have:
        return Answer(verdict="unknown", reason=t("the least driver for {build} is not known", build=cuda_tag))
    told = {"build": cuda_tag, "least": least, "driver": driver}
    if have >= numbers(least):
        return Answer(verdict="yes", reason=t("driver {driver} is new enough for {build}", **told), least=least)
    maybe = row.get(f"{system}_maybe", "")
    if maybe and have >= numbers(maybe):
        reason = t("driver {driver} is at the edge of what {build} takes", **told)
        return Answer(verdict="unknown", reason=reason, least=least)
    reason = t("{build} takes driver {least} or newer, and this is {driver}", **told)
    return Answer(verdict="no", reason=reason, why="driver-too-old", least=least)


def strict_driver(cuda_tag: str, system: str) -> str:
    """The driver that was released with a build's CUDA toolkit: what its newest features take. Empty: not known."""
    major = cuda_major(cuda_tag)
    version = f"{major}.{cuda_tag[4:]}" if major else ""
    return _table().driver_of_toolkit.get(version, {}).get(system, "")


def last_driver(capability: Capability) -> str:
    """The last driver branch that runs cards of a capability; empty while they are still supported."""
    return _table().last_driver.get(f"{capability[0]}.{capability[1]}", "")


def torchvision_for(torch_version: str) -> str:
    """The torchvision release that belongs to a torch release (patch by patch); empty where it is not known."""
    found = release_of(torch_version)
    if found is None:
        return ""
    series = ".".join(found.torchvision.split(".")[:2])
    ours, last = numbers(torch_version)[2:3] or (0,), numbers(found.torch)[2]
    # torchvision 0.15.1 came with torch 2.0.0; from then on both count alike.
    return f"{series}.{ours[0] + int(found.torchvision.split('.')[2]) - last}"


def xformers_for(torch_version: str) -> str:
    """The xformers wheel that was built for a torch release; empty where none is known. From 2.10 on one fits all."""
    plain_version = torch_version.partition("+")[0]
    known = _table().xformers
    return known.get(plain_version, known["2.10.0"] if minor(plain_version) >= (2, 10) else "")


def as_of() -> Message:
    """When the table was last looked over."""
    return plain(_table().as_of)
