"""How connection tracking sees the packets of one connection (measured on Linux 6.18; nf_conntrack_proto_tcp.c)."""

from __future__ import annotations

from forgedoctor.firewall.packet import BEFORE, TCP, TRACKED, UNTRACKED, Packet, begun
from forgedoctor.firewall.values import Flags, Value

_NOTES = {"syn": "_syn", "synack": "_reply", "ack": "_ack"}


def tracked(packet: Packet) -> Packet:
    """The packet after connection tracking has looked at it, at priority -200 of prerouting or output."""
    changes = _seen(packet) if packet.values["_track"] == BEFORE else {}
    note = _NOTES.get(packet.kind())
    if note:
        changes = {**changes, note: changes.get("_track", packet.values["_track"])}
    return packet.put(changes) if changes else packet


def _seen(packet: Packet) -> dict[str, Value]:
    kind, values = packet.kind(), packet.values
    first = values.get("_syn")
    if kind == "nd":
        return {"_track": UNTRACKED}  # neighbour discovery is never tracked
    if kind == "syn":
        return begun(packet.family(), packet)
    if kind in ("synack", "rst"):
        return _established(packet, "reply") if first == TRACKED else {}
    if kind == "ack":
        if first != TRACKED:
            return begun(packet.family(), packet)  # picked up in the middle: nf_conntrack_tcp_loose
        return _established(packet, "original") if values.get("_reply") == TRACKED else {}
    if kind == "data":
        return _data(packet)
    return {}


def _data(packet: Packet) -> dict[str, Value]:
    values = packet.values
    if values.get("_syn") == TRACKED:
        found = _established(packet, "reply")
        return found if values.get("_reply") == TRACKED else {**found, "ct state": None}
    if values.get("_ack") == TRACKED:
        return _established(packet, "reply")
    return begun(packet.family(), packet)


def _established(packet: Packet, direction: str) -> dict[str, Value]:
    return {"_track": TRACKED, "ct state": "established", "ct direction": direction, "ct status": _confirmed(packet)}


def _confirmed(packet: Packet) -> Flags:
    status = packet.values.get("ct status")
    known = status if isinstance(status, Flags) else Flags(frozenset())
    return Flags(known.names | {"seen-reply", "confirmed"}, known.maybe | {"assured"})


def attached(packet: Packet) -> dict[str, Value]:
    """What an answer that a reject makes has of the connection it answers: it is *related* to it."""
    if packet.values.get("_track") != TRACKED:
        return {}
    return {"_track": TRACKED, "ct state": "related", "ct direction": "reply", "ct protocol": TCP}
