"""NVIDIA cards by name: CUDA capability, memory, what they compute fast. For cards that cannot be asked.

The table is data/gpus.json. What the driver says of a card always counts before it.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import msgspec

_DATA = Path(__file__).parent / "data" / "gpus.json"
# Words of a device name that do not tell the model apart.
_NOISE = re.compile(
    r"\(r\)|\(tm\)|\(pascal\)|\b(?:nvidia|geforce|gpu|generation|edition|workstation|server|max-q|design|with|with\s+max-q|"
    r"sxm\d?|sxm\d-\d+gb|pcie|pcie-\d+gb|hbm\w*|oem|mobile\s+gpu|ti-boost)\b"
)
_SIZE = re.compile(r"[\s-]*\b(\d{1,3})\s*gi?b\b")
_FAMILIES = ("rtx", "gtx", "gt", "tesla", "quadro")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A model. ``gib``: the memory of its variants in GiB; one only where the name tells the variant.

    ``fast_half``: Forge computes in half precision on it; ``bf16``, ``fp8``, ``fp4``: the card has such units.
    """

    name: str
    capability: tuple[int, int]
    architecture: str
    gib: tuple[int, ...]
    tensor_cores: bool
    fast_half: bool
    bf16: bool
    fp8: bool
    fp4: bool


def find(name: str) -> Known | None:
    """The model of a device name as NVML, torch or a person writes it; None where it is not in the table.

    ``NVIDIA GeForce RTX 4060 Ti 16GB``, ``Tesla T4``, ``NVIDIA A100-SXM4-80GB``, ``rtx4090``, ``4090 laptop``.
    """
    key, size = _key(name)
    table = _table()
    tried = [key, *(family + key for family in _FAMILIES)]
    tried += [key.removeprefix(family) for family in _FAMILIES if key.startswith(family)]
    if key.endswith("laptop"):
        tried += [one.removesuffix("laptop") for one in tried]  # most laptop models have the memory of the desktop's
    found = next((table[one] for one in tried if one in table), None)
    if found is None or size is None or size > 2 * max(found.gib):  # GH200 names the memory of its CPU
        return found
    return msgspec.structs.replace(found, gib=(size,))


def capability(name: str) -> tuple[int, int] | None:
    """The CUDA capability of a model, as (major, minor)."""
    found = find(name)
    return found.capability if found else None


def memory_mib(name: str) -> tuple[int, ...]:
    """The memory of a model's variants in MiB; empty where it is not known. Drivers show up to 0.3 % less."""
    found = find(name)
    return tuple(one * 1024 for one in found.gib) if found else ()


def models() -> list[Known]:
    """All models, oldest architecture first."""
    return list(dict.fromkeys(_table().values()))


def _key(name: str) -> tuple[str, int | None]:
    text = name.lower()[:200]
    size = _SIZE.search(text)
    text = _NOISE.sub(" ", _SIZE.sub(" ", text))
    key = re.sub(r"[^a-z0-9]", "", text)
    return key, int(size[1]) if size else None


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, Known]:
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    rows = [(name, gib, one) for one in data["architectures"] for name, gib in one["models"].items()]
    return {_key(name)[0]: _known(name, gib, one) for name, gib, one in rows}


def _known(name: str, gib: list[int], architecture: dict[str, Any]) -> Known:
    return Known(
        name=name,
        capability=(architecture["capability"][0], architecture["capability"][1]),
        architecture=architecture["architecture"],
        gib=tuple(gib),
        tensor_cores=architecture["tensor_cores"],
        fast_half=architecture["fast_half"],
        bf16=architecture["bf16"],
        fp8=architecture["fp8"],
        fp4=architecture["fp4"],
    )
