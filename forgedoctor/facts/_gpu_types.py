"""What is known of GPUs: the records inside the facts of facts/gpu.py."""

from __future__ import annotations

import msgspec

from forgedoctor.gpu import nvml_errors
from forgedoctor.message import Message

# Bits of nvmlClocksEventReasons. Source: NVML API reference.
REASONS = (
    (0x1, "idle"),
    (0x2, "application-clocks"),
    (0x4, "power-cap"),
    (0x8, "hardware-slowdown"),
    (0x10, "sync-boost"),
    (0x20, "software-thermal"),
    (0x40, "hardware-thermal"),
    (0x80, "power-brake"),
    (0x100, "display-clocks"),
)


class DriverError(msgspec.Struct, frozen=True, kw_only=True):
    """An error of NVML. ``code``: nvmlReturn_t, or one of ours below zero (see gpu/nvml_errors.py). ``at``: the
    question that was asked. ``said``: the driver's own words, for a code that is not known here."""

    code: int
    at: str = ""
    said: str = ""

    @property
    def name(self) -> str:
        return nvml_errors.name(self.code)

    @property
    def meaning(self) -> Message:
        return nvml_errors.meaning(self.code, self.said)


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A program on a card. ``used_mib``: None where the system does not tell (Windows' WDDM). ``kind``: compute,
    graphics or both. ``name``, ``command``, ``parent``: empty or None where not known (another pid namespace)."""

    pid: int
    used_mib: int | None = None
    kind: str = "compute"
    name: str = ""
    command: str = ""
    parent: int | None = None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A MIG instance of a card: what CUDA sees in its stead."""

    index: int
    uuid: str = ""
    name: str = ""
    total_mib: int | None = None
    free_mib: int | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The PCI Express link: lanes and generation now and at most (of card and slot together). Idle cards lower the
    generation."""

    width: int | None = None
    max_width: int | None = None
    generation: int | None = None
    max_generation: int | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """An NVIDIA card as NVML tells it; None is what it does not tell. ``index`` counts in the order of the PCI bus,
    as nvidia-smi does, and not as CUDA does. Memory in MiB, power in W, temperature in degrees Celsius, ``utilisation``
    in percent. ``error``: what stopped the questions to this card. ``processes_seen``: pids are this namespace's."""

    index: int
    name: str = ""
    uuid: str = ""
    bus_id: str = ""
    capability: tuple[int, int] | None = None
    total_mib: int | None = None
    free_mib: int | None = None
    processes: tuple[GpuProcess, ...] | None = None
    utilisation: int | None = None
    temperature: int | None = None
    power: float | None = None
    power_limit: float | None = None
    reasons: tuple[str, ...] | None = None
    link: Link = Link()
    ecc: bool | None = None
    uncorrected: int | None = None
    remap_pending: bool | None = None
    remap_failed: bool | None = None
    mig: bool | None = None
    slices: tuple[Slice, ...] = ()
    display: bool | None = None
    error: DriverError | None = None

    @property
    def used_mib(self) -> int | None:
        """Total less free: what programs, the driver and the desktop hold."""
        return None if self.total_mib is None or self.free_mib is None else self.total_mib - self.free_mib


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A display adapter as the system's bus or registry lists it. ``vendor``: nvidia, amd, intel, apple, or the PCI
    number. ``device``: the PCI device number in hex. ``driver``: the kernel driver bound to it, empty for none.
    ``present``: false where only the system's records name it, which also keep cards that were taken out."""

    vendor: str
    device: str = ""
    name: str = ""
    bus_id: str = ""
    driver: str = ""
    total_mib: int | None = None
    used_mib: int | None = None
    present: bool = True


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """The marks of a driver in a Linux system. ``nodes``: device files that are there, ``closed``: those of them that
    may not be opened. ``module``: the version of the loaded NVIDIA kernel driver, ``modules``: which of nvidia, nouveau
    and amdgpu are loaded. ``library``: the NVML library's file once it was loaded; ``wsl_library``: WSL brings one.
    ``cuda``: the driver's CUDA library is there (None: not found in the usual places). ``secure_boot``: None if not
    told. ``variables``: NVIDIA_VISIBLE_DEVICES and NVIDIA_DRIVER_CAPABILITIES of this process."""

    nodes: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    module: str = ""
    modules: tuple[str, ...] = ()
    library: str = ""
    wsl_library: bool = False
    cuda: bool | None = None
    secure_boot: bool | None = None
    variables: dict[str, str] = {}
