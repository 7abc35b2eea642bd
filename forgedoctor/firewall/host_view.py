"""What is known of the host besides its rules: addresses, routes, whether it forwards, who listens."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from forgedoctor.firewall.values import Other, Span, Value

if TYPE_CHECKING:
    from forgedoctor.firewall.packet import Packet

NOT_LOOPBACK = Other(frozenset({"lo"}))
BRIDGES = ("br", "docker", "virbr", "lxcbr", "lxdbr", "vmbr", "cni", "podman", "incusbr")
_LINK_LOCAL = ipaddress.ip_network("fe80::/10")


class Network(NamedTuple):
    """A range of addresses behind an interface; ``hops`` where a router stands between."""

    family: str
    first: int
    last: int
    device: str
    hops: bool
    metric: int = 0


class Listener(NamedTuple):
    """A socket that takes connections. ``address`` empty: any; ``family``: ``ip``, ``ip6`` or both (``*``)."""

    family: str
    address: int | None
    port: int
    container: int | None


class HostView:
    """What is known; the empty one is a plain host: the address asked for is its own, clients are on its network."""

    def __init__(
        self,
        *,
        addresses: dict[str, list[tuple[str, int, int]]] | None = None,
        routes: Iterable[Network] = (),
        forwards: bool | None = None,
        listeners: list[Listener] | None = None,
        ports_of_names: dict[str, str] | None = None,
    ) -> None:
        self.addresses, self.forwards, self.listeners = addresses, forwards, listeners
        self.masters = ports_of_names or {}  # interface -> the bridge it is a port of
        self.local = {(family, address) for rows in (addresses or {}).values() for family, address, _ in rows}
        self._networks = sorted([*self._connected(), *routes], key=lambda one: (one.last - one.first, one.metric))
        self._assumed: set[tuple[str, int]] = set()

    def _connected(self) -> list[Network]:
        found = []
        for device, rows in (self.addresses or {}).items():
            for family, address, length in rows:
                bits = (32 if family == "ip" else 128) - length
                first = address >> bits << bits
                found.append(Network(family, first, first | (1 << bits) - 1, device, False))
        return found

    def assume(self, family: str, address: int) -> None:
        """Take an address for the host's own, where its addresses are not known."""
        if self.addresses is None:
            self._assumed.add((family, address))

    def is_local(self, family: str, address: Value) -> bool | None:
        """Whether a packet to this address is for the host itself."""
        if not isinstance(address, int):
            return True if address is None else None
        if (family, address) in self.local or (family, address) in self._assumed or is_loopback(family, address):
            return True
        return None if self.addresses is None else False

    def route(self, family: str, address: Value) -> Network | None:
        """The network that an address is in; None where that is not known."""
        if not isinstance(address, (int, Span)):
            return None
        low, high = (address, address) if isinstance(address, int) else address
        for one in self._networks:
            if one.family == family and one.first <= low and high <= one.last:
                return one
            if one.family == family and not (high < one.first or one.last < low):
                return None  # some of it is behind one, some behind another
        return None

    def out(self, family: str, address: Value, towards: Value) -> Value:
        """The interface to an address; where no route is known, ``towards``."""
        if isinstance(address, int) and self.is_local(family, address):
            return "lo"
        found = self.route(family, address)
        return found.device if found else towards

    def on_link(self, family: str, address: Value) -> bool | None:
        """Whether the host reaches an address without a router."""
        found = self.route(family, address)
        return None if found is None else not found.hops

    def is_bridge(self, device: Value) -> bool | None:
        """Whether an interface is a bridge: one that has ports, or that is named as programs name theirs."""
        if isinstance(device, str):
            return device in self.masters.values() or device.startswith(BRIDGES)
        return None

    def port_of(self, bridge: Value) -> Value:
        """The port of a bridge that packets pass: its only one, else any."""
        ports = [port for port, master in self.masters.items() if master == bridge]
        return ports[0] if len(ports) == 1 else NOT_LOOPBACK

    def first_address(self, device: Value, family: str) -> int | None:
        """The address that ``redirect`` puts in: the first of the interface the packet came in by."""
        rows = (self.addresses or {}).get(device, []) if isinstance(device, str) else []
        return next((address for kind, address, _ in rows if kind == family), None)

    def device_of(self, family: str, address: int) -> str:
        """The interface an address is on; empty where none is known."""
        for device, rows in (self.addresses or {}).items():
            if any((kind, own) == (family, address) for kind, own, _ in rows):
                return device
        return ""

    def listens(self, family: str, address: Value, port: Value) -> bool | None:
        """Whether somebody takes connections at an address of this host."""
        if self.listeners is None:
            return True
        answers = [_serves(one, family, address, port) for one in self.listeners if one.container is None]
        return _any(answers)

    def listens_behind(self, family: str, address: Value, port: Value) -> bool | None:
        """Whether somebody does in the container with that address; None where nothing is known of it."""
        if self.listeners is None:
            return True
        inside = [one for one in self.listeners or () if one.container is not None and one.container == address]
        return _any([_serves(one, family, address, port) for one in inside]) if inside else None

    # -- fib ---------------------------------------------------------------------------------------------------

    def fib(self, name: str, packet: Packet) -> Value:
        """``fib saddr . iif oif`` and its like: what a routing look-up says of the packet."""
        words = name.split()
        result, keys = words[-1], [word for word in words[1:-1] if word != "."]
        if not keys or packet.family() == "arp":
            return None
        address = packet.source() if "saddr" in keys else packet.target()
        device: Value = packet["iifname"] if "iif" in keys else packet["oifname"] if "oif" in keys else None
        if result == "type":
            return self._type(
                packet, "saddr" if "saddr" in keys else "daddr", device if isinstance(device, str) and device else None
            )
        if result in ("oif", "oifname"):
            return self._interface(packet.family(), address, device, packet["iifname"])
        return None

    def _type(self, packet: Packet, key: str, device: str | None) -> Value:
        family = packet.family()
        address = packet.source() if key == "saddr" else packet.target()
        low = address.low if isinstance(address, Span) else address
        if isinstance(low, int) and _multicast(family, low):
            return "multicast"
        if isinstance(low, int) and self._broadcast(family, low):
            return "broadcast"
        here = self._own(packet, key, address)
        if here is None:
            return None
        if here and device and isinstance(address, int) and self.addresses is not None:
            here = any(own == address for _, own, _ in self.addresses.get(device, []))
        return "local" if here else "unicast"

    def _own(self, packet: Packet, key: str, address: Value) -> bool | None:
        """Is it one of ours? A client's is not, unless it is known to be."""
        forth = packet["_kind"] in ("syn", "ack") or packet["icmpv6 type"] == 135
        if (key == "saddr") is forth:
            return isinstance(address, int) and self.is_local(packet.family(), address) is True
        if packet["_local"] == "yes":
            return True
        return False if isinstance(address, Span) else self.is_local(packet.family(), address)

    def _broadcast(self, family: str, address: int) -> bool:
        if family != "ip":
            return False
        nets = (one for one in self._networks if not one.hops and one.last - one.first > 1)
        return address in (0, 0xFFFFFFFF) or any(one.family == family and address == one.last for one in nets)

    def _interface(self, family: str, address: Value, device: Value, came_in: Value) -> Value:
        wanted = device if device is not None else came_in
        low = address.low if isinstance(address, Span) else address
        if isinstance(low, int) and family == "ip6" and _link_local(low):
            return _named(wanted)  # a link-local address is behind every interface
        found = self.route(family, address)
        if found is None:
            return _named(wanted) if self.addresses is None else None
        if device is None:
            return found.device
        if isinstance(device, str):
            return device if found.device == device else "missing"
        return None


def _named(device: Value) -> Value:
    if isinstance(device, Other):
        return Other(device.names | {"missing"})
    return device if isinstance(device, str) and device else None


def _any(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _serves(one: Listener, family: str, address: Value, port: Value) -> bool | None:
    if isinstance(port, int) and port != one.port:
        return False
    if isinstance(port, Span) and not port.low <= one.port <= port.high:
        return False
    if one.family == "::" and family == "ip":
        return None  # a socket on :: may take IPv4 too or not
    if one.family not in (family, "*", "::"):
        return False
    sure = True if isinstance(port, int) else None
    if one.address is None:
        return sure
    if isinstance(address, int):
        return sure if address == one.address else False
    return False if is_loopback(family, one.address) else None


def is_loopback(family: str, address: int) -> bool:
    """127.0.0.0/8 or ::1."""
    return address >> 24 == 127 if family == "ip" else address == 1


def _multicast(family: str, address: int) -> bool:
    return address >> 28 == 0xE if family == "ip" else address >> 120 == 0xFF


def _link_local(address: int) -> bool:
    return ipaddress.IPv6Address(address) in _LINK_LOCAL


def parse_address(text: Any) -> tuple[str, int] | None:
    """(``ip`` or ``ip6``, number) of an address; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0].partition("/")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped:
        found = mapped
    return ("ip" if found.version == 4 else "ip6"), int(found)
