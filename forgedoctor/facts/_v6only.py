"""Which IPv6 listeners leave IPv4 alone: Linux tells over netlink, to everybody, and nowhere in /proc."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

# Source: linux/inet_diag.h, linux/sock_diag.h, linux/netlink.h.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_LISTEN = 1 << 10
_SKV6ONLY = 11
_HEADER = struct.Struct("=IHHII")
_MESSAGE = 72  # bytes of inet_diag_msg before its attributes

Answer = dict[tuple[str, int], bool]


def read() -> Answer | None:
    """(address, port) of each IPv6 TCP listener: True where it takes IPv6 only. None: the kernel does not say."""
    if sys.platform != "linux":
        return None
    import socket

    request = struct.pack("=BBBxI", socket.AF_INET6, socket.IPPROTO_TCP, 0, _LISTEN) + bytes(48)
    header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
    found: Answer = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
            link.settimeout(0.5)
            link.sendto(header + request, (0, 0))
            while True:
                for kind, body in _messages(link.recv(65536)):
                    if kind == _DONE:
                        return found
                    if kind == _ERROR:
                        return None
                    _note(body, found)
    except (OSError, struct.error, ValueError):
        return None


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _note(body: bytes, found: Answer) -> None:
    """Keep one listener: its port and address stand at fixed places, the flag among the attributes."""
    import socket

    (port,) = struct.unpack_from("!H", body, 4)
    address = socket.inet_ntop(socket.AF_INET6, body[8:24])
    at = _MESSAGE
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if kind == _SKV6ONLY and length > 4:
            found[address, port] = bool(body[at + 4]) and found.get((address, port), True)
        at += max(4, (length + 3) & ~3)
