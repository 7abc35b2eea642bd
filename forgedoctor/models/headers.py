"""The header of a model file, read with bounds: what the tensors are called, how large they are, whether all is there.

A header is somebody else's text. Nothing is allocated by a number that stands in it, nothing behind it is read, and
whatever it holds ends in a :class:`Header` or a :class:`Problem`, never in an exception.

Source: the safetensors format (8 bytes length, JSON, data without holes; the library refuses a header above 100 MB, one
that does not begin with a brace, and data that are shorter or longer than the header says).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from math import prod
from operator import attrgetter
from typing import BinaryIO, NamedTuple

import msgspec

LARGEST_LEGAL = 100_000_000  # bytes of a header; the library of safetensors refuses more
LARGEST_READ = 32_000_000  # bytes that are looked at; the headers of real files have up to two million
MOST_TENSORS = 200_000  # real files have up to some five thousand
_FIRST = 4096  # bytes by which a file is known
_SMALL = 1_000_000  # bytes of a header that needs no further bounds

# Bits of one element. Source: safetensors/tensor.rs Dtype.
BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I8": 8, "U8": 8,
    "BOOL": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip

# What is wrong with a file; each code has its sentence in words.py.
EMPTY, TRUNCATED, LONGER, BROKEN, HUGE, WEB_PAGE, LFS_POINTER, TEXT, ZEROS, OTHER, DENIED, GONE = (
    "empty", "truncated", "longer", "broken", "huge-header", "web-page", "lfs-pointer", "text", "zeros", "other-format",
    "denied", "gone",
)  # fmt: skip


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """One tensor as the header has it; ``dtype`` of a GGUF file is the name of its quantisation."""

    dtype: str = ""
    shape: tuple[int, ...] = ()
    data_offsets: tuple[int, int] = (0, 0)

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.data_offsets[1] - self.data_offsets[0]


class Problem(NamedTuple):
    """Why a file is no whole model file: a code, how many bytes are missing (or too many), what was seen instead."""

    code: str
    missing: int = 0
    detail: str = ""


class Total(NamedTuple):
    """How many tensors of one type there are, and how many elements they hold."""

    tensors: int
    elements: int


class Header(NamedTuple):
    """What a header says. ``totals`` by dtype. ``data``: bytes of all tensors."""

    format: str
    tensors: dict[str, Tensor]
    totals: dict[str, Total]
    data: int
    architecture: str = ""


class Seen(NamedTuple):
    """One file: its size, the header where it could be read, and what is wrong, if anything is."""

    size: int
    format: str
    header: Header | None
    problem: Problem | None


_DECODER = msgspec.json.Decoder(dict[str, Tensor])
_DTYPE, _SHAPE, _KIND = attrgetter("dtype"), attrgetter("shape"), attrgetter("dtype", "shape")
_OFFSETS = attrgetter("data_offsets")
_LFS = b"version https://git-lfs"


def read(path: str) -> Seen:
    """Look at a file, whatever it is; by its first bytes, not by its name."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            return _known(file, size, file.read(_FIRST) or b"")
    except FileNotFoundError:
        return Seen(0, "", None, Problem(GONE))
    except (OSError, ValueError) as error:
        return Seen(0, "", None, Problem(DENIED, detail=str(getattr(error, "strerror", "") or error)))


def _known(file: BinaryIO, size: int, first: bytes) -> Seen:
    """Send a file to its reader."""
    from forgedoctor.models import gguf, pickles

    if not size or not first:
        return Seen(size, "", None, Problem(EMPTY))
    length = int.from_bytes(first[:8], "little")
    if first[8:9] == b"{" and 2 <= length <= LARGEST_LEGAL:  # first: a length may look like another format's mark
        return _safetensors(file, size, first, length)
    if first[:4] == b"GGUF":
        return gguf.read(file, size, first)
    if first[:2] == b"PK" or first[:1] == b"\x80":
        return pickles.read(file, size, first)
    return Seen(size, "", None, Problem(*_instead(first)))


def _instead(first: bytes) -> tuple[str, int, str]:
    """What a file is that is no model: a code and, for people, how it begins."""
    begin = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:400].lower()
    if not first.strip(b"\0"):
        return ZEROS, 0, ""
    if first.startswith(_LFS):
        return LFS_POINTER, 0, ""
    if begin.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<error", b"<script")):
        return WEB_PAGE, 0, ""
    archives = {
        b"Rar!": "rar",
        b"7z\xbc\xaf": "7z",
        b"\x1f\x8b": "gzip",
        b"\xfd7zXZ": "xz",
        b"\x28\xb5\x2f\xfd": "zstd",
    }
    for magic, name in {**archives, b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"%PDF": "pdf"}.items():
        if first.startswith(magic):
            return OTHER, 0, name
    sample = first[:200]
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in sample):
        return TEXT, 0, sample[:80].decode("ascii").strip()
    return OTHER, 0, ""


def _safetensors(file: BinaryIO, size: int, first: bytes, length: int) -> Seen:
    if length + 8 > size:
        return Seen(size, "safetensors", None, Problem(TRUNCATED, length + 8 - size))
    if length > LARGEST_READ:
        return Seen(size, "safetensors", None, Problem(HUGE, detail=str(length)))
    rest = length + 8 - len(first)
    raw = first[8 : 8 + length] if rest <= 0 else first[8:] + _exactly(file, rest)
    if len(raw) < length:
        return Seen(size, "safetensors", None, Problem(TRUNCATED, length - len(raw)))
    header, problem = parsed(raw, size - 8 - length)
    return Seen(size, "safetensors", header, problem)


def _exactly(file: BinaryIO, count: int) -> bytes:
    """So many bytes, fewer at the end of the file. ``count`` is at most the size of the file, which was looked at."""
    data = file.read(count) or b""
    while len(data) < count:
        more = file.read(count - len(data))
        if not more:
            break
        data += more
    return data


def parsed(raw: bytes, room: int) -> tuple[Header | None, Problem | None]:
    """A safetensors header, given its JSON and how many bytes follow it in the file."""
    if len(raw) > _SMALL and (raw.count(b"{") > MOST_TENSORS or raw.count(b",") > 20 * MOST_TENSORS):
        return None, Problem(HUGE, detail=str(len(raw)))  # what it would become in memory is many times its size
    try:
        tensors = _DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        return None, Problem(BROKEN, detail=str(error)[:200])
    tensors.pop("__metadata__", None)
    totals = totals_of(tensors)
    data, fault = _laid_out(tensors, totals)
    if fault:
        return None, Problem(BROKEN, detail=fault)
    header = Header("safetensors", tensors, totals, data)
    if data > room:
        return header, Problem(TRUNCATED, data - room)
    return header, Problem(LONGER, room - data) if room > data else None


def totals_of(tensors: Mapping[str, Tensor]) -> dict[str, Total]:
    """Tensors and elements by type. Most files have one type only, which is counted without a look at each shape."""
    dtypes = set(map(_DTYPE, tensors.values()))
    if len(dtypes) == 1:
        return {dtypes.pop(): Total(len(tensors), sum(map(prod, map(_SHAPE, tensors.values()))))}
    found: dict[str, Total] = {}
    for (dtype, shape), count in Counter(map(_KIND, tensors.values())).items():
        before = found.get(dtype, Total(0, 0))
        found[dtype] = Total(before.tensors + count, before.elements + count * prod(shape))
    return found


def _laid_out(tensors: dict[str, Tensor], totals: dict[str, Total]) -> tuple[int, str]:
    """(bytes of all data, what is wrong): the data must follow each other without a hole and fit dtype and shape."""
    if not tensors:
        return 0, ""
    begins, ends = zip(*map(_OFFSETS, tensors.values()), strict=True)
    if begins[1:] != ends[:-1]:  # mostly they stand in the order of their data
        begins, ends = zip(*sorted(map(_OFFSETS, tensors.values())), strict=True)
    if begins[0] != 0 or begins[1:] != ends[:-1] or ends[-1] < begins[-1]:
        return 0, "the places of the tensors overlap or leave holes"
    if any(dtype not in BITS for dtype in totals):
        return ends[-1], ""  # a newer library's type; how large it is is not known here
    bits = sum(BITS[dtype] * one.elements for dtype, one in totals.items())
    return ends[-1], "" if (bits + 7) // 8 == ends[-1] else "a tensor's size does not fit its shape"
