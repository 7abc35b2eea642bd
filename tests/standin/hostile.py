"""Peers that are no Forge: hostile ones that send what no server should, and foreign ones from `foreign`.

Plain sockets and threads, no framework: half of these cannot be written in one. All on loopback.
"""

from __future__ import annotations

import itertools
import socket
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import cast

from . import foreign
from .foreign import Request

_TEN_GIGABYTES = 10 * 1024**3
_MEBIBYTE = 1024**2
_BOMB_MEBIBYTES = 1024  # about one megabyte on the wire
_LONGEST_HEAD = 65536
_SLOW = "slow-drip"


def run(mode: str, *, host: str, port: int, pause: float) -> None:
    """Serve one of MODES until killed; `pause` is the time in seconds between two bytes of slow-drip."""
    server = _Server((host, port), _Handler)
    server.mode, server.pause = mode, pause
    print(f"READY http://{host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mode = ""
    pause = 1.0


class _Handler(BaseRequestHandler):
    def handle(self) -> None:
        """Serve one connection; that the client goes away is expected here."""
        server, connection = cast(_Server, self.server), cast(socket.socket, self.request)
        try:
            if server.mode in _BEFORE_REQUEST:
                _BEFORE_REQUEST[server.mode](connection)
                return
            request = _read_request(connection)
            if request is None:
                return
            for piece in _pieces(server.mode, request):
                connection.sendall(piece)
                time.sleep(server.pause if server.mode == _SLOW else 0)
            _close_softly(connection)
        except OSError:
            return


def _pieces(mode: str, request: Request) -> Iterable[bytes]:
    if mode in _STREAMS:
        return _STREAMS[mode]()
    return [foreign.PAGES[mode](request).raw(request.method)]


def _read_request(connection: socket.socket) -> Request | None:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece or len(head) > _LONGEST_HEAD:
            return None
        head += piece
    return Request.parse(head)


def _close_softly(connection: socket.socket) -> None:
    """End the sending side and read what is left, so that the client sees the answer and not a reset."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2.0)
    while connection.recv(65536):
        pass


def _stay_silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def _close_at_once(connection: socket.socket) -> None:
    connection.recv(4096)


def _greet_as_ssh(connection: socket.socket) -> None:
    # sshd speaks first, and answers an HTTP request with one line of refusal.
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
    connection.recv(4096)
    connection.sendall(b"Invalid SSH identification string.\r\n")


def _head(*lines: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", f"Content-Type: {kind}", *lines, "", "")).encode("ascii")


def _endless_header() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for number in itertools.count():
        yield f"X-Padding-{number}: {'a' * 1000}\r\n".encode("ascii")


def _ten_gigabytes() -> Iterator[bytes]:
    return itertools.repeat(b" " * 65536, _TEN_GIGABYTES // 65536)


def _endless_sized() -> Iterator[bytes]:
    yield _head(f"Content-Length: {_TEN_GIGABYTES}")
    yield from _ten_gigabytes()


def _endless_chunked() -> Iterator[bytes]:
    yield _head("Transfer-Encoding: chunked")
    for block in _ten_gigabytes():
        yield b"%x\r\n%s\r\n" % (len(block), block)


def _endless_until_close() -> Iterator[bytes]:
    yield _head("Connection: close")
    yield from _ten_gigabytes()


def _gzip_bomb() -> Iterator[bytes]:
    """Yield a gzip stream of a gigabyte of blanks; a block that ends in a full flush may be repeated."""
    yield _head("Content-Encoding: gzip", "Connection: close")
    plain = b" " * _MEBIBYTE
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(plain) + deflate.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    checksum = 0
    for _ in range(_BOMB_MEBIBYTES):
        yield block
        checksum = zlib.crc32(plain, checksum)
    size = _BOMB_MEBIBYTES * _MEBIBYTE % 2**32
    yield b"\x03\x00" + checksum.to_bytes(4, "little") + size.to_bytes(4, "little")


def _byte_by_byte() -> Iterator[bytes]:
    answer = _head("Content-Length: 1000") + b" " * 998 + b"{}"
    return (answer[position : position + 1] for position in range(len(answer)))


_BEFORE_REQUEST: dict[str, Callable[[socket.socket], None]] = {
    "accept-silent": _stay_silent,
    "close-without-bytes": _close_at_once,
    "ssh-banner": _greet_as_ssh,
}
_STREAMS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless-header": _endless_header,
    "endless-body": _endless_sized,
    "endless-body-chunked": _endless_chunked,
    "endless-body-until-close": _endless_until_close,
    "gzip-bomb": _gzip_bomb,
    _SLOW: _byte_by_byte,
}
MODES = (*_BEFORE_REQUEST, *_STREAMS, *foreign.PAGES)
