"""Symptom: what a client saw when it tried to connect, in one word with what surrounds it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Kind = Literal[
    "open", "refused", "timeout", "host-unreachable", "net-unreachable", "prohibited", "protocol-unreachable",
    "invalid", "no-address", "reset", "closed", "silent", "tls-wanted", "tls-not-wanted", "not-http", "other-program",
    "gateway", "unresolvable", "error",
]  # fmt: skip

# The errors of connect(). Source: errno of Linux and macOS, Winsock error codes; measured on Linux.
_BY_ERROR: dict[str, Kind] = {
    "ECONNREFUSED": "refused", "10061": "refused", "1225": "refused",
    "ETIMEDOUT": "timeout", "10060": "timeout", "121": "timeout",
    "EHOSTUNREACH": "host-unreachable", "10065": "host-unreachable", "1232": "host-unreachable",
    "EHOSTDOWN": "host-unreachable", "10064": "host-unreachable",
    "ENETUNREACH": "net-unreachable", "10051": "net-unreachable", "1231": "net-unreachable",
    "ENETDOWN": "net-unreachable", "10050": "net-unreachable",
    "EACCES": "prohibited", "EPERM": "prohibited", "10013": "prohibited",
    "ENOPROTOOPT": "protocol-unreachable", "10042": "protocol-unreachable",
    "EINVAL": "invalid", "10022": "invalid",
    "EADDRNOTAVAIL": "no-address", "EAFNOSUPPORT": "no-address", "10049": "no-address", "10047": "no-address",
}  # fmt: skip
_BY_OUTCOME: dict[str, Kind] = {
    "refused": "refused", "reset": "reset", "closed": "closed", "not-http": "not-http",
    "unresolvable": "unresolvable", "answered": "open", "too-large": "other-program", "bad-encoding": "other-program",
    "redirect-loop": "other-program",
}  # fmt: skip
_ERROR = re.compile(r"(?:WinError (\d+)|(E[A-Z]+)):")
_PLAIN_ANSWER = re.compile(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE|PACKET_LENGTH_TOO_LONG", re.I)


class Symptom(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt to reach a port came to, on the client's side.

    ``family``: ipv4 or ipv6. ``elapsed``: seconds until it was known; with ``timeout``, how long was waited. ``place``:
    where the address lies (:data:`forgedoctor.facts._network.Place`). ``client``: the client's system (linux, macos,
    windows), ``inside`` what it sits in: container, wsl or empty. ``error``: the system's name or number of the error.
    """

    kind: Kind
    family: str = ""
    elapsed: float = 0.0
    place: str = ""
    client: str = ""
    inside: str = ""
    error: str = ""

    @property
    def here(self) -> bool:
        """Whether the client asked the machine (or container) that it runs on itself."""
        return self.place in ("loopback", "own", "unspecified")


def kind_of(outcome: str, stage: str = "", detail: str = "") -> tuple[Kind, str]:
    """The symptom's word for a probe's outcome, stage and detail, and the name of its error."""
    match = _ERROR.match(detail)
    error = (match[1] or match[2]) if match else ""
    if outcome == "unreachable":
        return _BY_ERROR.get(error, "error"), error
    if outcome == "timeout":
        return ("timeout" if stage in ("", "connect") else "silent"), error
    if outcome == "tls-error":
        return ("tls-not-wanted" if _PLAIN_ANSWER.search(detail) else "error"), error
    return _BY_OUTCOME.get(outcome, _BY_ERROR.get(error, "error")), error
