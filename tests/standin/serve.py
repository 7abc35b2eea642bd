"""Runs a stand-in under uvicorn, and plays the troubles that only show in a running server."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import socket
import tempfile
import time
from pathlib import Path

import anyio.to_thread
import uvicorn

from .app import StandIn
from .options import Options

_WORKER_THREADS = 40  # anyio's limit, and so the number of plain routes Forge can serve at once


class _Server(uvicorn.Server):
    """A uvicorn server that says READY once it listens and then lets the mode's trouble begin."""

    def __init__(self, config: uvicorn.Config, stand_in: StandIn, ready_line: str) -> None:
        super().__init__(config)
        self._stand_in = stand_in
        self._ready_line = ready_line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, print the READY line, begin the trouble."""
        await super().startup(sockets)
        options, loop = self._stand_in.options, asyncio.get_running_loop()
        if options.queue_full:
            _take_all_worker_threads(options.until)
        elif options.until is not None:
            loop.call_later(options.until, self._stand_in.finish_start)
        print(self._ready_line, flush=True)
        if options.loop_blocked:
            loop.call_soon(time.sleep, options.until or 3600.0)


def run(options: Options) -> None:
    """Serve until killed; POST server-stop closes the port, and the process stays, as Forge's does."""
    listener = socket.create_server((options.host, options.port))
    port = listener.getsockname()[1]
    stand_in = StandIn(options)
    config = uvicorn.Config(
        stand_in.app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="critical",
        access_log=False,
    )
    if options.tls:
        _load_certificate(config, options.host)
    scheme = "https" if options.tls else "http"
    server = _Server(config, stand_in, f"READY {scheme}://{options.host}:{port}")

    def stop() -> None:
        server.should_exit = True

    stand_in.stop = stop
    stand_in.kill = lambda: os._exit(0)
    server.run(sockets=[listener])
    if options.server_stop:
        time.sleep(3600)


def _take_all_worker_threads(seconds: float | None) -> None:
    limiter = anyio.to_thread.current_default_thread_limiter()
    holders = [object() for _ in range(_WORKER_THREADS)]
    for holder in holders:
        limiter.acquire_on_behalf_of_nowait(holder)

    def release() -> None:
        for holder in holders:
            limiter.release_on_behalf_of(holder)

    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, release)


def _load_certificate(config: uvicorn.Config, host: str) -> None:
    """Give the config a self-signed certificate for `host` and localhost; no file of it stays behind."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "c.pem"), Path(folder, "k.pem")
        _write_self_signed(certificate, key, host)
        config.ssl_certfile, config.ssl_keyfile = str(certificate), str(key)
        config.load()


def _write_self_signed(certificate: Path, key: Path, host: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(host))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
