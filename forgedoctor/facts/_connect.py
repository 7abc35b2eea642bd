"""Below HTTP: the addresses of a host, whether they take a connection, and what they show of themselves over TLS."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from forgedoctor.facts import _host
from forgedoctor.facts._network import own_addresses, place_of
from forgedoctor.facts._probe import Crew, Deadline, Exchange, Probe, words_of
from forgedoctor.facts._url import Url, bracketed

MOST_ADDRESSES = 8
_HEAD_START = 0.25  # seconds in which an earlier address may still win over a later one that has answered
# A machine that is not there is known after 3.1 seconds (measured): before that it looks like a firewall.
_PATIENCE = 3.5
_BANNER_WAIT = 0.2  # seconds given to a server that speaks first (SSH, FTP, VNC, MySQL)
# X509_V_ERR_* of OpenSSL
_REASONS = {10: "expired", 9: "not yet valid", 18: "self-signed", 19: "self-signed", 62: "wrong name", 64: "wrong name"}


class Reached:
    """The addresses of a host and the attempts to connect to each, some of which may still be under way.

    Where none takes the connection in time, the attempts go on for up to 3.5 seconds (at most twice the time-out), as
    only then what they report means something; one that comes through so late still counts as a time-out.
    """

    def __init__(self, url: Url, deadline: Deadline) -> None:
        self.addresses, self._unresolved = resolve(url, deadline)
        self._deadline = deadline
        patient = Deadline(max(deadline.left(), min(_PATIENCE, 2 * deadline.seconds)))
        self._crew = Crew(
            [
                (Exchange("connect", "TCP", f"{bracketed(address)}:{url.port}", patient), connect(address, url.port))
                for address in self.addresses
            ]
        )
        self.peer = self._first(deadline)

    def _first(self, deadline: Deadline) -> str:
        """The first address that takes the connection, in the order in which clients try them; else empty."""
        tried = list(zip(self.addresses, self._crew.exchanges, strict=True))
        while True:
            answered = [place for place, (_, it) in enumerate(tried) if it.result and it.result.outcome == "answered"]
            pending = [place for place, (_, it) in enumerate(tried) if it.result is None]
            wait = min(deadline.left(), _HEAD_START) if answered else deadline.left()
            if answered and (not pending or answered[0] < pending[0]):
                return self.addresses[answered[0]]
            if not pending or wait <= 0 or self._crew.next(wait) is None:
                return self.addresses[answered[0]] if answered else ""

    def probes(self) -> list[Probe]:
        """One for each address, once all have ended; a single one where the name has no address.

        ``json`` of one that failed says from where it was tried: ``{"place": "lan", "client": "linux", "inside": ""}``
        (see :func:`forgedoctor.facts._network.place_of`; the client's system; container, wsl or empty).
        """
        if self._unresolved:
            return [self._unresolved]
        if self.peer:
            for exchange in self._crew.exchanges:
                exchange.deadline = self._deadline
        return [self._placed(probe) for probe in self._crew.wait()]

    def _placed(self, probe: Probe) -> Probe:
        if probe.outcome == "answered" and self.peer:
            return probe
        if probe.outcome == "answered":
            detail = f"the connection was taken, and too late: after {probe.elapsed:.1f} s"
            probe = msgspec.structs.replace(probe, outcome="timeout", stage="connect", detail=detail)
        address = probe.path.rpartition(":")[0]
        return msgspec.structs.replace(probe, json={"place": place_of(address, own_addresses()), **_standpoint()})


def _standpoint() -> dict[str, str]:
    system, root = _host.system_of(sys.platform), Path("/")
    boxed = system == "linux" and _host.container(root, os.environ)
    inside = "container" if boxed else "wsl" if system == "linux" and _host.is_wsl(root) else ""
    return {"client": system, "inside": inside}


def resolve(url: Url, deadline: Deadline) -> tuple[tuple[str, ...], Probe | None]:
    """The addresses of a host in the resolver's order, or the probe that says why there are none.

    A link-local address keeps its scope (``fe80::1%2``).
    """
    found: list[str] = []

    def look(exchange: Exchange) -> None:
        for *_, address in socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM):
            scope = f"%{address[3]}" if len(address) == 4 and address[3] else ""
            found.append(f"{address[0]}{scope}")
        exchange.settle("answered")

    crew = Crew([(Exchange("connect", "TCP", f"{bracketed(url.host)}:{url.port}", deadline), look)])
    (probe,) = crew.wait()
    if probe.outcome == "answered":
        return tuple(dict.fromkeys(found))[:MOST_ADDRESSES], None
    detail = probe.detail or "the name service gave no answer in time"
    return (), Probe(
        name="connect", method="TCP", path=probe.path, outcome="unresolvable", stage="connect",
        elapsed=probe.elapsed, detail=detail,
    )  # fmt: skip


def connect(address: str, port: int) -> Any:
    """Work that connects to an address and closes at once; settles as ``answered``, or as what came instead."""

    def work(exchange: Exchange) -> None:
        with socket.create_connection((address, port), timeout=exchange.deadline.timeout()):
            exchange.settle("answered")

    return work


def look_behind(url: Url, peer: str) -> Any:
    """Work that finds out what a server is that closes on plain HTTP: does it speak first, or TLS?

    Settles as ``not-http`` with the banner as body, or as ``answered`` with what :func:`certificate` tells.
    """

    def work(exchange: Exchange) -> None:
        with closing(_dial(url, peer, exchange)) as plain:
            plain.settimeout(_BANNER_WAIT)
            try:
                exchange.body += plain.recv(256, socket.MSG_PEEK)
            except TimeoutError:
                pass
        if exchange.body:
            exchange.stage = "headers"
            exchange.settle("not-http", "the server speaks first")
            return
        exchange.found = certificate(url, peer, exchange)
        exchange.settle("answered", _told(exchange.found))

    return work


def verify(url: Url, peer: str) -> Any:
    """Work that finds out whether a client that checks certificates would accept this one.

    Settles as ``answered``, or as ``tls-error`` with the reason; ``json`` is what :func:`certificate` tells.
    """

    def work(exchange: Exchange) -> None:
        exchange.found = certificate(url, peer, exchange)
        exchange.settle("answered" if exchange.found["verifies"] else "tls-error", _told(exchange.found))

    return work


def certificate(url: Url, peer: str, exchange: Exchange) -> dict[str, Any]:
    """What a TLS handshake shows: ``tls`` (version), ``verifies``, ``reason`` (self-signed, expired, wrong name, …),
    ``words`` (OpenSSL's), and where they can be had ``subject``, ``issuer``, ``names``, ``until``.

    Raises OSError where there is no handshake at all.
    """
    facts: dict[str, Any] = {"verifies": True, "reason": "", "words": ""}
    try:
        version, _, shown = _handshake(url, peer, exchange, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        facts |= {"verifies": False, "reason": _REASONS.get(error.verify_code, "untrusted"), "words": words_of(error)}
        version, raw, _ = _handshake(url, peer, exchange, _unchecked())
        shown = _decoded(raw) or _trusted(url, peer, exchange, raw)
    return {"tls": version, **facts, **_readable(shown)}


def _handshake(url: Url, peer: str, exchange: Exchange, context: ssl.SSLContext) -> tuple[str, bytes, dict[str, Any]]:
    with closing(_dial(url, peer, exchange)) as plain:
        exchange.stage = "tls"
        with context.wrap_socket(plain, server_hostname=url.host.partition("%")[0]) as secure:
            raw = secure.getpeercert(binary_form=True) or b""
            return secure.version() or "", raw, secure.getpeercert() or {}


def _dial(url: Url, peer: str, exchange: Exchange) -> socket.socket:
    exchange.socket = socket.create_connection((peer, url.port), timeout=exchange.deadline.timeout())
    return exchange.socket


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _decoded(raw: bytes) -> dict[str, Any]:
    """A certificate's fields, where it could be a CA's, as self-made ones mostly are: only those are decoded."""
    store = _unchecked()
    try:
        store.load_verify_locations(cadata=raw)
    except (ssl.SSLError, ValueError):
        return {}
    return dict(next(iter(store.get_ca_certs()), {}))


def _trusted(url: Url, peer: str, exchange: Exchange, raw: bytes) -> dict[str, Any]:
    """The fields of any other, shown by a handshake that trusts just this one; nothing where it has expired."""
    context = _unchecked()
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=raw)
        return _handshake(url, peer, exchange, context)[2]
    except (OSError, ValueError):
        return {}


def _readable(shown: dict[str, Any]) -> dict[str, Any]:
    if not shown:
        return {}

    def name(field: str) -> str:
        return ", ".join(f"{key}={value}" for part in shown.get(field, ()) for key, value in part)

    names = [value for _, value in shown.get("subjectAltName", ())]
    until = shown.get("notAfter", "")
    return {"subject": name("subject"), "issuer": name("issuer"), "names": names[:20], "until": until}


def _told(facts: dict[str, Any]) -> str:
    parts = (facts["tls"], facts["reason"] or "verifies", facts.get("subject", ""), facts.get("until", ""))
    return ", ".join(part for part in parts if part)
