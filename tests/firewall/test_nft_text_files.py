"""Rule files, pastes and spoilt listings of nft: read as far as they go, or refused with a sentence."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forgedoctor.firewall.model import Ruleset, Unknown
from forgedoctor.message import Message
from tests.firewall.nft_rows import ROWS, shown
from tests.firewall.test_nft_text import in_chain, made, read, table

RULE_FILE = """#!/usr/sbin/nft -f
flush ruleset
define LAN = { 10.0.0.0/8, 192.168.1.0/24 }
define WEB = 7860
define PORTS = { 22, $WEB, 8000-8010 }
define EARLY = -5

table inet filter {
	set lan { type ipv4_addr; flags interval; elements = { $LAN, 172.16.0.1 } }
	chain input {
		type filter hook input priority $EARLY; policy drop;
		iif lo accept; ct state established,related accept  # { not a block
		ip saddr $LAN tcp dport $PORTS accept
		ip saddr @lan tcp dport { $WEB, 9000 } counter \\
			accept
		tcp dport {
			80,   # http
			443,
		} accept
	}
	chain input { reject with tcp reset; }
}
table ip nat { chain pre { type nat hook prerouting priority dstnat; tcp dport 80 dnat to 10.0.0.2:$WEB; }; }
"""


def test_a_rule_file() -> None:
    found = read(RULE_FILE)
    assert [table.name for table in found.tables] == ["filter", "nat"] and not found.problems
    chain = found.tables[0].chains["input"]
    lan = "10.0.0.0-10.255.255.255,192.168.1.0-192.168.1.255"
    assert chain.priority == -5
    assert [shown(rule.statements) for rule in chain.rules] == [
        "[iifname == lo] accept",
        "[ct state == established,related] accept",
        f"[ip saddr == {lan}] [tcp dport == 22,7860,8000-8010] accept",
        "[ip saddr == @lan] [tcp dport == 7860,9000] accept",
        "[tcp dport == 80,443] accept",
        "[meta l4proto == 6] reject tcp reset",
    ]
    assert [rule.line for rule in chain.rules] == [12, 12, 13, 14, 16, 21]
    assert found.tables[0].sets["lan"].elements[2] == ((0xAC100001, 0xAC100001),)
    assert shown(found.tables[1].chains["pre"].rules[0].statements) == "[tcp dport == 80] dnat to 10.0.0.2 :7860"


def test_commands() -> None:
    text = """add table inet old
table inet t
add chain inet t input { type filter hook input priority 0 ; policy drop ; }
add rule inet t input tcp dport 22 accept
insert rule inet t input iif lo accept
add rule inet t input index 0 tcp dport 23 accept
rule inet t input udp dport 5 accept
add set inet t s { type ipv4_addr ; }
add element inet t s { 1.2.3.4, 1.2.3.5 }
delete table inet old
destroy table inet never
"""
    assert made(text) == [
        "[iifname == lo] accept",
        "[tcp dport == 23] accept",
        "[tcp dport == 22] accept",
        "[udp dport == 5] accept",
    ]
    assert len(table(text).sets["s"].elements) == 2
    assert table(text + "flush chain inet t input\n").chains["input"].rules == ()
    assert read(text + "flush ruleset\n").tables == ()


def test_a_file_that_names_rules_by_handles_is_not_read_whole() -> None:
    found = read("table ip t {\n\tchain c {\n\t\taccept\n\t}\n}\ndelete rule ip t c handle 5\n")
    assert found.cut and str(found.problems[0]).startswith("rules, line 6:")


def test_included_files_are_missing() -> None:
    found = read('include "/etc/nftables.d/*.nft"\ntable ip t {\n\tchain c {\n\t\tjump other\n\t}\n}\n')
    assert found.cut and "includes" in str(found.problems[0])
    assert shown(found.tables[0].chains["other"].rules[0].statements) == "?chain other!"


@pytest.mark.parametrize(
    "text",
    [
        "$ sudo nft list ruleset\n{}$ \n",
        "```\n{}```\n",
        "root@host:~# nft -a list ruleset\n{}root@host:~#\n",
        "Warning: table ip nat is managed by iptables-nft, do not touch!\n{}",
        "\ufeff{}",
    ],
)
def test_what_a_paste_brings_along(text: str) -> None:
    assert made(text.replace("{}", in_chain("tcp dport 22 accept"))) == ["[tcp dport == 22] accept"]


def test_windows_line_ends() -> None:
    assert made(in_chain("tcp dport 22 accept").replace("\n", "\r\n")) == ["[tcp dport == 22] accept"]


def test_commands_of_a_shell() -> None:
    text = (
        "sudo nft add table ip t\n$ nft 'add chain ip t input { type filter hook input priority 0 ; policy drop ; }'\n"
    )
    text += "nft add rule ip t input tcp dport 22 accept\n"
    assert made(text) == ["[tcp dport == 22] accept"] and table(text).chains["input"].policy == "drop"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("\t\ttcp dport 22 accept\n", ["[tcp dport == 22] accept", "?what is cut off!"]),
        (
            "\t\ttcp dport 22 accept\n\t\ttcp dport 78",
            ["[tcp dport == 22] accept", "?what is cut off!", "?what is cut off!"],
        ),
        ("\t\ttcp dport { 22, 7", ["?what is cut off!", "?what is cut off!"]),
    ],
)
def test_a_listing_that_is_cut_off(end: str, expected: list[str]) -> None:
    text = "table inet t {\n\tchain input {\n" + end
    assert made(text) == expected
    assert read(text).cut and "missing" in str(read(text).problems[0])


def test_a_set_that_is_cut_off() -> None:
    found = table("table inet t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 1.2.3.4, 1.2.3.5, 1.2.").sets["s"]
    assert found.elements == (((0x01020304, 0x01020304),),) and not found.complete


def test_a_brace_too_many() -> None:
    assert [str(one) for one in read("table inet t {\n}\n}\n").problems] == [
        "rules, line 3: there is one closing brace too many."
    ]


def test_a_table_of_a_newer_nft_may_be_incomplete() -> None:
    text = "# Warning: table ip t was created by a newer version of nftables, content may be incomplete!\ntable ip t {\n}\n"
    assert read(text).cut


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("hello world\n", "no listing"),
        ("server {\n\tlisten 80;\n}\n", "no listing"),
        ("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "iptables"),
        ('{"nftables": []}', "JSON"),
        ("table\x00", "not text"),
        ("netlink: Error: cache initialization failed: Operation not permitted\n", "sudo"),
    ],
)
def test_another_text(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read(text)


def test_nothing_is_an_empty_ruleset() -> None:
    assert read("") == read("\n\n") == Ruleset(kind="nft-text", source="rules")


def test_variables_that_grow_without_end() -> None:
    lines = [
        "define A = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }",
        *(f"define A = {{ {', '.join(['$A'] * 10)} }}" for _ in range(9)),
    ]
    with pytest.raises(ValueError, match="grows"):
        read("\n".join(lines))


@given(st.text(alphabet='{}();,:."@$#|&/-*! \n\tabc019=\\', max_size=200))
@example("table ip t{" * 3000)
@example("table ip t { chain c {\n" + "jump {" * 3000)
@example("table ip t { chain c {\n meta mark set " + "(" * 5000)
@example("table ip t { set s { elements = " + "{" * 5000)
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        read(text)
    except ValueError as refused:
        assert isinstance(refused.args[0], Message)


def test_a_changed_listing_is_never_a_crash() -> None:
    rules = "\n".join(f"\t\t{rule}" for family, rule, _ in ROWS)
    whole = in_chain(rules)
    dice = random.Random(5)
    for _ in range(300):
        at, end = sorted(dice.randrange(len(whole)) for _ in range(2))
        changed = (
            whole[:at] + dice.choice(["", "{", "}", ";", " set ", "@", " map ", '"']) + whole[dice.choice([at, end]) :]
        )
        try:
            found = read(changed)
        except ValueError as refused:
            assert isinstance(refused.args[0], Message)
            continue
        assert all(
            not isinstance(one, Unknown) or one.construct
            for t in found.tables
            for c in t.chains.values()
            for rule in c.rules
            for one in rule.statements
        )
