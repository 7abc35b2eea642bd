"""What rules write into a packet: marks, other addresses and ports."""

from __future__ import annotations

from forgedoctor.firewall.host_view import parse_address
from forgedoctor.firewall.model import SetField, Translate
from forgedoctor.firewall.packet import TRACKED, Packet
from forgedoctor.firewall.values import Absent, Bits, Flags, Span, Value

_ALL = 0xFFFFFFFF


def assigned(packet: Packet, statement: SetField, value: Value) -> Packet:
    """The packet after ``field = (old & keep) ^ value``."""
    field = statement.field
    if field.startswith("ct ") and packet.values.get("_track") != TRACKED:
        return packet  # there is no connection to write to
    if isinstance(value, Absent):
        return packet
    if statement.source:
        value = _and(value, statement.source_mask)
    return packet.put({field: _xor(_and(packet[field], statement.keep), value)})


def _and(value: Value, mask: int) -> Value:
    if mask == 0:
        return 0
    if isinstance(value, int):
        return value & mask
    if isinstance(value, Bits):
        return _bits(value.value & mask, value.known | ~mask & _ALL)
    return value if mask & _ALL == _ALL else _bits(0, ~mask & _ALL)


def _xor(one: Value, other: Value) -> Value:
    if isinstance(one, int) and one == 0:
        return other
    left, right = _as_bits(one), _as_bits(other)
    return _bits(left.value ^ right.value, left.known & right.known)


def _as_bits(value: Value) -> Bits:
    if isinstance(value, Bits):
        return value
    return Bits(value, _ALL) if isinstance(value, int) else Bits(0, 0)


def _bits(value: int, known: int) -> Value:
    return value & _ALL if known & _ALL == _ALL else Bits(value & known, known)


def translated(
    packet: Packet, statement: Translate, address: str, last: str, port: tuple[int, int] | None
) -> Packet | None:
    """The packet with its new address and port; None where the statement is for another family."""
    family = packet.family()
    if packet.values.get("_track") != TRACKED:
        return packet
    if address:
        first, final = parse_address(address), parse_address(last) if last else None
        if first is None or first[0] != family:
            return None
        new: Value = first[1] if not final or final == first else Span(first[1], final[1])
        return _moved(packet, statement.kind, new, port)
    if statement.kind == "redirect":
        return _moved(packet, "dnat", _own(packet), port, local=True)
    if statement.kind == "masquerade":
        oif = packet["oifname"]
        return _moved(packet, "snat", packet.host.first_address(oif, family), port)
    old = packet.target() if statement.kind == "dnat" else packet.source()
    return _moved(packet, statement.kind, old, port)


def _own(packet: Packet) -> Value:
    """The address of the host that redirect takes: the first of the interface, where that is known."""
    family, interface = packet.family(), packet["iifname"]
    if not interface or interface == "lo":
        return 0x7F000001 if family == "ip" else 1
    return packet.host.first_address(interface, family)


def _moved(packet: Packet, kind: str, address: Value, port: tuple[int, int] | None, local: bool = False) -> Packet:
    family, values = packet.family(), packet.values
    side, number = ("daddr", "tcp dport") if kind == "dnat" else ("saddr", "tcp sport")
    old = (values[f"{family} {side}"], values[number])
    new = (address, _port(values[number], port))
    changes: dict[str, Value] = {f"{family} {side}": new[0], number: new[1]}
    flags = values.get("ct status")
    status = flags if isinstance(flags, Flags) else Flags(frozenset())
    flag = "dnat" if kind == "dnat" else "snat"
    if None in new or any(isinstance(one, Span) for one in new):
        status = Flags(status.names, status.maybe | {flag})
    elif new != old:
        status = Flags(status.names | {flag}, status.maybe - {flag})
    changes["ct status"] = status
    changes["_to" if kind == "dnat" else "_from"] = "yes"
    if kind == "dnat":
        changes |= {"_to_address": new[0], "_to_port": new[1], "_local": "yes" if local else ""}
    else:
        changes |= {"_from_address": new[0], "_from_port": new[1]}
    return packet.put(changes)


def _port(old: Value, wanted: tuple[int, int] | None) -> Value:
    """A port in the wanted range stays; else it is the first and last of it, or anything between."""
    if wanted is None:
        return old
    low, high = wanted
    if low == high:
        return low
    return old if isinstance(old, int) and low <= old <= high else Span(low, high)


def again(packet: Packet, side: str) -> Packet:
    """The connection's translation applied to a later packet: ``to`` the server's side, ``from`` the client's.

    Packets of the client are changed as the first was; those to the client are changed back.
    """
    values, family = packet.values, packet.family()
    if not values.get(f"_{side}"):
        return packet
    forth = values.get("ct direction") == "original"
    if side == "to" and forth:
        return packet.put({f"{family} daddr": values["_to_address"], "tcp dport": values["_to_port"]})
    if side == "from" and forth:
        return packet.put({f"{family} saddr": values["_from_address"], "tcp sport": values["_from_port"]})
    port = {"tcp sport" if side == "to" else "tcp dport": values["_dport" if side == "to" else "_sport"]}
    ports = port if "tcp dport" in values else {}
    if side == "to":
        return packet.put({f"{family} saddr": values["_dst"], **ports})
    return packet.put({f"{family} daddr": values["_client"], **ports})
