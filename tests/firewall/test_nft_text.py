"""Listings of nft and rule files: what each rule asks and does, and what is said of those that can't be read."""

from __future__ import annotations

import pytest

from forgedoctor.firewall import nft_text
from forgedoctor.firewall.model import Members, Ruleset, Table
from tests.firewall.nft_rows import NAT, ROWS, shown


def read(text: str) -> Ruleset:
    return nft_text.read(text, "rules")


def table(text: str) -> Table:
    (found,) = read(text).tables
    return found


def made(text: str, chain: str = "input") -> list[str]:
    return [shown(rule.statements) for rule in table(text).chains[chain].rules]


def in_chain(*rules: str, family: str = "inet", before: str = "") -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    head = "\t\ttype filter hook input priority filter; policy drop;\n"
    return f"table {family} filter {{\n{before}\tchain input {{\n{head}{lines}\t}}\n}}\n"


@pytest.mark.parametrize("row", ROWS + NAT, ids=lambda row: f"{row[0]}: {row[1][:60]}")
def test_what_a_rule_asks_and_does(row: tuple[str, str, str]) -> None:
    family, rule, expected = row
    assert made(in_chain(rule, family=family)) == [expected]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # As other versions print it.
        ("reject with icmpx type port-unreachable", "reject port-unreachable"),
        ("reject with icmp type 13", "[meta nfproto == ipv4] reject admin-prohibited"),
        ("tcp flags & (fin|syn|rst|ack) == syn", "[tcp flags & 0x17 == 2]"),
        ("tcp flags & (syn | ack) == syn | ack", "[tcp flags & 0x12 == 18]"),
        ("ct original daddr 1.2.3.4", "[ct original ip daddr == 1.2.3.4]"),
        ("fib saddr . iif check missing drop", "[fib saddr . iif oif == missing] drop"),
        ("fib iif . saddr oif 0 drop", "[fib saddr . iif oif == missing] drop"),
        ("ct state 0x2,0x4 accept", "[ct state == established,related] accept"),
        ("meta l4proto 6 tcp dport 22 last used never accept", "[meta l4proto == 6] [tcp dport == 22] accept"),
        ("set update ip saddr @seen", "[meta nfproto == ipv4]"),
        ("@th,16,16 80", "[th dport == 80]"),
        ("vxlan ip saddr 10.0.0.1", "[vxlan ip saddr == 10.0.0.1]"),
        # As people write it.
        ("tcp dport ssh accept", "[tcp dport == 22] accept"),
        ("tcp dport {http,https,8000-8010} counter accept", "[tcp dport == 80,443,8000-8010] accept"),
        ("tcp dport eq 22 accept", "[tcp dport == 22] accept"),
        ("meta mark and 0xff == 1", "[meta mark & 0xff == 1]"),
        ("mark set mark or 0x5", "meta mark=&0xfffffffa^5"),
        ("iif lo accept", "[iifname == lo] accept"),
        ("iif 3 accept", "[iif == 3] accept"),
        ("tcp dport vmap {22: accept,23 :drop}", "tcp dport vmap{22:accept 23:drop}"),
        ("meta pkttype unicast", "[meta pkttype == host]"),
        ("ip saddr 10.0.0.1 - 10.0.0.9 drop", "[ip saddr == 10.0.0.1-10.0.0.9] drop"),
        ("tcp dport 022", "[tcp dport == 18]"),  # octal, as in C
        ("dnat to 10.0.0.2 : 80", "dnat to 10.0.0.2 :80"),
        # What is not understood is never less than it may be.
        ("ip saddr example.org accept", "?ip saddr accept"),
        ("tcp dport $PORT accept", "?tcp dport $PORT!"),
        ("frobnicate 5 drop", "?frobnicate 5 drop!"),
        ("tcp dport 22 frobnicate { 5 } drop", "[tcp dport == 22] ?frobnicate { 5!"),
        ("queue num 3 bypass", "?queue!"),
        ('fwd to "eth1"', "?fwd!"),
        ('xt match "recent" drop', "?xt recent drop"),
        ("xt target LOG", "?xt LOG!"),
        ('limit name "slow" accept', "?limit slow accept"),
        ('counter name "c" accept', "accept"),
        ("quota name tcp dport map @q drop", "[meta l4proto == 6] ?tcp dport map drop"),
        ("tcp dport vmap @nowhere", "?map @nowhere!"),
        ("meta mark set tcp dport map @nowhere", "[meta l4proto == 6] ?map @nowhere meta mark=?"),
    ],
)
def test_other_spellings(rule: str, expected: str) -> None:
    assert made(in_chain(rule)) == [expected]


def test_a_rule_says_where_it_stands_and_how_it_is_written() -> None:
    text = in_chain("counter packets 0 bytes 0 accept # handle 5", 'log prefix "# no" drop')
    rules = table(text).chains["input"].rules
    assert [(rule.line, rule.text) for rule in rules] == [
        (4, "counter packets 0 bytes 0 accept"),
        (5, 'log prefix "# no" drop'),
    ]


@pytest.mark.parametrize(
    ("family", "head", "expected"),
    [
        ("inet", "type filter hook input priority filter - 5; policy drop;", ("input", "filter", -5, "drop", ())),
        ("inet", "type filter hook input priority -150;", ("input", "filter", -150, "accept", ())),
        ("ip", "type nat hook prerouting priority dstnat; policy accept;", ("prerouting", "nat", -100, "accept", ())),
        ("bridge", "type filter hook forward priority filter;", ("forward", "filter", -200, "accept", ())),
        (
            "netdev",
            'type filter hook ingress device "eth0" priority -500; policy accept;',
            ("ingress", "filter", -500, "accept", ("eth0",)),
        ),
        (
            "inet",
            "type filter hook ingress devices = { eth0, eth1 } priority raw + 3; policy drop;",
            ("ingress", "filter", -297, "drop", ("eth0", "eth1")),
        ),
    ],
)
def test_where_a_chain_is_hooked(family: str, head: str, expected: tuple[object, ...]) -> None:
    chain = table(f"table {family} t {{\n\tchain c {{\n\t\t{head}\n\t}}\n}}\n").chains["c"]
    assert (chain.hook, chain.type, chain.priority, chain.policy, chain.devices) == expected


def test_sets_and_maps() -> None:
    found = table("""table inet t {
	set ports { # handle 3
		type inet_service
		flags interval
		auto-merge
		elements = { 22, 7860-7869 }
	}
	set lan {
		typeof ip saddr . tcp dport
		elements = { 10.0.0.1 . 80 counter packets 0 bytes 0 comment "a, b",
			10.0.0.2 . 443 }
	}
	set names {
		type ifname
		elements = { "eth0", "wl*" }
	}
	map vm {
		type ipv4_addr : verdict
		elements = { 1.2.3.4 : accept, * : drop }
	}
	map mm {
		type ipv4_addr : mark
		elements = { 1.2.3.4 : 0x00000005 }
	}
	map nm {
		type inet_service : ipv4_addr . inet_service
		elements = { 80 : 10.0.0.1 . 8080 }
	}
	chain c {
		ip saddr vmap @vm
		meta mark set ip saddr map @mm
		meta l4proto tcp dnat ip to tcp dport map @nm
	}
}
""")
    lan = ((0x0A000001, 0x0A000001), (80, 80)), ((0x0A000002, 0x0A000002), (443, 443))
    assert found.sets == {
        "ports": Members(elements=(((22, 22),), ((7860, 7869),))),
        "lan": Members(elements=lan),
        "names": Members(elements=(("eth0",), ("wl*",))),
    }
    assert [key for key, _ in found.maps["vm"]] == [((0x01020304, 0x01020304),), ("*",)]
    assert found.maps["mm"][0][1] == 5 and found.maps["nm"][0][1] == ("10.0.0.1", 8080)
    assert [one.named for rule in found.chains["c"].rules for one in rule.statements if getattr(one, "named", "")] == [
        "vm",
        "mm",
        "nm",
    ]


@pytest.mark.parametrize(
    ("body", "rule", "why"),
    [
        ("type ipv4_addr; timeout 1h; elements = { 1.2.3.4 timeout 1m expires 5s };", "accept", "timeout"),
        ("type ipv4_addr; flags dynamic;", "accept", "dynamic"),
        ("type ipv4_addr; size 10;", "add @s { ip saddr } drop", "dynamic"),
        ("type ipv4_addr; flags timeout;", "update @s { ip saddr timeout 5s }", "dynamic, timeout"),
        ("type ipv4_addr; elements = { 1.2.3.4 };", "delete @s { ip saddr }", "dynamic"),
        ("type ipv4_addr; elements = { example.org };", "accept", "not understood"),
        ("type ipv4_addr; elements = $LAN;", "accept", "not understood"),
    ],
)
def test_a_set_that_may_hold_others(body: str, rule: str, why: str) -> None:
    found = table(in_chain(rule, before=f"\tset s {{ {body} }}\n")).sets["s"]
    assert (found.complete, found.why) == (False, why)


def test_a_set_that_is_not_listed_is_not_empty() -> None:
    text = in_chain("ip saddr @gone drop", before="\tset terse {\n\t\ttype ipv4_addr\n\t\tsize 9\t# count 4\n\t}\n")
    assert {name: one.why for name, one in table(text).sets.items()} == {"terse": "not listed", "gone": "not listed"}


def test_a_map_that_may_hold_others_is_not_looked_up() -> None:
    before = "\tmap m { type ipv4_addr : verdict; flags timeout; elements = { 1.2.3.4 : drop }; }\n"
    assert made(in_chain("ip saddr vmap @m", before=before)) == ["?map @m!"]


def test_a_chain_without_a_name() -> None:
    found = table(in_chain("tcp dport 80 jump {\n\t\t\ttcp sport 5 accept\n\t\t\tdrop\n\t\t}", "return"))
    assert [shown(rule.statements) for rule in found.chains["input"].rules] == [
        "[tcp dport == 80] jump input#1",
        "return",
    ]
    assert [shown(rule.statements) for rule in found.chains["input#1"].rules] == ["[tcp sport == 5] accept", "drop"]


def test_a_dormant_table() -> None:
    assert table("table inet t {\n\tflags dormant\n}\n").dormant is True
    assert table("table inet t {\n\tflags owner\n}\n").dormant is False


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority 0;\n\t}\n}\n", "iptables-nft"),
        ("table ip filter {\n\tchain input {\n\t\ttype filter hook input priority 0;\n\t}\n}\n", "nft"),
        ("table inet filter {\n\tchain INPUT {\n\t\ttype filter hook input priority 0;\n\t}\n}\n", "nft"),
        ('table ip mine {\n\tchain c {\n\t\txt target "LOG"\n\t}\n}\n', "iptables-nft"),
        ("# Warning: table ip x is managed by iptables-nft, do not touch!\ntable ip x {\n}\n", "iptables-nft"),
    ],
)
def test_whose_a_table_is(text: str, engine: str) -> None:
    assert table(text).engine == engine


def test_a_warning_in_the_middle_of_a_rule() -> None:
    text = in_chain('tcp dport 80 counter packets 0 bytes 0 # Warning: XT target MARK not found\nxt target "MARK"')
    assert made(text) == ["[tcp dport == 80] ?xt MARK!"]
