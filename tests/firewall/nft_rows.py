"""Rules as nft lists them, each with the statements it is read as; and statements in short."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from forgedoctor.firewall.model import (
    Element,
    Match,
    NoTrack,
    Part,
    SetField,
    Statement,
    Translate,
    Unknown,
    Verdict,
    VerdictMap,
)

# Family of the table, the rule, the statements in short. All can be loaded, in a chain of no hook.
ROWS = [
    # fields and values
    ("inet", "tcp dport 7860 accept", "[tcp dport == 7860] accept"),
    ("inet", "tcp dport { 80, 443, 7860-7869 } drop", "[tcp dport == 80,443,7860-7869] drop"),
    ("inet", "tcp dport != 80-90 return", "[tcp dport != 80-90] return"),
    ("inet", "tcp dport >= 1024", "[tcp dport >= 1024]"),
    ("inet", "ip saddr 10.0.0.0/8 accept", "[ip saddr == 10.0.0.0-10.255.255.255] accept"),
    ("inet", "ip saddr != 192.168.1.1-192.168.1.9", "[ip saddr != 192.168.1.1-192.168.1.9]"),
    ("inet", "ip6 saddr { ::1, fe80::/126 }", "[ip6 saddr == ::1,fe80::-fe80::3]"),
    ("inet", "ip saddr & 0.0.0.255 == 0.0.0.5", "[ip saddr & 0xff == 0.0.0.5]"),
    ("inet", 'iif "lo" accept', "[iifname == lo] accept"),
    ("inet", 'iifname != { "eth0", "wl*" } drop', "[iifname != eth0,wl*] drop"),
    ("inet", "meta l4proto { icmp, ipv6-icmp } accept", "[meta l4proto == 1,58] accept"),
    ("inet", "meta nfproto ipv6 drop", "[meta nfproto == ipv6] drop"),
    ("inet", "ip protocol { tcp, udp, esp }", "[ip protocol == 6,17,50]"),
    ("inet", "ip6 nexthdr tcp", "[ip6 nexthdr == 6]"),
    ("inet", "icmp type echo-request", "[icmp type == 8]"),
    ("inet", "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }", "[icmpv6 type == 135,136]"),
    ("inet", "meta pkttype { host, broadcast }", "[meta pkttype == host,broadcast]"),
    ("inet", "meta protocol ip6", "[meta protocol == 34525]"),
    ("inet", "th dport 53", "[th dport == 53]"),
    ("inet", "@ih,0,8 0x5", "[@ih,0,8 == 5]"),
    ("inet", "ip saddr . tcp dport { 10.0.0.1 . 80-90 }", "[ip saddr . tcp dport == 10.0.0.1.80-90]"),
    ("inet", "fib daddr type local", "[fib daddr type == local]"),
    ("inet", "fib daddr . iif type != { local, broadcast }", "[fib daddr . iif type != local,broadcast]"),
    ("inet", "fib saddr . iif oif missing drop", "[fib saddr . iif oif == missing] drop"),
    ("inet", "fib saddr . iif oif exists", "[fib saddr . iif oif != missing]"),
    ("inet", "fib saddr . iif oif eq 0", "[fib saddr . iif oif == missing]"),
    ("inet", 'meta hour "08:00"-"17:00" accept', "[meta hour == 08:00-17:00] accept"),
    ("inet", "meta skuid 0", "[meta skuid == 0]"),
    ("inet", "numgen random mod 100 < 30 drop", "[numgen random mod 100 < 30] drop"),
    ("inet", "tcp option maxseg size 500", "[tcp option maxseg size == 500]"),
    ("inet", "exthdr hbh exists drop", "[exthdr hbh == 1] drop"),
    ("inet", "ipsec in reqid 5", "[ipsec in reqid == 5]"),
    ("inet", "socket transparent 1", "[socket transparent == 1]"),
    # bits: any of them, all of them, none of them
    ("inet", "ct state established,related accept", "[ct state == established,related] accept"),
    ("inet", "ct state { established, related } accept", "[ct state == established,related] accept"),
    ("inet", "ct state ! established,related", "[ct state != established,related]"),
    ("inet", "ct state != established", "[ct state != established]"),
    ("inet", "ct state != established | related", "[ct state != ]"),  # the union is no packet's state
    ("inet", "ct status dnat accept", "[ct status == dnat] accept"),
    ("inet", "ct status & dnat == dnat", "[ct status == dnat]"),
    ("inet", "ct status != dnat", "[ct status != ]"),  # never that bit alone
    ("inet", "ct status ! dnat", "?ct status"),
    ("inet", "tcp flags syn", "[tcp flags & 0x2 != 0]"),
    ("inet", "tcp flags ! syn", "[tcp flags & 0x2 == 0]"),
    ("inet", "tcp flags syn,ack", "[tcp flags & 0x12 != 0]"),
    ("inet", "tcp flags == syn", "[tcp flags == 2]"),
    ("inet", "tcp flags != syn", "[tcp flags != 2]"),
    ("inet", "tcp flags syn / fin,syn,rst,ack drop", "[tcp flags & 0x17 == 2] drop"),
    ("inet", "tcp flags != syn / syn,ack", "[tcp flags & 0x12 != 2]"),
    ("inet", "tcp flags & (fin | syn | rst | ack) == syn", "[tcp flags & 0x17 == 2]"),
    # connection tracking
    ("inet", "ct direction original", "[ct direction == original]"),
    ("inet", "ct original ip daddr 1.2.3.4", "[ct original ip daddr == 1.2.3.4]"),
    ("inet", "meta l4proto tcp ct original proto-dst 80", "[meta l4proto == 6] [ct original proto-dst == 80]"),
    ("inet", "ct mark & 0x1 == 0x1", "[ct mark & 0x1 == 1]"),
    ("inet", "notrack", "notrack"),
    # marks
    ("inet", "meta mark 0x1 drop", "[meta mark == 1] drop"),
    ("inet", "meta mark & 0xff00 == 0x100", "[meta mark & 0xff00 == 256]"),
    ("inet", "meta mark | 0x1 == 0x3", "?meta mark"),
    ("inet", "meta mark set 0x1", "meta mark=1"),
    ("inet", "meta mark set meta mark & 0xffffff00 | 0x10", "meta mark=&0xffffff00^16"),
    ("inet", "meta mark set meta mark ^ 0x5", "meta mark=&0xffffffff^5"),
    ("inet", "meta mark set ct mark & 0xff", "meta mark=ct mark&0xff"),
    ("inet", "ct mark set meta mark", "ct mark=meta mark&0xffffffff"),
    ("inet", "meta mark set ct mark | 0x4", "meta mark=?"),
    ("inet", "meta mark set meta mark << 4", "meta mark=?"),
    (
        "inet",
        "meta mark set ip saddr map { 1.2.3.4 : 0x5, * : 0x6 }",
        "[meta nfproto == ipv4] meta mark=ip saddr map{1.2.3.4:5 *:6}",
    ),
    ("inet", "meta mark set tcp dport map { 80 : 0x5 }", "[meta l4proto == 6] meta mark=tcp dport map{80:5}"),
    # verdicts
    ("inet", "tcp dport vmap { 22 : accept, 7860 : drop }", "tcp dport vmap{22:accept 7860:drop}"),
    ("inet", 'iifname vmap { "eth0" : jump lan, "wl*" : goto lan }', "iifname vmap{eth0:jump lan wl*:goto lan}"),
    ("inet", "ct state vmap { invalid : drop, new : continue }", "ct state vmap{invalid:drop new:continue}"),
    ("inet", "jump lan", "jump lan"),
    ("inet", "reject", "reject port-unreachable"),
    ("inet", "reject with tcp reset", "[meta l4proto == 6] reject tcp reset"),
    ("inet", "reject with icmpx admin-prohibited", "reject admin-prohibited"),
    ("inet", "reject with icmp host-prohibited", "[meta nfproto == ipv4] reject host-prohibited"),
    ("inet", "reject with icmpv6 no-route", "[meta nfproto == ipv6] reject no-route"),
    ("ip", "reject with icmp port-unreachable", "reject port-unreachable"),
    # what decides nothing, and what cannot be decided
    ("inet", "counter packets 5 bytes 6 accept", "accept"),
    ("inet", 'log prefix "a { b; #c" level info flags all drop', "drop"),
    ("inet", 'accept comment "drop; }"', "accept"),
    ("inet", "meta priority set 1:2 accept", "accept"),
    ("inet", "meta pkttype set host", "meta pkttype=?"),
    ("inet", "limit rate 10/minute burst 3 packets accept", "?limit accept"),
    ("inet", "limit rate over 10 mbytes/second drop", "?limit drop"),
    ("inet", "ct count over 10 drop", "?ct count drop"),
    ("inet", "quota over 10 mbytes drop", "?quota drop"),
    ("inet", "ip dscp set cs1", "[meta nfproto == ipv4]"),
    ("inet", "tcp dport set 80", "[meta l4proto == 6] tcp dport=80"),
    ("inet", "add @seen { ip saddr timeout 5s } accept", "[meta nfproto == ipv4] accept"),
    ("inet", "update @seen { ip saddr limit rate 5/second } drop", "[meta nfproto == ipv4] ?limit drop"),
    ("inet", "meter m { ip saddr ct count over 3 } drop", "[meta nfproto == ipv4] ?ct count drop"),
    ("ip", "synproxy mss 1460 wscale 7 timestamp sack-perm", "?synproxy!"),
    ("ip", 'dup to 10.0.0.9 device "lo" accept', "accept"),
]
NAT = [  # in a chain at prerouting
    ("inet", "tcp dport 80 redirect to :7860", "[tcp dport == 80] redirect to  :7860"),
    ("ip", "tcp dport 80 dnat to 10.0.0.2:7860", "[tcp dport == 80] dnat to 10.0.0.2 :7860"),
    ("inet", "tcp dport 80 dnat ip to 10.0.0.2", "[tcp dport == 80] [meta nfproto == ipv4] dnat to 10.0.0.2"),
    ("ip6", "tcp dport 80 dnat to [fd00::2]:7860", "[tcp dport == 80] dnat to fd00::2 :7860"),
    ("ip6", "dnat to fd00::2", "dnat to fd00::2"),
    (
        "ip",
        "tcp dport 80 dnat to 10.0.0.2-10.0.0.9:80-90 random,persistent",
        "[tcp dport == 80] dnat to 10.0.0.2-10.0.0.9 :80-90",
    ),
    ("ip", "dnat to ip saddr map { 10.0.0.1 : 10.0.0.2 }", "dnat to ip saddr map{10.0.0.1:10.0.0.2}"),
    (
        "ip",
        "dnat ip to tcp dport map { 80 : 10.0.0.2 . 7860 }",
        "[meta l4proto == 6] dnat to tcp dport map{80:10.0.0.2 7860}",
    ),
    (
        "ip",
        "tcp dport 80 dnat to 10.0.0.2:tcp dport map { 80 : 7860 }",
        "[tcp dport == 80] [meta l4proto == 6] dnat to tcp dport map{80:10.0.0.2 7860}",
    ),
    (
        "ip",
        "tcp dport 80 redirect to :tcp dport map { 80 : 7860 }",
        "[tcp dport == 80] [meta l4proto == 6] redirect to tcp dport map{80: 7860}",
    ),
    ("ip", "dnat ip prefix to ip daddr map { 10.1.0.0/16 : 10.2.0.0/16 }", "?dnat!"),
]


def shown(statements: tuple[Statement, ...]) -> str:
    """Statements in short."""
    return " ".join(_one(one) for one in statements)


def _one(one: Statement) -> str:
    if isinstance(one, Match):
        mask = "" if one.mask is None else f" & {one.mask:#x}"
        members = ",".join(_element(each, one.fields) for each in one.members.elements)
        return f"[{' . '.join(one.fields)}{mask} {one.op} {f'@{one.named}' if one.named else members}]"
    if isinstance(one, Unknown):
        return f"?{one.construct}{'!' if one.anything else ''}"
    if isinstance(one, Verdict):
        return f"{one.kind} {one.target}".strip()
    if isinstance(one, VerdictMap):
        return f"{' . '.join(one.fields)} vmap{_entries(one.fields, one.entries, one.named)}"
    if isinstance(one, NoTrack):
        return "notrack"
    return _set(one) if isinstance(one, SetField) else _translate(one)


def _set(one: SetField) -> str:
    if one.fields:
        return f"{one.field}={' . '.join(one.fields)} map{_entries(one.fields, one.entries, one.named)}"
    if one.source:
        return f"{one.field}={one.source}&{one.source_mask:#x}"
    return f"{one.field}={f'&{one.keep:#x}^' if one.keep else ''}{'?' if one.value is None else one.value}"


def _translate(one: Translate) -> str:
    if one.fields:
        return f"{one.kind} to {' . '.join(one.fields)} map{_entries(one.fields, one.entries, one.named)}"
    last = f"-{one.last}" if one.last else ""
    port = f" :{_part(one.port, '')}" if one.port else ""
    return f"{one.kind} to {one.address}{last}{port}" if one.address or port else one.kind


def _entries(fields: tuple[str, ...], entries: tuple[tuple[Element, object], ...], named: str) -> str:
    if named:
        return f" @{named}"
    return "{" + " ".join(f"{_element(key, fields)}:{_given(value)}" for key, value in entries) + "}"


def _given(value: object) -> str:
    if isinstance(value, Verdict):
        return _one(value)
    return f"{value[0]}{'' if value[1] is None else f' {value[1]}'}" if isinstance(value, tuple) else str(value)


def _element(element: Element, fields: tuple[str, ...]) -> str:
    return ".".join(_part(part, field) for part, field in zip(element, fields, strict=False))


def _part(part: Part, field: str) -> str:
    if isinstance(part, str):
        return part
    kind = {"ip saddr": IPv4Address, "ip daddr": IPv4Address, "ip6 saddr": IPv6Address}.get(
        field.removeprefix("ct original "), str
    )
    return str(kind(part[0])) if part[0] == part[1] else f"{kind(part[0])}-{kind(part[1])}"
