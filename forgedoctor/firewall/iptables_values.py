"""Values as iptables and ipset write them: addresses, ports, protocols, marks. Pure; raises ValueError on any other.

Names of protocols and ICMP types are those of iptables 1.8 and of Debian's /etc/protocols.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

from forgedoctor.firewall.model import Match, Members, Part

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12, "udp": 17,
    "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41,
    "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ipv6-crypt": 50, "ah": 51,
    "ipv6-auth": 51, "skip": 57, "ipv6-icmp": 58, "icmpv6": 58, "icmp6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103,
    "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135,
    "ipv6-mh": 135, "mh": 135, "udplite": 136, "mpls-in-ip": 137, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142,
    "mptcp": 262,
}  # fmt: skip
# Listings print numbers; these names stand in rules written by hand.
_SERVICES = {"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "http": 80,
             "ntp": 123, "https": 443, "mdns": 5353, "http-alt": 8080, "webcache": 8080}  # fmt: skip
_ICMP = {
    "echo-reply": "0", "pong": "0", "destination-unreachable": "3", "network-unreachable": "3/0",
    "host-unreachable": "3/1", "protocol-unreachable": "3/2", "port-unreachable": "3/3", "fragmentation-needed": "3/4",
    "source-quench": "4", "redirect": "5", "echo-request": "8", "ping": "8", "router-advertisement": "9",
    "router-solicitation": "10", "time-exceeded": "11", "ttl-exceeded": "11", "parameter-problem": "12",
    "timestamp-request": "13", "timestamp-reply": "14", "address-mask-request": "17", "address-mask-reply": "18",
}  # fmt: skip
_ICMPV6 = {
    "destination-unreachable": "1", "packet-too-big": "2", "time-exceeded": "3", "ttl-exceeded": "3",
    "parameter-problem": "4", "echo-request": "128", "ping": "128", "echo-reply": "129", "pong": "129",
    "router-solicitation": "133", "router-advertisement": "134", "neighbour-solicitation": "135",
    "neighbor-solicitation": "135", "neighbour-advertisement": "136", "neighbor-advertisement": "136",
    "redirect": "137",
}  # fmt: skip
WHOLE = 0xFFFFFFFF


def address(text: str, six: bool) -> int:
    """An address as a number."""
    try:
        return int.from_bytes(inet_pton(AF_INET6 if six else AF_INET, text), "big")
    except (OSError, UnicodeError):
        raise ValueError(f"no address: {text}") from None


def of_version(text: str) -> bool:
    """Whether an address (or a network) is one of IPv6."""
    return ":" in text


@lru_cache(maxsize=4096)
def network(text: str, six: bool) -> tuple[tuple[int, int], int | None]:
    """A network: its first and last address; or, where the mask has holes, the value and the mask."""
    host, slash, width = text.partition("/")
    value = address(host, six)
    bits = 128 if six else 32
    whole = (1 << bits) - 1
    if not slash:
        return (value, value), None
    if width.isdecimal():
        length = int(width)
        if length > bits:
            raise ValueError(f"no mask: {text}")
        mask = whole ^ (whole >> length)
    else:
        mask = address(width, six)
    rest = whole ^ mask
    if rest & (rest + 1):
        return (value & mask, value & mask), mask
    return (value & mask, value & mask | rest), None


def networks(field: str, text: str, six: bool, negated: bool) -> Match:
    """A match on one network or on several, parted by commas."""
    read = [network(one, six) for one in text.split(",")]
    masks = {mask for _, mask in read}
    if len(masks) > 1:
        raise ValueError(f"masks that differ: {text}")
    return matching(field, tuple(part for part, _ in read), negated, masks.pop())


def matching(field: str, parts: tuple[Part, ...], negated: bool, mask: int | None = None) -> Match:
    """A match of one field on any of the parts."""
    return Match(
        fields=(field,),
        op="!=" if negated else "==",
        members=Members(elements=tuple((part,) for part in parts)),
        mask=mask,
    )


def number(text: str) -> int:
    """A number, decimal or hexadecimal."""
    return int(text, 16 if text[:2].lower() == "0x" else 10)


def numbers(text: str) -> tuple[Part, ...]:
    """Numbers and ranges (``1:5``), parted by commas."""
    return tuple(_range(one, ":", WHOLE) for one in text.split(","))


def ports(text: str) -> tuple[Part, ...]:
    """Ports and ranges (``80,8000:8080``), parted by commas."""
    return tuple(_range(one, ":", 65535) for one in text.split(","))


def dashed(text: str) -> tuple[int, int]:
    """A port, or a range with a dash."""
    return _range(text, "-", 65535)


def _range(text: str, sign: str, highest: int) -> tuple[int, int]:
    low, between, high = text.partition(sign)
    if not between:
        only = _port(low)
        return only, only
    return (_port(low) if low else 0), (_port(high) if high else highest)


def _port(text: str) -> int:
    return _SERVICES[text] if text in _SERVICES else number(text)


def marks(text: str) -> tuple[int, int]:
    """A value and its mask (``0x1/0xff``); without one, all bits."""
    value, slash, mask = text.partition("/")
    return number(value), number(mask) if slash else WHOLE


def protocol(text: str) -> int:
    """The number of a protocol; 0 is any."""
    if text == "all":
        return 0
    found = PROTOCOLS.get(text.lower())
    return number(text) if found is None else found


def icmp(text: str, six: bool) -> tuple[int, int | None] | None:
    """Type and code of an ICMP message; None is any."""
    if text in ("any", "255"):
        return None
    kind, slash, code = (_ICMPV6 if six else _ICMP).get(text, text).partition("/")
    return number(kind), number(code) if slash else None


def addresses(text: str, six: bool) -> tuple[int, int]:
    """A range of addresses with a dash, or one."""
    first, dash, last = text.partition("-")
    return address(first, six), address(last if dash else first, six)


def mac(text: str) -> int:
    """A hardware address as a number."""
    digits = text.replace(":", "").replace("-", "")
    if len(digits) != 12:
        raise ValueError(f"no hardware address: {text}")
    return int(digits, 16)


def interface(text: str) -> str:
    """The name of an interface; ``+`` at its end is any rest."""
    return text[:-1] + "*" if text.endswith("+") else text
