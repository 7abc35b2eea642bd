"""The rows of ``ufw status``: who may reach what. Source: ufw 0.36.2, get_status() of backend_iptables.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from forgedoctor.firewall import iptables_values as values
from forgedoctor.firewall.model import Rule, Statement, Unknown, Verdict

_ROW = re.compile(
    r"(?:\[\s*\d+\]\s*)?(?P<to>\S.*?)\s+(?P<action>ALLOW|DENY|REJECT|LIMIT)(?: (?P<way>IN|OUT|FWD))?\s+(?P<of>\S.*)"
)
_HEADS = re.compile(r"Status: active|Logging: .*|Default: .*|New profiles: .*|To\s+Action\s+From|--\s+-+\s+-+")
_ATTRIBUTES = re.compile(r"\s+\((?:log|log-all|out|,|\s)+\)$")
_ON = re.compile(r"(.*?) on (\S+)$")
_SHOWN_PROFILE = re.compile(r"^(.*?[\d/a-z])\s+\(.*\)$")
_PORTS = re.compile(r"([\d,:]+)(?:/(\w+))?$")
# Profiles that Ubuntu and Debian ship, for listings that show only the name.
PROFILES = {
    "OpenSSH": "22/tcp", "SSH": "22/tcp", "Nginx HTTP": "80/tcp", "Nginx HTTPS": "443/tcp", "Nginx Full": "80,443/tcp",
    "Apache": "80/tcp", "Apache Secure": "443/tcp", "Apache Full": "80,443/tcp", "WWW": "80/tcp",
    "WWW Secure": "443/tcp", "WWW Full": "80,443/tcp", "WWW Cache": "8080/tcp", "CUPS": "631", "IPP": "631",
    "DNS": "53", "Postfix": "25/tcp", "SMTP": "25/tcp", "IMAP": "143/tcp", "IMAPS": "993/tcp", "POP3": "110/tcp",
    "POP3S": "995/tcp", "LDAP": "389/tcp", "LDAPS": "636/tcp", "Telnet": "23/tcp", "VNC": "5900/tcp",
}  # fmt: skip


class Side(NamedTuple):
    """One side of a row: an address, ports, a protocol, an interface; ``profile``: a name whose ports are not shown."""

    address: str = ""
    ports: str = ""
    protocol: str = ""
    interface: str = ""
    profile: str = ""
    six: bool = False


class Row(NamedTuple):
    """One rule of ufw, and the line it stands in."""

    to: Side
    of: Side
    action: str
    way: str
    text: str
    line: int

    @property
    def six(self) -> bool:
        return self.to.six or self.of.six

    def rules(self) -> list[Rule]:
        """It as rules of iptables: LIMIT is two, of which the first refuses who comes too often."""
        asked = tuple(self._matches())
        found: list[tuple[Statement, ...]] = []
        if self.action == "LIMIT":
            found.append((*asked, Unknown(construct="ufw limit"), Verdict(kind="reject", target="port-unreachable")))
        found.append((*asked, self._verdict()))
        return [Rule(statements=one, text=self.text, line=self.line) for one in found]

    def _verdict(self) -> Verdict:
        if self.action == "REJECT":
            tcp = "tcp" in (self.to.protocol, self.of.protocol)
            return Verdict(kind="reject", target="tcp reset" if tcp else "port-unreachable")
        return Verdict(kind="drop" if self.action == "DENY" else "accept")

    def _matches(self) -> Iterator[Statement]:
        ip = "ip6" if self.six else "ip"
        protocol = self.to.protocol or self.of.protocol
        if protocol:
            number = values.protocol(protocol)
            yield values.matching("meta l4proto", ((number, number),), False)
        elif self.to.ports or self.of.ports:
            yield values.matching("meta l4proto", ((6, 6), (17, 17)), False)
        # For a machine's own traffic the interface stands on its own side, for forwarded on that of the flow.
        came, left = (self.of, self.to) if self.way == "FWD" else (self.to, self.of)
        for side, interface in ((came, "iifname"), (left, "oifname")):
            if side.interface:
                yield values.matching(interface, (values.interface(side.interface),), False)
        for side, end in ((self.of, "s"), (self.to, "d")):
            if side.address:
                yield values.networks(f"{ip} {end}addr", side.address, self.six, False)
            if side.ports:
                name = protocol if protocol in ("tcp", "udp") else "th"
                yield values.matching(f"{name} {end}port", values.ports(side.ports), False)
            if side.profile:
                yield Unknown(construct=f"ufw profile {side.profile}")


def rows(text: str, bad: list[tuple[int, str]]) -> Iterator[Row]:
    """The rules of a listing in their order; what can't be read is noted in ``bad``."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or _HEADS.fullmatch(line):
            continue
        found = _ROW.fullmatch(line.partition(" # ")[0].rstrip())
        if found is None:
            bad.append((number, line))
        else:
            yield _row(found, line, number)


def _row(found: re.Match[str], line: str, number: int) -> Row:
    row = Row(
        to=side(found["to"]),
        of=side(_ATTRIBUTES.sub("", found["of"])),
        action=found["action"],
        way=found["way"] or "IN",
        text=line,
        line=number,
    )
    try:
        row.rules()
    except ValueError:  # what it asks is not understood: it may hold or not
        return row._replace(to=Side(profile=found["to"], six=row.six), of=Side())
    return row


def side(text: str) -> Side:
    """One side: ``192.168.1.0/24 7860/tcp on eth0``, ``Anywhere (v6)``, ``80,443/tcp (Nginx Full)``, ``Nginx Full``."""
    on = _ON.fullmatch(text)
    text, interface = (on[1], on[2]) if on else (text, "")
    six = "(v6)" in text
    text = " ".join(text.replace("(v6)", "").split())
    shown = _SHOWN_PROFILE.fullmatch(text)
    text = shown[1] if shown and _PORTS.search(shown[1]) else text
    first, _, rest = text.partition(" ")
    if first == "Anywhere" or first.startswith("Anywhere/"):
        return Side(protocol=first.partition("/")[2], interface=interface, six=six)
    address, protocol = _address(first)
    rest = rest if address else text
    six = six or values.of_version(address)
    ports = _PORTS.fullmatch(PROFILES.get(rest, rest))
    if ports:
        return Side(address, ports[1], ports[2] or protocol, interface, "", six)
    return Side(address, "", protocol, interface, rest, six)


def _address(word: str) -> tuple[str, str]:
    """An address or network, and the protocol that may follow it (``10.0.0.0/8/tcp``)."""
    parts = word.split("/")
    protocol = parts.pop() if len(parts) > 1 and parts[-1] in values.PROTOCOLS else ""
    address = "/".join(parts)
    try:
        values.network(address, values.of_version(address))
    except ValueError:
        return "", ""
    return address, protocol
