"""One zone of firewalld as rules, in the order in which firewalld's nft chains ask.

First the rich rules of a negative priority, then what denies, what allows, the rich rules of a positive one, and the
target. Source: firewalld 1.3.3 (nftables.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from forgedoctor.firewall import iptables_values as values
from forgedoctor.firewall.firewalld_services import opened
from forgedoctor.firewall.firewalld_zones import Zone
from forgedoctor.firewall.iptables_targets import REJECTS
from forgedoctor.firewall.model import Match, Rule, Statement, Translate, Unknown, Verdict

_ACCEPT = Verdict(kind="accept")
_PROHIBITED = Verdict(kind="reject", target="admin-prohibited")
_PINGS = values.matching("meta l4proto", ((1, 1), (58, 58)), False)
# Let in before the zones are asked, by the policy allow-host-ipv6: adverts, solicitations, router adverts, redirects.
_NEIGHBOURS = values.matching("icmpv6 type", ((134, 137),), False)
_TARGETS = {"ACCEPT": _ACCEPT, "DROP": Verdict(kind="drop")}


def interface(name: str) -> str:
    """The name of an interface in a zone; ``+`` at its end is any rest."""
    return values.interface(name)


def source(text: str, end: str = "saddr", negated: bool = False) -> tuple[Statement, ...]:
    """What asks for one source: a network, a hardware address, or a set (which the listing does not show)."""
    try:
        if text.startswith("ipset:"):
            return (Unknown(construct=f"set @{text[6:]}"),)
        if text.count(":") == 5 and "/" not in text and "::" not in text and len(text) == 17:
            return (values.matching("ether saddr", ((values.mac(text), values.mac(text)),), negated),)
        six = values.of_version(text)
        return (values.networks(f"{'ip6' if six else 'ip'} {end}", text, six, negated),)
    except ValueError:
        return (Unknown(construct=f"source {text}"),)


def incoming(zone: Zone) -> list[Rule]:
    """What may come in to this machine."""
    rich = [_rich(one) for one in zone.rich_rules]
    rules = [_rule("allow-host-ipv6", _NEIGHBOURS, _ACCEPT)]
    rules += [rule for one in sorted(rich, key=_priority) if one.priority < 0 for rule in one.rules()]
    rules += [rule for one in rich if one.priority == 0 and one.denies for rule in one.rules()]
    if zone.icmp_blocks or zone.icmp_block_inversion:
        rules.append(_rule("icmp-blocks", _PINGS, Unknown(construct="icmp-block"), _PROHIBITED))
    for name in zone.services:
        rules += [_rule(f"services: {name}", *one, _ACCEPT) for one in _service(name)]
    rules += [_rule(f"ports: {one}", *_port(one), _ACCEPT) for one in zone.ports]
    rules += [_rule(f"protocols: {one}", *_port(f"/{one}"), _ACCEPT) for one in zone.protocols]
    rules += [_rule(f"source-ports: {one}", *_port(one, "sport"), _ACCEPT) for one in zone.source_ports]
    rules += [rule for one in rich if one.priority == 0 and not one.denies for rule in one.rules()]
    rules += [rule for one in sorted(rich, key=_priority) if one.priority > 0 for rule in one.rules()]
    if zone.target not in _TARGETS:
        rules.append(_rule(f"target: {zone.target}", _PINGS, _ACCEPT))
    return [*rules, _target(zone)]


def forwarded(zone: Zone) -> list[Rule]:
    """What may pass through: between the interfaces and sources of the zone, and by its target."""
    rules: list[Rule] = []
    if zone.forward:
        for one in zone.interfaces:
            rules.append(_rule("forward: yes", values.matching("oifname", (interface(one),), False), _ACCEPT))
        rules += [_rule("forward: yes", *source(one, "daddr"), _ACCEPT) for one in zone.sources]
    return [*rules, _target(zone)]


def translated(zone: Zone) -> list[Rule]:
    """The ports that are forwarded, here or to another machine."""
    rules = []
    for text in zone.forward_ports:
        words = dict(part.partition("=")[::2] for part in text.split(":", 3))
        if "toaddr" in words.get("toport", ""):
            words["toport"], _, words["toaddr"] = words["toport"].partition(":toaddr=")
        rules.append(_forward(text, (), words))
    for text in zone.rich_rules:
        one = _rich(text)
        if one.element == "forward-port":
            names = {"port": "port", "protocol": "proto", "to-port": "toport", "to-addr": "toaddr"}
            rules.append(
                _forward(text, one.matches, {names[name]: value for name, value in one.words.items() if name in names})
            )
    return rules


def _forward(text: str, matches: tuple[Statement, ...], words: Mapping[str, str]) -> Rule:
    """A forwarded port, of IPv4 unless its new address (or its rich rule's family) is of IPv6."""
    try:
        asked = _port(f"{words['port']}/{words['proto']}")
        port = values.dashed(words["toport"]) if words.get("toport") else None
        address = words.get("toaddr", "")
        if not any(isinstance(one, Match) and one.fields == ("meta nfproto",) for one in matches):
            family = "ipv6" if values.of_version(address) else "ipv4"
            matches = (values.matching("meta nfproto", (family,), False), *matches)
        kind = "dnat" if address else "redirect"
        return _rule(f"forward-ports: {text}", *matches, *asked, Translate(kind=kind, address=address, port=port))
    except (KeyError, ValueError):
        return _rule(f"forward-ports: {text}", Unknown(construct="forward-port", anything=True))


def _rule(text: str, *statements: Statement) -> Rule:
    return Rule(statements=statements, text=text)


def _target(zone: Zone) -> Rule:
    return _rule(f"target: {zone.target}", _TARGETS.get(zone.target, _PROHIBITED))


def _service(name: str) -> list[tuple[Statement, ...]]:
    ports = opened(name)
    if ports is None:
        return [(Unknown(construct=f"service {name}"),)]
    return [_port(one) for one in ports]


def _port(text: str, end: str = "dport") -> tuple[Statement, ...]:
    """``7860/tcp``, ``8000-8010/tcp``, or ``/igmp`` for all of a protocol."""
    port, _, name = text.partition("/")
    try:
        number = values.protocol(name)
        protocol = values.matching("meta l4proto", ((number, number),), False)
        return (protocol, values.matching(f"{name} {end}", (values.dashed(port),), False)) if port else (protocol,)
    except ValueError:
        return (Unknown(construct=f"port {text}"),)


class _Rich(NamedTuple):
    """One rich rule: its priority, what it asks, its element (``port`` …) with its words, and what it does."""

    text: str
    priority: int
    matches: tuple[Statement, ...]
    element: str
    words: Mapping[str, str]
    action: Statement | None

    @property
    def denies(self) -> bool:
        return isinstance(self.action, Verdict) and self.action.kind != "accept"

    def rules(self) -> Iterator[Rule]:
        if self.action is None:
            return
        ways: list[tuple[Statement, ...]] = [()]
        if self.element == "service":
            ways = _service(self.words.get("name", ""))
        elif self.element in ("port", "source-port"):
            end = "sport" if self.element == "source-port" else "dport"
            ways = [_port(f"{self.words.get('port', '')}/{self.words.get('protocol', '')}", end)]
        elif self.element == "protocol":
            ways = [_port(f"/{self.words.get('value', '')}")]
        elif self.element:
            ways = [(_PINGS, Unknown(construct=self.element))]
        for one in ways:
            yield Rule(statements=(*self.matches, *one, self.action), text=self.text)


def _priority(one: _Rich) -> int:
    return one.priority


_ELEMENTS = {"service", "port", "source-port", "protocol", "icmp-block", "icmp-type", "masquerade", "forward-port",
             "tcp-mss-clamp"}  # fmt: skip
_ACTIONS = {"accept", "reject", "drop", "mark"}


def _rich(text: str) -> _Rich:
    """Read ``rule family="ipv4" source address="…" port port="7860" protocol="tcp" accept``."""
    priority, element, action = 0, "", ""
    matches: list[Statement] = []
    words: dict[str, str] = {}
    section, negated, limited = "rule", False, False
    for word in _split(text)[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            negated = word in ("NOT", "not")
            section = section if negated else word
            element = word if word in _ELEMENTS else element
            action = word if word in _ACTIONS else action
            limited = limited or (word == "limit" and bool(action))
        elif section == "rule" and name == "priority":
            priority = int(value) if value.lstrip("-").isdecimal() else 0
        elif section == "rule" and name == "family":
            matches.append(values.matching("meta nfproto", (value,), False))
        elif section in ("source", "destination"):
            asked = f"ipset:{value}" if name == "ipset" else value
            matches += source(asked, "saddr" if section == "source" else "daddr", negated)
        elif section in _ELEMENTS:
            words[name] = value
        elif section in _ACTIONS:
            words[f"{section} {name}"] = value
    if limited:
        matches.append(Unknown(construct="limit"))
    return _Rich(text, priority, tuple(matches), element, words, _action(action, element, words))


def _action(action: str, element: str, words: Mapping[str, str]) -> Statement | None:
    if action == "reject":
        asked = words.get("reject type", "")
        return Verdict(kind="reject", target=REJECTS.get(asked, asked or "port-unreachable"))
    if action in ("accept", "drop"):
        return Verdict(kind=action)
    if element in ("masquerade", "forward-port", "tcp-mss-clamp") or not (action or element):
        return None
    if element == "icmp-block":
        return _PROHIBITED
    return Unknown(construct=action or element, anything=True)


def _split(text: str) -> list[str]:
    """Words; a value in quotes may hold spaces."""
    found: list[str] = []
    for at, part in enumerate(text.replace("'", '"').split('"')):
        if at % 2 and found:
            found[-1] += part
        else:
            found += part.split()
    return found
