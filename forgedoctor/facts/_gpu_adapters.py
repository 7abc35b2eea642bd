"""Display adapters as the system lists them: Linux's sysfs, Windows' registry, macOS' profiler. Nothing is changed."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from forgedoctor.facts import _command
from forgedoctor.facts._gpu_types import Adapter
from forgedoctor.facts._host import read

_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel", "106b": "apple"}
_DISPLAY = "0x03"  # the PCI class of display controllers; 3D controllers without a socket have it too
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_ENUM = r"SYSTEM\CurrentControlSet\Enum\PCI"
_PCI = re.compile(r"ven_([0-9a-f]{4})&dev_([0-9a-f]{4})", re.IGNORECASE)
_MOST = 64

Look = Callable[[str], "tuple[Mapping[str, Any], list[str]] | None"]


def linux(root: Path) -> tuple[Adapter, ...] | None:
    """The display controllers on the PCI bus; None where there is no bus to look at (some virtual machines, WSL)."""
    try:
        devices = sorted((root / "sys/bus/pci/devices").iterdir())
    except OSError:
        return None
    found = [device for device in devices if read(device / "class", 20).startswith(_DISPLAY)]
    return tuple(_pci_device(device) for device in found[:_MOST])


def _pci_device(device: Path) -> Adapter:
    vendor = read(device / "vendor", 20).strip().removeprefix("0x")
    try:
        driver = (device / "driver").resolve().name if (device / "driver").exists() else ""
    except OSError:
        driver = ""
    return Adapter(
        vendor=_VENDORS.get(vendor, vendor),
        device=read(device / "device", 20).strip().removeprefix("0x"),
        bus_id=device.name.lower(),
        driver=driver,
        total_mib=_mib(read(device / "mem_info_vram_total", 40)),
        used_mib=_mib(read(device / "mem_info_vram_used", 40)),
    )


def _mib(text: str) -> int | None:
    text = text.strip()
    return int(text[:20]) >> 20 if text.isdecimal() and int(text[:20]) else None


def windows(look: Look | None = None) -> tuple[Adapter, ...] | None:
    """The adapters that have a driver, by the registry, and NVIDIA devices that only the list of the bus names.

    The registry keeps what was taken out: an entry says that a card is or was here. ``look(key)`` gives a key's values
    and the names of its keys, None where it may not be read.
    """
    look = look or _registry()
    top = look(_CLASS) if look else None
    if look is None or top is None:
        return None
    found = [_entry(values[0]) for name in top[1][:_MOST] if name.isdecimal() and (values := look(f"{_CLASS}\\{name}"))]
    adapters = [one for one in found if one]
    bus = look(_ENUM)
    on_bus = [_PCI.search(name) for name in (bus[1] if bus else [])]
    if not any(one.vendor == "nvidia" for one in adapters):
        others = [one for one in on_bus if one and one[1].lower() == "10de"]
        adapters += [Adapter(vendor="nvidia", device=one[2].lower(), present=False) for one in others[:1]]
    return tuple(adapters)


def _entry(values: Mapping[str, Any]) -> Adapter | None:
    """One adapter of the display class. Memory is a number, or eight bytes, by the age of the driver."""
    name = str(values.get("DriverDesc") or "")[:200]
    match = _PCI.search(str(values.get("MatchingDeviceId") or ""))
    if not name or not match:  # virtual displays and the basic driver
        return None
    size = values.get("HardwareInformation.qwMemorySize")
    size = int.from_bytes(size[:8], "little") if isinstance(size, bytes) else size
    return Adapter(
        vendor=_VENDORS.get(match[1].lower(), match[1].lower()),
        device=match[2].lower(),
        name=name,
        driver=str(values.get("DriverVersion") or "")[:60],
        total_mib=size >> 20 if isinstance(size, int) and size > 0 else None,
        present=False,
    )


def _registry() -> Look | None:
    try:
        winreg: Any = importlib.import_module("winreg")
    except ImportError:
        return None
    return lambda key: _key(winreg, key)


def _key(winreg: Any, key: str) -> tuple[dict[str, Any], list[str]] | None:
    values: dict[str, Any] = {}
    names: list[str] = []
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            keys, count, _ = winreg.QueryInfoKey(opened)
            for at in range(min(count, 1000)):
                name, value, _ = winreg.EnumValue(opened, at)
                values[name] = value
            names = [winreg.EnumKey(opened, at) for at in range(min(keys, 1000))]
    except FileNotFoundError:
        return {}, []
    except OSError:
        return None
    return values, names


def macos() -> tuple[Adapter, ...] | None:
    """The chips and cards that system_profiler names; it takes about half a second."""
    told = _command.run(["system_profiler", "SPDisplaysDataType", "-json"], timeout=3.0)
    memory = _command.run(["sysctl", "-n", "hw.memsize"], timeout=1.0)
    return of_profiler(told.text, memory.text) if told.outcome == "ok" else None


def of_profiler(text: str, memsize: str = "") -> tuple[Adapter, ...] | None:
    """The answer of ``system_profiler SPDisplaysDataType -json``. Apple's chips share the main memory (``memsize``)."""
    try:
        rows = json.loads(text)["SPDisplaysDataType"]
        return tuple(_of_mac(row, memsize) for row in _dicts(rows))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)][:_MOST]


def _of_mac(row: dict[str, Any], memsize: str) -> Adapter:
    name = str(row.get("sppci_model") or row.get("_name") or "")[:200]
    told = f"{row.get('spdisplays_vendor', '')} {name}".lower()
    vendor = next((one for one in ("apple", "nvidia", "amd", "intel") if one in told), "amd" if "ati" in told else "")
    size = re.match(r"(\d+) ?(MB|GB)", str(row.get("spdisplays_vram") or ""))
    total = int(size[1]) * (1024 if size[2] == "GB" else 1) if size else None
    return Adapter(vendor=vendor, name=name, total_mib=_mib(memsize) if vendor == "apple" else total)
