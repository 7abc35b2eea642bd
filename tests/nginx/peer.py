"""A server with what the stand-in lacks: an event stream that notices whether it is heard, and a websocket.

``python -m tests.nginx.peer PORT`` serves until it is killed. ``GET /queue/data`` sends one event and waits for ``GET /heard``
(on another connection) before it sends the last: ``heard``, or ``alone`` where nobody had received the first by then.
``GET /queue/join`` is 101 for a websocket's upgrade over HTTP/1.1, else 404, as gradio 3 answers.
"""

from __future__ import annotations

import asyncio
import sys

PATIENCE = 3.0  # seconds that the first event may take to arrive


class Peer:
    """One server; ``heard`` is set once somebody says that the first event came."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ")[1]
        if path.endswith("/queue/data"):
            await self.events(writer)
        elif path.endswith("/queue/join"):
            writer.write(_joined(head))
        else:
            self.heard.set()
            writer.write(_text("200 OK", "ok"))
        await writer.drain()
        writer.close()

    async def events(self, writer: asyncio.StreamWriter) -> None:
        """The stream: a first event, then how it was received."""
        self.heard.clear()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: first\n\n")
        await writer.drain()
        try:
            await asyncio.wait_for(self.heard.wait(), PATIENCE)
            writer.write(b"data: heard\n\n")
        except asyncio.TimeoutError:
            writer.write(b"data: alone\n\n")


def _joined(head: str) -> bytes:
    lower = head.lower()
    upgraded = "upgrade: websocket" in lower and "connection: upgrade" in lower and " http/1.1" in lower
    if not upgraded:
        return _text("404 Not Found", '{"detail":"Not Found"}')
    return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def _text(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


async def main(port: int) -> None:
    """Serve on 127.0.0.1."""
    peer = Peer()
    server = await asyncio.start_server(peer.answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
