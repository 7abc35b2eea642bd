"""The sentences with which allocators say that there is no memory left, as numbers.

Source: torch c10/cuda/CUDACachingAllocator.cpp, CUDAMallocAsyncAllocator.cpp, aten/src/ATen/mps/MPSAllocator.mm,
c10/core/impl/alloc_cpu.cpp, torch-directml, modules/sd_hijack_optimizations.py of AUTOMATIC1111.
"""

from __future__ import annotations

import re

from forgedoctor.facts._memory_log_types import OutOfMemory

_UNITS = {"": 1.0, "k": 1024.0, "m": 1024.0**2, "g": 1024.0**3, "t": 1024.0**4}
_SIZE = r"(-?[\d.]+) ?([KMGT]?)i?(?:B|bytes)"

# One sentence each; what stands behind it on the line is read by the patterns below.
FAILED = re.compile(
    r"(?P<card>CUDA|HIP|XPU) out of memory\.?"
    r"|(?P<async>Allocation on device \d* ?would exceed allowed memory|Allocation on device\b)"
    r"|(?P<mps>MPS backend out of memory)"
    r"|(?P<directml>Could not allocate tensor with \d+ bytes\. There is not enough GPU video memory)"
    r"|(?P<a1111>Not enough memory, use lower resolution)"
    r"|(?P<driver>CUDA error: out of memory|hipErrorOutOfMemory|CUBLAS_STATUS_ALLOC_FAILED)"
    r"|(?P<ram>DefaultCPUAllocator: (?:not enough memory|can't allocate memory))"
)

_WANTED = re.compile(rf"(?:[Tt]ried to allocate|Requested +:|Need:) *{_SIZE}")
_TENSOR = re.compile(r"tensor with (\d+) ?(bytes)")
_TOTAL = re.compile(
    rf"(?:total capac?i?ty of {_SIZE}|{_SIZE} total capacity|Device limit +: *{_SIZE}|max allowed: {_SIZE})"
)
_FREE = re.compile(
    rf"(?:of which {_SIZE} is free|{_SIZE} free;|Free \(according to CUDA\): *{_SIZE}|Have: ?{_SIZE} free)"
)
_OWN = re.compile(rf"[Tt]his process has {_SIZE} memory in use")
_NAMED = re.compile(rf"Process \d+ has {_SIZE} memory in use")  # inside a container the process itself
_ALLOCATED = re.compile(
    rf"(?:{_SIZE} is allocated by PyTorch|{_SIZE} already allocated"
    rf"|Currently allocated +: *{_SIZE}|MPS allocated: {_SIZE})"
)
_RESERVED = re.compile(rf"{_SIZE} reserved in total")
_IDLE = re.compile(rf"{_SIZE} is reserved by PyTorch but unallocated")
_NEVER = 1e12  # the allocator prints 17179869184.00 GiB where it does not know


def parsed(text: str, at: int, number: int, where: str) -> OutOfMemory | None:
    """The failure whose sentence begins at ``at`` or later in ``text``; None where there is none."""
    match = FAILED.search(text, at)
    if match is None:
        return None
    group = match.lastgroup or ""
    kind = {"card": match[0][:4].strip().lower(), "async": "cuda"}.get(group, group)
    said = text[match.start() : match.start() + 1200]
    allocated, idle, reserved = _mib(_ALLOCATED, said), _mib(_IDLE, said), _mib(_RESERVED, said)
    if idle is None and reserved is not None and allocated is not None:
        idle = max(0.0, reserved - allocated)
    return OutOfMemory(
        kind=kind,
        text=said[:300],
        wanted=_mib(_WANTED, said) or _mib(_TENSOR, said),
        total=_mib(_TOTAL, said),
        free=_mib(_FREE, said),
        own=_mib(_OWN, said) or _mib(_NAMED, said),
        others=bool(_OWN.search(said)),
        allocated=allocated,
        idle=idle,
        number=number,
        where=where,
    )


def _mib(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    if match is None:
        return None
    value, unit = [one for one in match.groups() if one is not None][:2]
    try:
        size = float(value) * _UNITS[unit.lower() if unit != "bytes" else ""] / _UNITS["m"]
    except (ValueError, KeyError):
        return None
    return size if 0 <= size < _NEVER else None
