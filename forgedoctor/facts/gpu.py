"""The GPUs of this machine as the driver tells them, and which of them Forge gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _gpu_adapters, _gpu_choice, _gpu_programs, _gpu_signs, _nvml
from forgedoctor.facts._gpu_types import Adapter, Card, DriverError, GpuProcess, Link, Signs, Slice
from forgedoctor.facts._local import is_elsewhere
from forgedoctor.facts.host import Host
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.gpu.choice import Pick, Seen, pick
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = [
    "Adapter", "Card", "DriverError", "GpuChoice", "GpuProcess", "Gpus", "Link", "Pick", "Signs", "Slice", "collect",
]  # fmt: skip

PATIENCE = 4.0  # seconds for all questions to the driver: waking several idle cards of a server takes one or two


class Gpus(Fact, frozen=True, kw_only=True):
    """The GPUs of this machine.

    ``driver``: the NVIDIA driver's version (``551.61``). ``cuda``: the highest CUDA version that it runs, as (major,
    minor). ``cards``: NVIDIA cards as NVML tells them; ``count``: how many it has. ``error``: why NVML could not be
    asked, or stopped. ``adapters``: display adapters of every vendor as the system lists them (None: it cannot be
    read). ``signs``: the marks of a driver in a Linux system. ``foreign_pids``: the pids of the cards' processes are
    those of another namespace (the host of a container, Windows under WSL).
    """

    driver: str = ""
    cuda: tuple[int, int] | None = None
    count: int | None = None
    cards: tuple[Card, ...] = ()
    error: DriverError | None = None
    adapters: tuple[Adapter, ...] | None = None
    signs: Signs | None = None
    foreign_pids: bool = False

    def of_vendor(self, vendor: str) -> tuple[Adapter, ...]:
        """The adapters of a vendor, as the system lists them."""
        return tuple(one for one in self.adapters or () if one.vendor == vendor)

    @property
    def alive(self) -> tuple[Card, ...]:
        """The cards that answer."""
        return tuple(one for one in self.cards if one.error is None)


class GpuChoice(Fact, frozen=True, kw_only=True):
    """Which card Forge gets as cuda:0.

    ``visible``: CUDA_VISIBLE_DEVICES as the launch has it (None: unset), ``visible_from`` where that stands. ``order``:
    CUDA_DEVICE_ORDER. ``known`` is false where the variables of the running process may not be read. ``flag``: the flag
    that chooses and its value. ``pick``: what follows. ``seen_on``: the cards on which the running Forge was seen;
    that is certain. ``slips``: variables that look like a misspelt CUDA_VISIBLE_DEVICES, as (name, value, where).
    """

    pick: Pick
    visible: str | None = None
    visible_from: str = ""
    order: str = ""
    known: bool = True
    flag: str = ""
    flag_value: str = ""
    seen_on: tuple[int, ...] = ()
    slips: tuple[tuple[str, str, str], ...] = ()

    @property
    def index(self) -> int | None:
        """The card's number in NVML's order, where one is certain."""
        return self.seen_on[0] if len(self.seen_on) == 1 else self.pick.index


@collector(Gpus, scopes=("live", "preflight"), budget=6.0)
def collect(target: Target, host: Host, interfaces: Interfaces | None) -> Gpus:
    """Ask NVML (through nvidia-ml-py) for at most PATIENCE seconds, and look at what the system lists."""
    if is_elsewhere(target.url, interfaces):
        raise Unavailable(t("{url} is another machine; its GPU cannot be seen from here", url=target.url), sought=False)
    if host.system == "macos":
        return Gpus(source="system_profiler", adapters=_gpu_adapters.macos())
    told = _nvml.ask(PATIENCE)
    foreign = bool(host.container) or host.wsl
    cards = told.cards if foreign else _gpu_programs.named(told.cards)
    linux = host.system == "linux"
    root = Path("/")
    return Gpus(
        source="NVML",
        driver=told.driver,
        cuda=told.cuda,
        count=told.count,
        cards=cards,
        error=told.error,
        adapters=_gpu_adapters.linux(root) if linux else _gpu_adapters.windows() if host.system == "windows" else None,
        signs=_gpu_signs.linux(root, os.environ, told.library, told.error is not None) if linux else None,
        foreign_pids=foreign,
    )


@collector(GpuChoice, scopes=("live", "preflight"))
def choice(target: Target, gpus: Gpus, launch: Launch, files: LaunchFiles | None) -> GpuChoice:
    """What the launch's variables and flags choose, among the cards that NVML has."""
    variables = _gpu_choice.variables(launch, files, {**os.environ, **target.env})
    return chosen(gpus, launch, variables)


def chosen(gpus: Gpus, launch: Launch, variables: Mapping[str, tuple[str, str]] | None) -> GpuChoice:
    """The choice from (value, where) of each variable by name; None where they may not be read."""
    known = variables or {}
    visible, where = known.get("CUDA_VISIBLE_DEVICES", (None, ""))
    order = known.get("CUDA_DEVICE_ORDER", ("", ""))[0]
    flag, value = _gpu_choice.flag_of(launch)
    seen = [Seen(one.index, one.name, one.uuid, tuple(part.uuid for part in one.slices)) for one in gpus.cards]
    wanted = _gpu_choice.asked(flag, value, visible)
    answer = pick(seen, wanted.visible, order.strip().upper() == "PCI_BUS_ID", wanted.ordinal)
    if wanted.wrong:
        answer = Pick(outcome="none", why="not-a-number", entry=value)
    if variables is None and not flag and len(gpus.cards) > 1:
        answer = Pick(outcome="unknown", why="variables-hidden")
    return GpuChoice(
        source=where or launch.origin,
        pick=answer,
        visible=visible,
        visible_from=where,
        order=order,
        known=variables is not None,
        flag=flag,
        flag_value=value,
        seen_on=_gpu_choice.seen_on(gpus.cards, launch.pid) if not gpus.foreign_pids else (),
        slips=_gpu_choice.slips(known),
    )


def by_index(gpus: Gpus, index: int | None) -> Card | None:
    """The card of that number."""
    return next((one for one in gpus.cards if one.index == index), None)
