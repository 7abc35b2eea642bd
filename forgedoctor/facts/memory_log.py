"""What a log or a running server tells of memory: Forge's own arithmetic, what came of it, errors of allocators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts._memory_log_read import MAYBE, Reader
from forgedoctor.facts._memory_log_types import Freed, Load, LowMemory, OutOfMemory, Pace, Setting
from forgedoctor.facts.endpoint import Endpoint
from forgedoctor.facts.transcript import Exchanges, Transcript
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["ApiMemory", "Freed", "Load", "LowMemory", "MemoryLog", "OutOfMemory", "Pace", "Setting"]

LONGEST = 8000  # characters of a line that are read; what is longer is an image in base64, or hostile
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_GPU_LABEL = re.compile(r"^\W{0,4}GPU\W{0,4}:\W{0,4}(.+)$")


class ApiMemory(msgspec.Struct, frozen=True, kw_only=True):
    """GET /sdapi/v1/memory in MiB: ``ooms`` and ``retries`` are counted since the start of the process."""

    ram_used: float | None = None
    ram_total: float | None = None
    free: float | None = None
    total: float | None = None
    allocated_peak: float | None = None
    reserved: float | None = None
    allocated: float | None = None
    ooms: int = 0
    retries: int = 0
    where: str = ""


class MemoryLog(Fact, frozen=True, kw_only=True):
    """Memory as a log tells it; sizes are MiB, None or empty where the text is silent.

    ``gpu``: the card's name. ``vram``, ``ram``: what the start prints. ``state``: NORMAL_VRAM and its kin.
    ``allocator``: native or cudaMallocAsync. ``loads``, ``freed``, ``settings``, ``low``, ``failures``, ``paces``:
    records in order, each with its line. ``moves`` and ``moved_seconds``: how often models were moved, and how long
    that took. ``tiled``: how often the VAE ran out of memory and went on in tiles; ``lora``: the same for the patching
    of LoRAs. ``api``: what /sdapi/v1/memory answered, where the text holds that.
    """

    gpu: str = ""
    vram: float | None = None
    ram: float | None = None
    torch: str = ""
    state: str = ""
    allocator: str = ""
    offload: bool = False
    loads: tuple[Load, ...] = ()
    freed: tuple[Freed, ...] = ()
    settings: tuple[Setting, ...] = ()
    low: tuple[LowMemory, ...] = ()
    failures: tuple[OutOfMemory, ...] = ()
    paces: tuple[Pace, ...] = ()
    tiled: int = 0
    lora: int = 0
    moves: int = 0
    moved_seconds: float = 0.0
    api: ApiMemory | None = None

    @property
    def reserve(self) -> float | None:
        """What was kept for computing last, MiB: as set, else as the last fit test counted with it."""
        told = [one.reserve for one in self.settings if one.reserve is not None]
        told = told or [one.inference for one in self.loads if one.inference is not None]
        return told[-1] if told else None


@collector(MemoryLog, scopes=("text",), budget=20.0)
def collect(target: Target, transcript: Transcript, exchanges: Exchanges | None) -> MemoryLog:
    """Read the pasted texts as they came: a progress bar may have overwritten what stands on its line."""
    reader = Reader()
    for text, where, number in _pieces(target):
        reader.piece(text, where, number)
    reader.close()
    facts: dict[str, Any] = reader.facts
    facts["gpu"] = facts.get("gpu") or _labelled(transcript)
    found = (
        reader.loads,
        reader.freed,
        reader.settings,
        reader.low,
        reader.failures,
        reader.paces,
        reader.moves,
        reader.tiled,
    )
    api = _api(exchanges)
    if not any((*found, reader.lora, api, *facts.values())):
        raise Unavailable(t("the text does not speak of graphics memory"), sought=False)
    return MemoryLog(
        source=transcript.source,
        loads=tuple(reader.loads),
        freed=tuple(reader.freed),
        settings=tuple(reader.settings),
        low=tuple(reader.low),
        failures=tuple(reader.failures),
        paces=tuple(reader.paces),
        tiled=reader.tiled,
        lora=reader.lora,
        moves=reader.moves,
        moved_seconds=reader.moved_seconds,
        api=api,
        **facts,
    )


def _pieces(target: Target) -> Iterator[tuple[str, str, int]]:
    """What stands between line ends and carriage returns, where it may tell of memory; and where it stands."""
    for name, body in target.texts:
        lines = body.replace("\r\n", "\n").split("\n")
        for number, line in enumerate(lines, start=1):
            if not MAYBE.search(line):
                continue
            where = f"{name or 'pasted text'} line {number}"
            head = line if "\r" not in line else line[: 20 * LONGEST]
            for piece in head.split("\r"):
                if MAYBE.search(piece):
                    yield _told(_ANSI.sub("", piece[:LONGEST]), lines, number), where, number


def _told(piece: str, lines: list[str], number: int) -> str:
    """cudaMallocAsync tells its numbers on the lines that follow."""
    if "Allocation on device" not in piece:
        return piece
    return "\n".join([piece, *(line[:200] for line in lines[number : number + 6])])


def _labelled(transcript: Transcript) -> str:
    found = (_GPU_LABEL.match(line.text) for line in transcript.lines[:200])
    return next((match[1].strip()[:100] for match in found if match), "")


def _api(exchanges: Exchanges | None) -> ApiMemory | None:
    asked = (
        [one for one in exchanges.exchanges if one.path.rstrip("/").endswith("/sdapi/v1/memory")] if exchanges else []
    )
    for one in reversed(asked):
        if isinstance(one.json, dict):
            return read_api(one.json, one.where)
    return None


@collector(MemoryLog, scopes=("live", "endpoint"))
def from_endpoint(endpoint: Endpoint) -> MemoryLog:
    """What a server says of its own memory. Raises Unavailable where it gave no numbers."""
    probe = endpoint.probe("memory")
    if probe is None or probe.status != 200 or not isinstance(probe.json, dict):
        raise Unavailable(t("the server gave no numbers of its memory"), sought=False)
    return MemoryLog(source=endpoint.url, api=read_api(probe.json, "GET /sdapi/v1/memory"))


def read_api(body: dict[str, Any], where: str = "") -> ApiMemory:
    """The answer of /sdapi/v1/memory as numbers; whatever is missing or no number is None."""
    cuda, ram = _part(body, "cuda"), _part(body, "ram")
    system, events = _part(cuda, "system"), _part(cuda, "events")
    allocated, reserved = _part(cuda, "allocated"), _part(cuda, "reserved")
    return ApiMemory(
        ram_used=_mib(ram.get("used")),
        ram_total=_mib(ram.get("total")),
        free=_mib(system.get("free")),
        total=_mib(system.get("total")),
        allocated=_mib(allocated.get("current")),
        allocated_peak=_mib(allocated.get("peak")),
        reserved=_mib(reserved.get("current")),
        ooms=_count(events.get("oom")),
        retries=_count(events.get("retries")),
        where=where or "/sdapi/v1/memory",
    )


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _mib(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value / 1024**2 if number and 0 <= value < 1e18 else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1e12 else 0
