"""Files in the pickle formats: known by their outside alone. Nothing is unpickled, and no pickle is read.

A pickle is a program that runs when it is loaded. What torch writes today is a zip archive with the pickle in
``NAME/data.pkl`` and one member for each tensor; its table of contents stands at the end and says whether all is there.

Source: the zip format (APPNOTE), torch.save.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from forgedoctor.models import headers
from forgedoctor.models.headers import Problem, Seen

_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_TAIL = 66_000  # bytes in which the end record must lie: a comment has at most 65,535
_LARGEST_TABLE = 8_000_000  # bytes; a table has some 60 bytes a tensor
PICKLE, ARCHIVE = "pickle", "zip"


def read(file: BinaryIO, size: int, first: bytes) -> Seen:
    """Look at a file that begins like a zip archive or a bare pickle. Format ``zip`` is an archive of other things."""
    if first[:1] == b"\x80":
        plausible = first[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
        return Seen(size, PICKLE if plausible else "", None, None if plausible else Problem(headers.OTHER))
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL) or b""
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return Seen(size, PICKLE, None, Problem(headers.TRUNCATED))
    length, offset = struct.unpack_from("<II", tail, at + 12)
    wide = tail.rfind(_END64, 0, at)
    if 0xFFFFFFFF in (length, offset) and wide >= 0 and len(tail) >= wide + 56:
        length, offset = struct.unpack_from("<QQ", tail, wide + 40)
    if length > _LARGEST_TABLE or offset + length > size:
        return Seen(size, PICKLE, None, Problem(headers.BROKEN, detail="the table of contents"))
    file.seek(offset)
    table = file.read(length) or b""
    # A member of torch's archive; the name is enough, and no member is opened.
    inside = PICKLE if b"/data.pkl" in table or b"data.pkl" in table else ARCHIVE
    return Seen(size, inside, None, None if inside == PICKLE else Problem(headers.OTHER, detail="zip"))
