"""NVML asked for the driver and its cards, in a thread that is left behind where the driver hangs.

A question to a broken card may never return. So one thread asks, whoever wants to know waits for it a limited time, and
takes what it had found by then. While it hangs nobody starts another: they would all wait for the same lock.
"""

from __future__ import annotations

import importlib
import re
import sys
import threading
from typing import Any

import msgspec

from forgedoctor.facts import _nvml_card
from forgedoctor.facts._gpu_types import Card, DriverError
from forgedoctor.gpu import nvml_errors

MOST_CARDS = 64


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What NVML said. ``count``: the cards that it has; there may be fewer in ``cards`` where one hangs."""

    driver: str = ""
    cuda: tuple[int, int] | None = None
    count: int | None = None
    cards: tuple[Card, ...] = ()
    error: DriverError | None = None
    library: str = ""


class Reading:
    """One reading of everything, in a thread of its own."""

    def __init__(self) -> None:
        self.at = ""
        self.driver = ""
        self.cuda: tuple[int, int] | None = None
        self.count: int | None = None
        self.cards: list[Card] = []
        self.error: DriverError | None = None
        self.library = ""
        self.late = False
        self.thread = threading.Thread(target=self._run, daemon=True, name="nvml")

    def told(self) -> Told:
        """What is known by now; that it hangs, where the thread is still at it."""
        error = self.error
        if self.thread.is_alive():
            error = DriverError(code=nvml_errors.HANGS, at=self.at)
        return Told(
            driver=self.driver,
            cuda=self.cuda,
            count=self.count,
            cards=tuple(self.cards),
            error=error,
            library=self.library,
        )

    def _run(self) -> None:
        if sys.platform == "linux" and not _library_is_there():
            self.error = DriverError(code=nvml_errors.NO_LIBRARY, at="nvmlInit")
            return
        try:
            nvml = importlib.import_module("pynvml")
        except Exception as error:  # another package of that name may fail in any way
            self.error = DriverError(code=nvml_errors.NO_BINDING, at="import pynvml", said=str(error)[:200])
            return
        try:
            self.at = "nvmlInit"
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            self.error = error_of(nvml, error, self.at)
            self.library = loaded_library()
            return
        except Exception as error:
            self.error = DriverError(code=nvml_errors.NO_BINDING, at=self.at, said=str(error)[:200])
            return
        self.library = loaded_library()
        try:
            self._ask(nvml)
        except nvml.NVMLError as error:
            self.error = error_of(nvml, error, self.at)
        except Exception as error:
            self.error = DriverError(code=nvml_errors.UNKNOWN, at=self.at, said=str(error)[:200])
        finally:
            self.at = "nvmlShutdown"
            _quietly(nvml.nvmlShutdown)

    def _ask(self, nvml: Any) -> None:
        self.at = "nvmlSystemGetDriverVersion"
        self.driver = str(_quietly(nvml.nvmlSystemGetDriverVersion) or "")
        self.cuda = cuda_version(_quietly(nvml.nvmlSystemGetCudaDriverVersion))
        self.at = "nvmlDeviceGetCount"
        self.count = int(nvml.nvmlDeviceGetCount())
        for index in range(min(self.count, MOST_CARDS)):
            self.cards.append(_nvml_card.Questions(nvml, index, self._asks).card())

    def _asks(self, question: str) -> None:
        self.at = question


_lock = threading.Lock()
_current: Reading | None = None


def ask(patience: float) -> Told:
    """Ask NVML, for at most ``patience`` seconds. Where an earlier question still hangs, that is the answer, soon."""
    global _current
    with _lock:
        reading = _current
        if reading is None or not reading.thread.is_alive():
            reading = _current = Reading()
            reading.thread.start()
    reading.thread.join(0.2 if reading.late else patience)
    reading.late = reading.thread.is_alive()
    return reading.told()


def error_of(nvml: Any, error: Any, at: str) -> DriverError:
    """An NVMLError as ours. Its ``value`` is compared: the exception itself can neither be hashed nor compared."""
    code = int(getattr(error, "value", nvml_errors.UNKNOWN))
    said = "" if not nvml_errors.name(code).startswith("Error ") else str(_quietly(nvml.nvmlErrorString, code) or "")
    return DriverError(code=code, at=at, said=said[:200])


def cuda_version(number: Any) -> tuple[int, int] | None:
    """12040 is CUDA 12.4. Source: nvmlSystemGetCudaDriverVersion."""
    return (number // 1000, number % 1000 // 10) if isinstance(number, int) and number >= 1000 else None


def _library_is_there() -> bool:
    """Whether the loader finds NVML, by the name that nvidia-ml-py asks for: most machines without a card are told from
    that at once, and its import is a tenth of a short run."""
    import ctypes

    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def loaded_library() -> str:
    """The file of the NVML library in this process (Linux), symbolic links resolved: it ends in its version."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            for line in maps:
                found = re.search(r"(/\S*libnvidia-ml\.so\S*)", line)
                if found:
                    return found[1]
    except OSError:
        pass
    return ""


def _quietly(call: Any, *arguments: Any) -> Any:
    """What a call returns; None where it fails, which is an answer for what a driver need not have."""
    try:
        return call(*arguments)
    except Exception:
        return None
