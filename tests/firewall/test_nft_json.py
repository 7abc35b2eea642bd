"""Listings of nft -j: the same as the text says, less what the JSON leaves out; and real ones of this machine."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from forgedoctor.firewall import nft_json, nft_text
from forgedoctor.firewall.model import Chain, Members, Ruleset, Table, Unknown
from forgedoctor.message import Message
from tests.firewall.nft_rows import NAT, ROWS, shown


def read(text: str) -> Ruleset:
    return nft_json.read(text, "rules")


def listing(*objects: dict[str, Any]) -> str:
    """As nft -j prints it: a table ip t with a chain c, and these objects."""
    head = [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "ip", "name": "t", "handle": 1}},
        {"chain": {"family": "ip", "table": "t", "name": "c", "handle": 1}},
    ]
    return json.dumps({"nftables": [*head, *objects]})


def rule(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 5, "expr": list(statements), **more}}


def made(text: str) -> list[str]:
    (table,) = read(text).tables
    return [shown(one.statements) for one in table.chains["c"].rules]


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


PORT = {"payload": {"protocol": "tcp", "field": "dport"}}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([match(PORT, {"set": [22, {"range": [80, 90]}]}), {"accept": None}], "[tcp dport == 22,80-90] accept"),
        ([match({"ct": {"key": "state"}}, ["established", "related"], "in")], "[ct state == established,related]"),
        ([match({"&": [{"meta": {"key": "mark"}}, 255]}, 1)], "[meta mark & 0xff == 1]"),
        # Versions differ in how they nest.
        (
            [
                match(
                    {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": [{"|": ["fin", "syn"]}, "ack"]}]},
                    "syn",
                )
            ],
            "[tcp flags & 0x13 == 2]",
        ),
        ([match({"fib": {"result": "check", "flags": ["saddr", "iif"]}}, False)], "[fib saddr . iif oif == missing]"),
        ([match({"payload": {"tunnel": "vxlan", "protocol": "udp", "field": "dport"}}, 5)], "[vxlan udp dport == 5]"),
        ([{"reject": None}], "reject port-unreachable"),
        ([{"last": {"used": 5}}, {"drop": None}], "drop"),
        # What iptables-nft made tells no more than its name; a target may do anything.
        ([{"xt": {"type": "match", "name": "conntrack"}}, {"accept": None}], "?xt conntrack accept"),
        ([{"xt": {"type": "target", "name": "REJECT"}}], "?xt REJECT!"),
        ([{"xt": None}, {"accept": None}], "?xt! accept"),
        # What is not understood is never less than it may be.
        ([match({"riddle": {"key": "x"}}, 5), {"drop": None}], "?riddle x drop"),
        ([match(PORT, {"riddle": 1}), {"drop": None}], "?tcp dport drop"),
        ([{"riddle": {}}, {"accept": None}], "?riddle! accept"),
        ([{"accept": None, "drop": None}], "?accept!"),
        ([5], "?5!"),
        ([{"vmap": {"key": PORT, "data": {"set": [[80, {"riddle": None}]]}}}], "?tcp dport vmap!"),
    ],
)
def test_statements(statements: list[Any], expected: str) -> None:
    assert made(listing(rule(*statements))) == [expected]


def test_a_rule_is_shown_in_the_words_of_a_listing() -> None:
    text = listing(
        rule(
            match({"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": "10.0.0.0", "len": 8}}, "!="),
            match(PORT, {"set": [22, {"range": [80, 90]}]}),
            {"counter": {"packets": 1, "bytes": 2}},
            {"reject": {"type": "tcp reset"}},
            comment="why not",
        ),
        rule({"vmap": {"key": PORT, "data": {"set": [[22, {"jump": {"target": "lan"}}]]}}}),
        rule({"dnat": {"addr": "10.0.0.2", "port": 80}}),
    )
    assert [one.text for one in read(text).tables[0].chains["c"].rules] == [
        'ip saddr != 10.0.0.0/8 tcp dport { 22, 80-90 } counter reject with tcp reset comment "why not"',
        "tcp dport vmap { 22 : jump lan }",
        "dnat to 10.0.0.2:80",
    ]


def test_what_the_json_leaves_out_is_not_known() -> None:
    chain = {"family": "netdev", "table": "t", "name": "c", "type": "filter", "hook": "ingress", "prio": -500}
    for more, devices in (({}, None), ({"dev": "eth0"}, ("eth0",)), ({"dev": ["eth0", "eth1"]}, ("eth0", "eth1"))):
        found = read(json.dumps({"nftables": [{"chain": {**chain, **more, "policy": "drop"}}]}))
        assert found.tables[0].chains["c"] == Chain(
            name="c", hook="ingress", priority=-500, policy="drop", devices=devices
        )
    for flags, dormant in (
        ("filter", None),
        (["dormant"], True),
        ("dormant", True),
        ("owner", False),
        (["x", 5], None),
    ):
        table = {"family": "inet", "name": "filter", "flags": flags}
        assert read(json.dumps({"nftables": [{"table": table}]})).tables[0].dormant is dormant


def test_sets_of_other_versions() -> None:
    text = listing(
        {"set": {"family": "ip", "table": "t", "name": "a", "type": ["ipv4_addr", "inet_service"], "elem": [
            {"concat": ["1.2.3.4", 80]}, {"elem": {"val": {"concat": ["1.2.3.5", "ssh"]}, "comment": "x"}}]}},
        {"set": {"family": "ip", "table": "t", "name": "b", "type": {"typeof": PORT}, "elem": [5, "http"]}},
        {"set": {"family": "ip", "table": "t", "name": "c", "type": "ipv4_addr", "flags": ["timeout"]}},
        {"set": {"family": "ip", "table": "t", "name": "d", "type": "ipv4_addr", "flags": "dynamic"}},
        {"map": {"family": "ip", "table": "t", "name": "m", "type": "inet_service", "map": ["ipv4_addr", "inet_service"],
                 "elem": [[80, {"concat": ["10.0.0.1", 8080]}]]}},
        {"element": {"family": "ip", "table": "t", "name": "b", "elem": [7]}},
    )  # fmt: skip
    table = read(text).tables[0]
    assert table.sets == {
        "a": Members(elements=(((0x01020304, 0x01020304), (80, 80)), ((0x01020305, 0x01020305), (22, 22)))),
        "b": Members(elements=(((5, 5),), ((80, 80),), ((7, 7),))),
        "c": Members(complete=False, why="timeout"),
        "d": Members(complete=False, why="dynamic"),
    }
    assert table.maps == {"m": ((((80, 80),), ("10.0.0.1", 8080)),)}


def test_a_file_of_commands() -> None:
    inner = json.loads(listing(rule({"accept": None})))["nftables"]
    text = json.dumps(
        {
            "nftables": [
                {"flush": {"ruleset": None}},
                *({"add": one} for one in inner[1:]),
                {"insert": rule({"drop": None})},
            ]
        }
    )
    assert made(text) == ["drop", "accept"]


def test_a_paste_with_a_prompt() -> None:
    assert made("$ sudo nft -j list ruleset\n" + listing(rule({"accept": None})) + "\n$ \n") == ["accept"]


def test_a_listing_that_is_cut_off() -> None:
    text = listing(rule({"jump": {"target": "lan"}}), rule({"drop": None}))
    found = read(text[:-40])
    assert found.cut and "missing" in str(found.problems[0])
    assert [shown(one.statements) for one in found.tables[0].chains["c"].rules] == ["jump lan"]
    assert found.tables[0].chains["lan"].rules[0].statements == (Unknown(construct="chain lan", anything=True),)


@pytest.mark.parametrize("text", ["", "{}", "table inet t {\n}\n", '{"a": 1}', '{"nftables": 5}', "[" * 5000])
def test_another_text(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON of nftables"):
        read(text)


@pytest.mark.parametrize(
    "node",
    [None, 5, {}, {"table": 5}, {"chain": {"family": "ip"}}, {"rule": {"family": [], "table": {}, "chain": 1}},
     {"set": {"family": "ip", "table": "t", "name": 5}}, {"delete": {"table": {}}}],
)  # fmt: skip
def test_a_strange_object_is_said_and_left_out(node: Any) -> None:
    found = read(listing(node, rule({"accept": None})))
    assert found.cut and [str(one) for one in found.problems] == ["rules holds an object that is not understood."]
    assert made(listing(node, rule({"accept": None}))) == ["accept"]


def test_a_deep_listing_is_refused_or_read() -> None:
    deep = '{"nftables": [{"rule": ' + '{"match":' * 100_000
    try:
        assert read(deep).cut
    except ValueError as refused:
        assert isinstance(refused.args[0], Message)


def changed(node: Any, dice: random.Random) -> Any:
    """The same, with something here and there gone or replaced."""
    if dice.random() < 0.02:
        return dice.choice([None, [], {}, 5, -1, "x", "@s", True, 1e308, {"set": []}, {"elem": {}}, {"|": [1]}, [[]]])
    if isinstance(node, dict):
        return {key: changed(one, dice) for key, one in node.items() if dice.random() > 0.01}
    return [changed(one, dice) for one in node] if isinstance(node, list) else node


# --- real listings, of namespaces that are thrown away ---------------------------------------------------------------


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Both listings of a ruleset that holds every row, and sets, maps and chains of all kinds."""
    if not shutil.which("nft") or not shutil.which("unshare"):
        pytest.skip("nft or unshare is not installed")
    folder = tmp_path_factory.mktemp("nft")
    (folder / "rules").write_text(_ruleset(), encoding="utf-8")
    script = "nft -f rules && nft list ruleset > text && nft -j list ruleset > json"
    run = ["unshare", "-n", "sh", "-c", script]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(f"no network namespace can be made here: {done.stderr[:200]}")
    if done.returncode:
        pytest.skip(f"this nft or kernel does not know all of it: {done.stderr[:200]}")
    return (folder / "text").read_text(), (folder / "json").read_text()


def _ruleset() -> str:
    lines = []
    for family in ("inet", "ip", "ip6"):
        rows = [f"\t\t{row}\n" for of, row, _ in ROWS if of == family]
        nat = [f"\t\t{row}\n" for of, row, _ in NAT if of == family]
        body = _SETS + "\tchain lan {\n\t}\n\tchain other {\n" + "".join(rows) + "\t}\n" if family == "inet" else ""
        body += "" if family == "inet" else "\tchain other {\n" + "".join(rows) + "\t}\n"
        hook = "\t\ttype nat hook prerouting priority dstnat + 3; policy accept;\n"
        lines.append(f"table {family} t {{\n{body}\tchain pre {{\n{hook}{''.join(nat)}\t}}\n}}\n")
    return "".join(lines) + _OTHERS


_SETS = """	set seen {
		type ipv4_addr
		size 100
		flags dynamic,timeout
		timeout 5m
	}
	set mixed {
		type ipv4_addr . inet_service
		flags interval
		elements = { 10.0.0.0/8 . 80-90, 1.1.1.1 . 22 }
	}
	set told {
		typeof ip saddr
		counter
		elements = { 1.1.1.1 comment "a, b", 1.1.1.2 }
	}
	set every {
		type ipv4_addr
		elements = { *, 1.1.1.1 }
	}
	map verdicts {
		type ipv4_addr : verdict
		elements = { 1.2.3.4 : accept, 1.2.3.5 : goto lan, * : drop }
	}
	map marks {
		type ipv4_addr : mark
		flags interval
		elements = { 1.2.3.0/24 : 0x5, 1.3.0.1-1.3.0.5 : 7 }
	}
	map places {
		type inet_service : ipv4_addr . inet_service
		elements = { 80 : 10.0.0.1 . 8080 }
	}
	chain named {
		ip saddr . tcp dport @mixed accept
		ip saddr @told drop
		ip saddr vmap @verdicts
		meta mark set ip saddr map @marks
		meta l4proto tcp dnat ip addr . port to tcp dport map @places
		tcp dport 80 jump {
			tcp sport 5 accept
			drop
		}
	}
"""
_OTHERS = """table bridge b {
	chain c {
		type filter hook prerouting priority dstnat; policy drop;
		ether type ip drop
	}
}
table arp a {
	chain c {
		type filter hook input priority filter;
		arp operation request drop
	}
}
"""


def same(table: Table) -> dict[str, Any]:
    """What both listings must agree in."""
    chains = {
        name: (
            one.hook,
            one.type,
            one.priority,
            one.policy,
            one.devices,
            [shown(rule.statements) for rule in one.rules],
        )
        for name, one in table.chains.items()
    }
    return {
        "name": (table.family, table.name, table.engine, table.dormant),
        **chains,
        "sets": table.sets,
        "maps": table.maps,
    }


@pytest.mark.real
def test_text_and_json_of_nft_are_read_alike(listed: tuple[str, str]) -> None:
    text, data = listed
    from_text, from_json = nft_text.read(text, "text"), nft_json.read(data, "json")
    assert [same(table) for table in from_text.tables] == [same(table) for table in from_json.tables]
    assert not from_text.problems and not from_json.problems and not from_text.cut and not from_json.cut


@pytest.mark.real
def test_rows_are_listed_as_they_are_written_here(listed: tuple[str, str]) -> None:
    """That what the tables of expected readings hold are rules, and what nft makes of them reads the same."""
    tables = {table.family: table for table in nft_text.read(listed[0], "text").tables}
    for rows, chain in ((ROWS, "other"), (NAT, "pre")):
        for family in ("inet", "ip", "ip6"):
            expected = [reading for of, _, reading in rows if of == family]
            assert [shown(rule.statements) for rule in tables[family].chains[chain].rules] == expected


@pytest.mark.real
def test_changed_listings_are_read_or_refused_with_a_sentence(listed: tuple[str, str]) -> None:
    whole, dice = json.loads(listed[1]), random.Random(7)
    for _ in range(60):
        try:
            read(json.dumps(changed(whole, dice)))
        except ValueError as refused:
            assert isinstance(refused.args[0], Message)
    for _ in range(60):
        at = dice.randrange(len(listed[1]))
        try:
            read(listed[1][:at])
        except ValueError as refused:
            assert isinstance(refused.args[0], Message)


@pytest.mark.real
def test_what_iptables_made(tmp_path: Path) -> None:
    for tool in ("iptables-nft", "nft", "unshare"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    script = """iptables-nft -A INPUT -p tcp --dport 7860 -m conntrack --ctstate NEW -m recent --set || exit 9
iptables-nft -A INPUT -p tcp --dport 7860 -j REJECT --reject-with tcp-reset || exit 9
nft list ruleset > text 2>/dev/null; nft -j list ruleset > json 2>/dev/null"""
    run = ["unshare", "-n", "sh", "-c", script]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"iptables-nft does not work here: {done.stderr[:200]}")
    (text,) = nft_text.read((tmp_path / "text").read_text(), "text").tables
    (data,) = read((tmp_path / "json").read_text()).tables
    assert text.engine == data.engine == "iptables-nft"
    for table in (text, data):
        first, second = table.chains["INPUT"].rules
        assert any(isinstance(one, Unknown) and one.construct == "xt recent" for one in first.statements)
        assert shown(second.statements).startswith("[tcp dport == 7860]")
    assert shown(data.chains["INPUT"].rules[1].statements).endswith("?xt REJECT!")
