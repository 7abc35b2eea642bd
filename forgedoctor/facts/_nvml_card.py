"""The questions to one card. What it does not support, or what the driver is too old for, stays None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forgedoctor.facts._gpu_types import REASONS, Card, DriverError, GpuProcess, Link, Slice
from forgedoctor.gpu import nvml_errors

MOST_PROCESSES = 200
MOST_SLICES = 16
_V2 = 0x02000028  # nvmlMemory_v2: version 2, 40 bytes
_CORE_SENSOR, _UNCORRECTED, _SINCE_BOOT = 0, 1, 0


class Stopped(Exception):
    """The card is lost, must be reset, or the like: nothing more can be asked of it."""

    def __init__(self, error: DriverError) -> None:
        super().__init__(error.name)
        self.error = error


class Questions:
    """All questions to the card of that index; ``asks`` is told each one before, so that a hanging one has a name."""

    def __init__(self, nvml: Any, index: int, asks: Callable[[str], None]) -> None:
        self.nvml, self.index, self.asks = nvml, index, asks
        self.found: dict[str, Any] = {"index": index}

    def card(self) -> Card:
        """The card, as far as it tells."""
        try:
            self.asks(f"nvmlDeviceGetHandleByIndex({self.index})")
            handle = self.nvml.nvmlDeviceGetHandleByIndex(self.index)
            for part in self._parts():
                part(handle)
        except Stopped as why:
            self.found["error"] = why.error
        except self.nvml.NVMLError as error:
            self.found["error"] = self._error(error, "nvmlDeviceGetHandleByIndex")
        return Card(**self.found)

    def _parts(self) -> tuple[Callable[[Any], None], ...]:
        about = (self._names, self._memory, self._state, self._health, self._link)
        return (*about, self._programs, self._slices)

    def _told(self, function: str, *arguments: Any) -> Any:
        """What a function answers; None where the card, the driver or this release of the binding has no answer."""
        call = getattr(self.nvml, function, None)
        if call is None:
            return None
        self.asks(f"{function}({self.index})")
        try:
            return call(*arguments)
        except self.nvml.NVMLError as error:
            if error.value in nvml_errors.GRAVE:
                raise Stopped(self._error(error, function)) from None
            return None
        except Exception:  # a binding of another age: its faults are no findings
            return None

    def _error(self, error: Any, at: str) -> DriverError:
        return DriverError(code=int(error.value), at=f"{at}({self.index})", said=str(error)[:200])

    def _names(self, handle: Any) -> None:
        self.found["name"] = _text(self._told("nvmlDeviceGetName", handle))
        self.found["uuid"] = _text(self._told("nvmlDeviceGetUUID", handle))
        pci = self._told("nvmlDeviceGetPciInfo", handle)
        self.found["bus_id"] = bus_id(_text(getattr(pci, "busId", "")))
        capability = self._told("nvmlDeviceGetCudaComputeCapability", handle)
        self.found["capability"] = tuple(capability) if capability else None

    def _memory(self, handle: Any) -> None:
        """Only free and total: what ``used`` holds differs between the versions of the call."""
        memory = self._told("nvmlDeviceGetMemoryInfo", handle, _V2) or self._told("nvmlDeviceGetMemoryInfo", handle)
        if memory is not None and memory.total:
            self.found["total_mib"] = int(memory.total) >> 20
            self.found["free_mib"] = int(memory.free) >> 20

    def _state(self, handle: Any) -> None:
        use = self._told("nvmlDeviceGetUtilizationRates", handle)
        self.found["utilisation"] = None if use is None else int(use.gpu)
        self.found["temperature"] = _first(
            self._told("nvmlDeviceGetTemperature", handle, _CORE_SENSOR),
            lambda: self._told("nvmlDeviceGetTemperatureV", handle, _CORE_SENSOR),
        )
        self.found["power"] = _watts(self._told("nvmlDeviceGetPowerUsage", handle))
        self.found["power_limit"] = _watts(self._told("nvmlDeviceGetEnforcedPowerLimit", handle))
        bits = _first(
            self._told("nvmlDeviceGetCurrentClocksEventReasons", handle),
            lambda: self._told("nvmlDeviceGetCurrentClocksThrottleReasons", handle),
        )
        self.found["reasons"] = None if bits is None else tuple(name for bit, name in REASONS if bits & bit)
        active = self._told("nvmlDeviceGetDisplayActive", handle)
        self.found["display"] = None if active is None else bool(active)

    def _health(self, handle: Any) -> None:
        mode = self._told("nvmlDeviceGetEccMode", handle)
        self.found["ecc"] = bool(mode[0]) if mode else None
        if self.found["ecc"]:
            self.found["uncorrected"] = self._told("nvmlDeviceGetTotalEccErrors", handle, _UNCORRECTED, _SINCE_BOOT)
            rows = self._told("nvmlDeviceGetRemappedRows", handle)
            if rows:
                self.found["remap_pending"], self.found["remap_failed"] = bool(rows[2]), bool(rows[3])

    def _link(self, handle: Any) -> None:
        self.found["link"] = Link(
            width=self._told("nvmlDeviceGetCurrPcieLinkWidth", handle),
            max_width=self._told("nvmlDeviceGetMaxPcieLinkWidth", handle),
            generation=self._told("nvmlDeviceGetCurrPcieLinkGeneration", handle),
            max_generation=self._told("nvmlDeviceGetMaxPcieLinkGeneration", handle),
        )

    def _programs(self, handle: Any) -> None:
        compute, graphics = self._running("Compute", handle), self._running("Graphics", handle)
        if compute is None and graphics is None:
            return
        merged: dict[int, GpuProcess] = {}
        for kind, rows in (("compute", compute or []), ("graphics", graphics or [])):
            for row in rows[:MOST_PROCESSES]:
                pid, used = int(row.pid), row.usedGpuMemory
                before = merged.get(pid)
                mib = None if used is None else int(used) >> 20
                known = [one for one in (mib, before.used_mib if before else None) if one is not None]
                both = "both" if before and before.kind != kind else kind
                merged[pid] = GpuProcess(pid=pid, used_mib=max(known, default=None), kind=both)
        self.found["processes"] = tuple(merged.values())

    def _running(self, kind: str, handle: Any) -> list[Any] | None:
        names = [f"nvmlDeviceGet{kind}RunningProcesses{version}" for version in ("", "_v2")]
        rows = _first(self._told(names[0], handle), lambda: self._told(names[1], handle))
        return None if rows is None else list(rows)

    def _slices(self, handle: Any) -> None:
        mode = self._told("nvmlDeviceGetMigMode", handle)
        self.found["mig"] = bool(mode[0]) if mode else None
        if not self.found["mig"]:
            return
        most = min(int(self._told("nvmlDeviceGetMaxMigDeviceCount", handle) or 0), MOST_SLICES)
        found = [self._slice(handle, number) for number in range(most)]
        self.found["slices"] = tuple(one for one in found if one)

    def _slice(self, handle: Any, number: int) -> Slice | None:
        part = self._told("nvmlDeviceGetMigDeviceHandleByIndex", handle, number)
        if part is None:
            return None
        memory = self._told("nvmlDeviceGetMemoryInfo", part)
        return Slice(
            index=number,
            uuid=_text(self._told("nvmlDeviceGetUUID", part)),
            name=_text(self._told("nvmlDeviceGetName", part)),
            total_mib=int(memory.total) >> 20 if memory else None,
            free_mib=int(memory.free) >> 20 if memory else None,
        )


def bus_id(text: str) -> str:
    """NVML writes 00000000:01:00.0, the kernel 0000:01:00.0; ours is the kernel's."""
    text = text.lower()
    return text[4:] if len(text) == 16 and text.startswith("0000") else text


def _text(value: Any) -> str:
    if isinstance(value, bytes):  # releases of the binding before 11.515
        value = value.decode("utf-8", "replace")
    return str(value or "")[:200]


def _watts(milliwatts: Any) -> float | None:
    return None if milliwatts is None else round(int(milliwatts) / 1000, 1)


def _first(value: Any, otherwise: Callable[[], Any]) -> Any:
    return otherwise() if value is None else value
