"""The header of a GGUF file, read with bounds.

Source: the GGUF specification (versions 2 and 3, little endian): magic, version, number of tensors, number of settings,
the settings, then name, dimensions (innermost first), type and offset of each tensor; the data begin at the next
multiple of ``general.alignment``.
"""

from __future__ import annotations

import struct
from math import prod
from typing import BinaryIO

from forgedoctor.models import headers
from forgedoctor.models.headers import Header, Problem, Seen, Tensor

# Type: (name, elements of a block, bytes of a block). Source: ggml's type table, as bundled with Forge.
TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip
# Types that a tensor may have in Forge: those with a decoder, and those that need none.
# Source: backend/operations_gguf.py quants_mapping (the same in Neo).
DECODED = frozenset(
    (
        "Q2_K", "Q3_K", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0", "BF16", "F16", "F32", "F64",
        "I8", "I16", "I32", "I64",
    )
)  # fmt: skip
BITS_PER_WEIGHT = {name: 8 * size / block for name, block, size in TYPES.values()}

_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a setting's value
_STRING, _ARRAY = 8, 9
_LARGEST_NAME = 65_535  # bytes
_MOST_ELEMENTS = 2_000_000  # of arrays of texts, such as the words of a tokenizer
_STEP = 1 << 20


class _End(Exception):
    """The file ends inside its header."""


class _Bad(Exception):
    """The header is no sense."""


class _Huge(Exception):
    """The header is larger than is looked at."""


class _Cursor:
    """A window onto the file that grows as it is read, up to a limit."""

    def __init__(self, file: BinaryIO, size: int, first: bytes) -> None:
        self.file, self.size, self.data, self.at = file, size, first, 0

    def need(self, count: int) -> int:
        """Make so many bytes available; returns where they begin, and steps over them."""
        begin, end = self.at, self.at + count
        if end > self.size:
            raise _End
        if end > headers.LARGEST_READ:
            raise _Huge
        while len(self.data) < end:
            more = self.file.read(max(_STEP, end - len(self.data)))
            if not more:
                raise _End
            self.data += more
        self.at = end
        return begin

    def number(self, form: str, count: int) -> int:
        value: int = struct.unpack_from(form, self.data, self.need(count))[0]
        return value

    def text(self, most: int = _LARGEST_NAME) -> str:
        length = self.number("<Q", 8)
        if length > most:
            raise _Bad(f"a text of {length} bytes")
        begin = self.need(length)
        return self.data[begin : begin + length].decode("utf-8", "replace")

    def skip_texts(self, count: int) -> None:
        """Step over an array of texts."""
        if count > _MOST_ELEMENTS:
            raise _Huge
        for _ in range(count):
            length = struct.unpack_from("<Q", self.data, self.need(8))[0]
            self.need(length)


def read(file: BinaryIO, size: int, first: bytes) -> Seen:
    """Look at a file that begins with GGUF."""
    cursor = _Cursor(file, size, first)
    try:
        header, needed = _parsed(cursor)
    except _End:
        return Seen(size, "gguf", None, Problem(headers.TRUNCATED))
    except _Huge:
        return Seen(size, "gguf", None, Problem(headers.HUGE))
    except (_Bad, struct.error, OverflowError) as error:
        return Seen(size, "gguf", None, Problem(headers.BROKEN, detail=str(error)[:200]))
    return Seen(size, "gguf", header, Problem(headers.TRUNCATED, needed - size) if needed > size else None)


def _parsed(cursor: _Cursor) -> tuple[Header, int]:
    """(the header, the size that the file must have at least)."""
    cursor.at = 4
    version = cursor.number("<I", 4)
    if version not in (2, 3):
        raise _Bad(f"version {version}")
    count, settings = cursor.number("<Q", 8), cursor.number("<Q", 8)
    if count > headers.MOST_TENSORS or settings > headers.MOST_TENSORS:
        raise _Bad(f"{count} tensors, {settings} settings")
    alignment, architecture = _settings(cursor, settings)
    found = [_tensor(cursor) for _ in range(count)]
    begin = -(-cursor.at // alignment) * alignment
    tensors = dict(found)
    if len(tensors) < count:
        raise _Bad("a tensor is named twice")
    data = max((tensor.data_offsets[1] for tensor in tensors.values()), default=0)
    return Header("gguf", tensors, headers.totals_of(tensors), data, architecture), begin + data if data else cursor.at


def _settings(cursor: _Cursor, count: int) -> tuple[int, str]:
    """Step over the settings; (the alignment, the architecture that the file names)."""
    alignment, architecture = 32, ""
    for _ in range(count):
        key, kind = cursor.text(), cursor.number("<I", 4)
        if kind == _STRING:
            value = cursor.text(headers.LARGEST_READ)
            architecture = value[:80] if key == "general.architecture" else architecture
        elif kind == _ARRAY:
            _skip_array(cursor)
        elif kind in _SCALARS:
            begin = cursor.need(_SCALARS[kind])
            if key == "general.alignment" and kind == 4:
                alignment = struct.unpack_from("<I", cursor.data, begin)[0]
        else:
            raise _Bad(f"a setting of type {kind}")
    if not 0 < alignment <= 1 << 20:
        raise _Bad(f"alignment {alignment}")
    return alignment, architecture


def _skip_array(cursor: _Cursor) -> None:
    kind, length = cursor.number("<I", 4), cursor.number("<Q", 8)
    if kind == _STRING:
        cursor.skip_texts(length)
    elif kind in _SCALARS:
        cursor.need(length * _SCALARS[kind])
    else:
        raise _Bad(f"an array of type {kind}")


def _tensor(cursor: _Cursor) -> tuple[str, Tensor]:
    name, dimensions = cursor.text(), cursor.number("<I", 4)
    if dimensions > 8:
        raise _Bad(f"a tensor of {dimensions} dimensions")
    shape = tuple(cursor.number("<Q", 8) for _ in range(dimensions))
    kind, offset = cursor.number("<I", 4), cursor.number("<Q", 8)
    if kind not in TYPES:
        return name, Tensor(f"type {kind}", shape[::-1], (offset, offset))
    dtype, block, size = TYPES[kind]
    return name, Tensor(dtype, shape[::-1], (offset, offset + prod(shape) * size // block))
