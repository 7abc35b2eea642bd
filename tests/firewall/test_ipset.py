"""Listings of ipset: what is in each set, and what ``src`` and ``dst`` ask of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgedoctor.firewall import ipset, iptables
from forgedoctor.firewall.ipset import IpSet
from forgedoctor.firewall.model import Members

SAVED = """create lan hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xf559376d
add lan 192.168.50.0/25
add lan 192.168.60.20
add lan 10.0.0.0/8 comment "the office, nomatch"
"""


def load(text: str) -> dict[str, IpSet]:
    return ipset.load(text, "x")[0]


def holds(members: Members, *values: int | str) -> bool:
    def within(part: object, value: int | str) -> bool:
        if isinstance(part, str):
            return part == "*" or part == value or (part.endswith("*") and str(value).startswith(part[:-1]))
        return part[0] <= value <= part[1]  # type: ignore[index,operator]

    return any(all(map(within, one, values)) for one in members.elements)


def number(text: str) -> int:
    return int(ip_address(text))


def test_networks_and_addresses() -> None:
    found = ipset.read(SAVED, "ipset save")
    assert (found.kind, found.problems, list(found.sets)) == ("ipset", (), ["lan"])
    lan = found.sets["lan"]
    assert lan.complete
    inside = ["192.168.50.0", "192.168.50.127", "192.168.60.20", "10.255.255.255"]
    assert [holds(lan, number(one)) for one in inside] == [True] * 4
    assert [holds(lan, number(one)) for one in ("192.168.50.128", "192.168.60.21", "11.0.0.0")] == [False] * 3


@pytest.mark.parametrize(
    ("created", "element", "values", "ways", "fields"),
    [
        ("hash:ip family inet", "10.0.0.1", [number("10.0.0.1")], "src", "ip saddr"),
        ("hash:ip family inet netmask 24", "10.0.0.0", [number("10.0.0.77")], "src", "ip saddr"),
        ("hash:ip family inet6", "fd50::20", [number("fd50::20")], "dst", "ip6 daddr"),
        ("bitmap:ip range 10.0.0.0/24", "10.0.0.5", [number("10.0.0.5")], "src", "ip saddr"),
        ("bitmap:port range 0-65535", "7860", [7860], "dst", "th dport"),
        ("bitmap:port range 0-65535", "8000-8010", [8005], "src", "th sport"),
        ("hash:ip,port family inet", "10.0.0.1,tcp:80", [number("10.0.0.1"), 6, 80], "src,dst", "ip saddr|meta l4proto|th dport"),
        ("hash:ip,port family inet", "10.0.0.1,icmp:8/0", [number("10.0.0.1"), 1, 5], "src,src", "ip saddr|meta l4proto|th sport"),
        ("hash:net,iface family inet", "10.0.0.0/8,eth0", [number("10.1.0.0"), "eth0"], "src,src", "ip saddr|iifname"),
        ("hash:net,iface family inet", "10.0.0.0/8,eth wildcard", [number("10.1.0.0"), "eth7"], "dst,dst", "ip daddr|oifname"),
        ("hash:net,net family inet", "10.0.0.0/8,10.9.0.0/16", [number("10.1.0.0"), number("10.9.1.1")], "src,dst", "ip saddr|ip daddr"),
        ("hash:mac", "02:00:00:00:50:20", [0x020000005020], "src", "ether saddr"),
        ("hash:ip,mark family inet", "10.0.0.1,0x000000ff", [number("10.0.0.1"), 255], "src,src", "ip saddr|meta mark"),
        ("bitmap:ip,mac range 10.0.0.0/24", "10.0.0.5", [number("10.0.0.5"), 7], "src,src", "ip saddr|ether saddr"),
    ],
)  # fmt: skip
def test_types_elements_and_the_fields_they_are_asked_with(
    created: str, element: str, values: list[int | str], ways: str, fields: str
) -> None:
    found = load(f"create s {created}\nadd s {element}\n")["s"]
    assert holds(found.members, *values)
    assert "|".join(found.fields(ways.split(","), "inet6" in created)) == fields


def test_a_set_can_match_nothing_of_the_other_family_or_with_too_few_words() -> None:
    found = load("create s hash:ip,port family inet\n")["s"]
    assert found.fields(["src", "dst"], True) == ()
    assert found.fields(["src"], False) == ()
    assert found.fields(["src", "dst", "dst"], False) == ("ip saddr", "meta l4proto", "th dport")
    assert load("create p bitmap:port range 0-10\n")["p"].fields(["dst"], True) == ("th dport",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("create s hash:ip family inet timeout 300\nadd s 10.0.0.1 timeout 299\n", "timeout"),
        ("create s hash:ip,mark family inet markmask 0x000000ff\nadd s 10.0.0.1,0x1\n", "mask"),
        ("create s hash:ip family inet\nadd s 10.0.0.1.1\n", "unread"),
        ("create s hash:net,iface family inet\nadd s 10.0.0.0/8,physdev:eth0\n", "unread"),
        ("create s hash:net,port family inet\nadd s 10.0.0.0/8,tcp:80\nadd s 10.1.0.0/16,tcp:80 nomatch\n", "nomatch"),
    ],
)
def test_sets_that_may_hold_others(text: str, why: str) -> None:
    members = load(text)["s"].members
    assert (members.complete, members.why) == (False, why)


def test_comments_and_counters_are_no_timeouts() -> None:
    text = 'create s hash:ip family inet counters comment bucketsize 12\nadd s 10.0.0.1 packets 5 bytes 300 comment "timeout 5"\n'
    assert load(text)["s"].members == Members(elements=(((number("10.0.0.1"), number("10.0.0.1")),),))


def test_networks_taken_out_again_and_put_back() -> None:
    text = (
        "create s hash:net family inet\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\nadd s 10.1.2.0/24\n"
        "add s 192.168.0.0/24\nadd s 192.168.0.0/25 nomatch\n"
    )
    members = load(text)["s"].members
    expected = {"10.0.0.1": True, "10.1.0.1": False, "10.1.1.255": False, "10.1.2.0": True, "10.1.2.255": True,
                "10.1.3.0": False, "10.1.255.255": False, "10.2.0.0": True, "10.255.255.255": True, "11.0.0.0": False,
                "192.168.0.1": False, "192.168.0.128": True, "192.168.0.255": True, "192.168.1.0": False}  # fmt: skip
    assert {one: holds(members, number(one)) for one in expected} == expected
    assert members.complete


def test_a_list_of_sets_holds_what_they_hold() -> None:
    text = "create a hash:net family inet\nadd a 10.0.0.0/8\ncreate b hash:net family inet\nadd b 11.0.0.0/8\n"
    found = load(text + "create all list:set size 8\nadd all a\nadd all b\n")
    assert [holds(found["all"].members, number(one)) for one in ("10.1.1.1", "11.1.1.1", "12.0.0.1")] == [
        True,
        True,
        False,
    ]
    assert found["all"].members.complete
    mixed = load(text + "create p bitmap:port range 0-9\ncreate all list:set size 8\nadd all a\nadd all p\n")
    assert not mixed["all"].members.complete
    assert not load("create all list:set size 8\nadd all missing\n")["all"].members.complete


def test_sets_of_ports_are_left_open_where_the_rules_are_not_read_with_them() -> None:
    found = ipset.read("create s hash:ip,port family inet\nadd s 10.0.0.1,tcp:80\n", "x")
    assert found.sets["s"] == Members(complete=False, why="ipset")


def test_the_output_of_ipset_list() -> None:
    text = (
        "Name: lan\nType: hash:net\nRevision: 7\nHeader: family inet hashsize 1024 maxelem 65536\nSize in memory: 552\n"
        "References: 1\nNumber of entries: 2\nMembers:\n192.168.50.0/25\n192.168.60.20\n\n"
        "Name: web\nType: bitmap:port\nHeader: range 0-65535\nMembers:\n80\n"
    )
    found = load(text)
    assert holds(found["lan"].members, number("192.168.60.20"))
    assert holds(found["web"].members, 80)


def test_what_cannot_be_read_is_named() -> None:
    noise = "".join(f"noise {one}\n" for one in range(20))
    found = ipset.read(SAVED + "add nowhere 1.2.3.4\n" + noise, "sets.txt")
    assert str(found.problems[0]) == "sets.txt, line 5: this could not be read as part of an ipset: add nowhere 1.2.3.4"
    assert str(found.problems[-1]) == "sets.txt: 16 more lines could not be read."
    assert len(found.problems) == 6
    with pytest.raises(ValueError, match="sudo ipset save"):
        ipset.read("hello\n", "sets.txt")
    assert ipset.read("", "sets.txt").sets == {}


@settings(deadline=None)
@given(st.lists(st.text(alphabet='create add s hash:ip,netport 0123456789./-,:"\n', max_size=60)).map("\n".join))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        ipset.load("create s hash:ip,port family inet\n" + text, "x")
    except ValueError as error:
        assert str(error)


# -- the real program, in a network namespace of its own ---------------------------------------------------------------

SETS = """create lan hash:net family inet
add lan 10.0.0.0/8
add lan 10.1.0.0/16 nomatch
add lan 10.1.2.0/24
add lan 192.168.50.16/29
create hosts hash:ip family inet netmask 28
add hosts 172.16.5.9
create range bitmap:ip range 10.7.0.0-10.7.255.255
add range 10.7.1.1-10.7.1.20
create six hash:net family inet6
add six fd50::/64
add six fd50::8/125 nomatch
create all list:set
add all lan
add all hosts
"""
ASKED = ["10.0.0.1", "10.1.0.1", "10.1.2.5", "10.7.1.1", "10.7.1.20", "10.7.1.21", "11.0.0.0", "172.16.5.1",
         "172.16.5.15", "172.16.5.16", "192.168.50.15", "192.168.50.16", "192.168.50.23", "192.168.50.24"]  # fmt: skip
ASKED6 = ["fd50::1", "fd50::7", "fd50::8", "fd50::f", "fd50::10", "fd51::1"]


def _run(script: str) -> str:
    if sys.platform != "linux" or not shutil.which("ipset") or not shutil.which("unshare"):
        pytest.skip("ipset is not installed")
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], input=SETS, capture_output=True, text=True, timeout=60)
    if "====" not in done.stdout:
        pytest.skip(f"sets cannot be made here: {done.stderr[-200:]}")
    return done.stdout


@pytest.mark.real
@pytest.mark.parametrize("listed", ["save", "list"])
def test_members_are_those_that_ipset_itself_finds(listed: str) -> None:
    asked = [
        (name, one) for name in ("lan", "hosts", "range") for one in ASKED if name != "range" or one.startswith("10.7")
    ]
    asked += [("six", one) for one in ASKED6]
    tests = "\n".join(f"ipset -q test {name} {one}; echo $?" for name, one in asked)
    answers, _, saved = _run(f"ipset restore || exit 1\n{tests}\necho ====\nipset {listed}").partition("====\n")
    found = load(saved)
    held = {(name, one): holds(found[name].members, number(one)) for name, one in asked}
    assert held == {key: code == "0" for key, code in zip(asked, answers.split(), strict=True)}
    assert all(one.members.complete for one in found.values())


@pytest.mark.real
def test_rules_saved_by_iptables_find_their_sets() -> None:
    if not shutil.which("iptables"):
        pytest.skip("iptables is not installed")
    script = """ipset restore || exit 1
ipset create web hash:ip,port && ipset add web 10.0.0.1,7860
iptables -A INPUT -m set ! --match-set lan src -j DROP || exit 1
iptables -A INPUT -m set --match-set web dst,dst -j ACCEPT
iptables -A INPUT -m set --match-set later src --return-nomatch -j ACCEPT 2>/dev/null
ipset save; echo ====; iptables-save"""
    sets, _, rules = _run(script).partition("====\n")
    table = iptables.read(rules, "x", load(sets)).tables[0]
    asked = [rule.statements[0] for rule in table.chains["INPUT"].rules]
    assert [(one.fields, one.op, one.named) for one in asked] == [  # type: ignore[union-attr]
        (("ip saddr",), "!=", "lan"),
        (("ip daddr", "meta l4proto", "th dport"), "==", "web"),
    ]
    assert holds(table.sets["web"], number("10.0.0.1"), 6, 7860)
    assert not holds(table.sets["lan"], number("10.1.0.1"))
