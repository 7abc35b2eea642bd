"""The packets that answer a packet, as a host makes them."""

from __future__ import annotations

from forgedoctor.firewall.packet import (
    ACK,
    ICMP,
    ICMPV6,
    PSH,
    RST,
    SYN,
    TCP,
    UNTRACKED,
    Packet,
    base,
    neighbour,
)  # fmt: skip
from forgedoctor.firewall.tracking import attached
from forgedoctor.firewall.values import Value

_REFUSING = ("tcp reset", "tcp-reset")


def refuses(what: str) -> bool:
    """Whether a client takes this answer of a reject for a refusal; any other ICMP error is a different one."""
    return what in ("", *_REFUSING) or what.endswith(("port-unreachable", "port-unreach"))


def resets(what: str) -> bool:
    """Whether the reject sends a TCP reset."""
    return what in _REFUSING


def _carried(packet: Packet) -> dict[str, Value]:
    """What the packets of a connection have in common."""
    ours = ("_client", "_sport", "_dst", "_dport", "_syn", "_reply", "_ack", "_iif")
    return {
        name: value
        for name, value in packet.values.items()
        if name.startswith(("ct ", "_to", "_from", "_dormant")) or name in ours
    }


def _back(packet: Packet, kind: str, flags: int) -> dict[str, Value]:
    """A TCP packet of the server to the client."""
    values, family = packet.values, packet.family()
    client_side = values.get("_iif", packet["iifname"])
    return _carried(packet) | base(kind, family, packet.target(), packet.source(), TCP) | {
        "tcp sport": values["tcp dport"],
        "tcp dport": values["tcp sport"],
        "tcp flags": flags,
        "iifname": "",
        "oifname": packet.host.out(family, packet.source(), client_side),
        "_iif": client_side,
    }  # fmt: skip


def answer(packet: Packet, kind: str) -> Packet:
    """SYN-ACK (``synack``), or the reset of a port that nobody listens on (``rst``)."""
    made = _back(packet, kind, SYN | ACK if kind == "synack" else RST | ACK)
    if kind == "rst":
        made["_closed"] = "yes"
    return Packet(made, packet.host)


def astray(packet: Packet) -> bool:
    """Whether a client's later packet was not translated as its first: it comes to where nobody waits for it."""
    values = packet.values
    if not values.get("_to"):
        return False
    went = (values["_to_address"], values["_to_port"])
    here = (packet.target(), values["tcp dport"])
    return any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(went, here, strict=True))


def to_stray(packet: Packet) -> Packet:
    """The reset that answers such a packet; it belongs to no connection that is tracked."""
    made = _back(packet, "rst", RST) | {"_stray": "yes", "_syn": UNTRACKED, "_to": ""}
    return Packet(made, packet.host)


def data(packet: Packet) -> Packet:
    """The server's first bytes."""
    return Packet(_back(packet, "data", PSH | ACK), packet.host)


def rejection(packet: Packet, what: str) -> Packet:
    """What a reject rule sends: a reset, or ICMP port-unreachable."""
    if resets(what):
        made = _back(packet, "rst", RST | ACK)
    else:
        made = _back(packet, "icmp", 0)
        family = packet.family()
        for name in ("tcp sport", "tcp dport", "tcp flags"):
            del made[name]
        local = packet.host.is_local(family, packet.target())
        protocol, kind, code = (ICMP, 3, 3) if family == "ip" else (ICMPV6, 1, 4)
        source = packet.target() if local else None
        name = "icmp" if family == "ip" else "icmpv6"
        made |= base("icmp", family, source, packet.source(), protocol) | {f"{name} type": kind, f"{name} code": code}
    return Packet(made | {"_what": what} | attached(packet), packet.host)


def acknowledgement(packet: Packet) -> Packet:
    """The client's answer to a SYN-ACK."""
    values, family = packet.values, packet.family()
    made = _carried(packet) | base("ack", family, packet.target(), values["_dst"], TCP) | {
        "tcp sport": values["tcp dport"],
        "tcp dport": values["_dport"],
        "tcp flags": ACK,
        "iifname": values["_iif"],
        "oifname": "",
        "meta pkttype": "host",
    }  # fmt: skip
    if values["_iif"] == "lo":
        made |= {"iifname": "", "oifname": "lo"}
    return Packet(made, packet.host)


def looped(packet: Packet) -> Packet:
    """A packet that left by the loopback interface, coming in by it."""
    return packet.put({"iifname": "lo", "oifname": "", "_looped": "yes"})


def advertisement(packet: Packet) -> Packet:
    """The neighbour advertisement that answers a solicitation."""
    made = neighbour(136, packet.values["_wanted"], packet.source(), "", packet["iifname"])
    return Packet(made | {"_iif": packet["iifname"]}, packet.host)


def strange(packet: Packet) -> bool:
    """Whether a client would not know the packet: it comes from another address or port than the client asked."""
    values, family = packet.values, packet.family()
    if packet.kind() == "icmp":
        return bool(values.get("_to")) and values.get("_track") != "tracked"
    for field, asked in ((f"{family} saddr", "_dst"), ("tcp sport", "_dport")):
        seen, wanted = values.get(field), values.get(asked)
        if isinstance(seen, int) and isinstance(wanted, int) and seen != wanted:
            return True
    return False
