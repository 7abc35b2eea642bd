"""A question to a packet filter: may this client connect to that port?"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import msgspec

from forgedoctor.firewall.host_view import parse_address
from forgedoctor.firewall.values import Span


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A new TCP connection from ``src`` (an address, or a network: from anywhere in it) to port ``dport`` of ``dst``,
    coming in by interface ``iif``.

    Empty where it is not known; ``family`` (``ip``, ``ip6``) then says which is meant.
    """

    name: str
    dport: int
    iif: str = ""
    src: str = ""
    dst: str = ""
    family: str = ""

    def which(self) -> str:
        """The family that the addresses say, else the one asked for, else IPv4."""
        for text in (self.dst, self.src):
            parsed = parse_address(text)
            if parsed:
                return parsed[0]
        return self.family or "ip"


def network(text: str) -> tuple[str, int | Span] | None:
    """(family, number or range of numbers) of an address or a network; None where it is neither."""
    parsed = parse_address(text)
    if parsed is None or "/" not in text:
        return parsed
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    first, last = int(found.network_address), int(found.broadcast_address)
    return parsed[0], first if first == last else Span(first, last)


def read(text: str) -> list[Probe]:
    """The probes of a JSON list of objects; raises ValueError with a sentence where one cannot be used."""
    data = json.loads(text)
    if isinstance(data, dict):
        data = data.get("probes", [data])
    if not isinstance(data, list):
        raise ValueError("a JSON list of probes is wanted")
    return [_one(row, number) for number, row in enumerate(data, 1)]


def _one(row: Any, number: int) -> Probe:
    if not isinstance(row, dict):
        raise ValueError(f"probe {number} is no JSON object")
    port = row.get("dport")
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError(f"probe {number}: dport must be a number from 1 to 65535")
    if row.get("proto", "tcp") not in ("tcp", "TCP", 6, None):
        raise ValueError(f"probe {number}: only proto tcp can be judged")
    texts = {}
    for key in ("src", "dst"):
        value = row.get(key)
        if value in (None, ""):
            continue
        if not isinstance(value, str) or network(value) is None:
            raise ValueError(f"probe {number}: {key} is no IP address: {value!r:.60}")
        texts[key] = str(value)
    families = {parsed[0] for parsed in map(parse_address, texts.values()) if parsed}
    if len(families) > 1:
        raise ValueError(f"probe {number}: src and dst are of different families")
    iif = row.get("iif")
    if iif is not None and not isinstance(iif, str):
        raise ValueError(f"probe {number}: iif must be the name of an interface")
    return Probe(name=str(row.get("name") or number), dport=port, iif=iif or "", **texts)
