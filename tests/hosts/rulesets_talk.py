"""Both ends of the wire, as one script that runs in a namespace: ``listen ADDR PORT …`` and ``probe`` (JSON on stdin).

A listener greets whoever connects. A probe says what its connection came to: ``open`` (connected and greeted),
``silent`` (connected, no greeting), ``timeout``, or the name of the errno; and after how many seconds.
"""

from __future__ import annotations

import errno
import json
import selectors
import socket
import sys
import threading
import time

GREETING = b"forge\n"


def listen(words: list[str]) -> None:
    """Greet on every address and port given, until killed. ``ready`` is printed once all listen."""
    waiting = selectors.DefaultSelector()
    for address, port in zip(words[::2], words[1::2], strict=True):
        server = socket.socket(_family(address))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if server.family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((address, int(port)))
        server.listen(64)
        waiting.register(server, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            peer, _ = key.fileobj.accept()  # type: ignore[union-attr]
            with peer:
                peer.sendall(GREETING)


def probe(wanted: dict[str, dict[str, object]], seconds: float) -> dict[str, tuple[str, float]]:
    """Try all connections at once; the ICMP rate limits of these namespaces are off, so that none hides another's."""
    seen: dict[str, tuple[str, float]] = {}

    def one(name: str, way: dict[str, object]) -> None:
        begin = time.monotonic()
        symptom = _connect(str(way["src"]), str(way["dst"]), int(str(way["dport"])), seconds)
        seen[name] = (symptom, round(time.monotonic() - begin, 2))

    threads = [threading.Thread(target=one, args=item) for item in wanted.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def _connect(source: str, target: str, port: int, seconds: float) -> str:
    with socket.socket(_family(target)) as client:
        client.settimeout(seconds)
        try:
            client.bind((source, 0))
            client.connect((target, port))
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return "timeout" if isinstance(error, socket.timeout) else errno.errorcode.get(error.errno or 0, str(error))
        try:
            return "open" if client.recv(16) == GREETING else "silent"
        except OSError:
            return "silent"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        listen(sys.argv[2:])
    print(json.dumps(probe(json.load(sys.stdin), float(sys.argv[2]))))
