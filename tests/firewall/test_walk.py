"""Rules are walked as the kernel walks them, and what they leave open is tried both ways."""

from __future__ import annotations

import pytest

from forgedoctor.firewall.evaluate import evaluate
from forgedoctor.firewall.model import Chain, Match, Members, Rule, Ruleset, Table, Unknown, Verdict
from forgedoctor.firewall.probes import Probe
from tests.firewall.judged import CLIENT, CLIENT6, WIFI, chain, judged, verdict

ACCEPT, DROP = Verdict(kind="accept"), Verdict(kind="drop")
OPEN_ND = "meta l4proto { icmp, ipv6-icmp } accept"


def sub(name: str, *rules: str) -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"\tchain {name} {{\n{lines}\t}}\n"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["tcp dport 7860 accept", "drop"], "open"),
        (["ct state new tcp dport 7860 accept", "drop"], "filtered"),  # the client's second packet is not new
        (["tcp dport 7860 drop", "accept"], "filtered"),
        (["tcp dport != 7860 drop"], "open"),
        (["tcp dport { 22, 7000-7999 } drop"], "filtered"),
        (["tcp dport 7860 reject"], "refused"),
        (["tcp dport 7860 reject with tcp reset"], "refused"),
        (["tcp dport 7860 reject with icmpx admin-prohibited"], "filtered"),
        (["ip saddr 192.168.50.0/25 return", "drop"], "open"),
        (["ip6 saddr fd50::20 drop"], "open"),
        (["udp dport 7860 drop"], "open"),
        (["udp dport != 22 drop"], "open"),
        (["iifname \"e*\" drop"], "filtered"),
        (["iifname != \"eth0\" drop"], "open"),
        (["oifname \"eth0\" drop"], "open"),
        (["oifname != \"eth0\" drop"], "filtered"),
        (["tcp flags syn / fin,syn,rst,ack drop"], "filtered"),
        (["tcp flags & (syn | ack) != syn drop"], "filtered"),
        (["tcp sport 1024-65535 drop"], "filtered"),
        (["tcp sport < 1024 drop"], "open"),
        (["fib daddr type local drop"], "filtered"),
        (["fib saddr . iif oif missing drop"], "open"),
        (["ip frag-off & 0x1fff != 0 drop"], "open"),
        (["meta mark 0x0 drop"], "filtered"),
        (["meta mark set 0x3", "meta mark & 0x1 == 0x1 drop"], "filtered"),
        (["meta mark set 0x3", "meta mark set meta mark & 0xfffffffe", "meta mark 0x2 drop"], "filtered"),
        (["meta mark set tcp dport map { 7860 : 0x7, 22 : 0x1 }", "meta mark 0x7 drop"], "filtered"),
        (["meta mark set tcp dport map { 22 : 0x1 } drop", "accept"], "open"),  # nothing found: the rule ends
        (["tcp dport vmap { 22 : accept, 7860 : drop }"], "filtered"),
        (["tcp dport vmap { 22 : drop }", "accept"], "open"),
        (["ip saddr . tcp dport vmap { 192.168.50.0/25 . 7860 : drop }"], "filtered"),
        (["ip saddr . tcp dport { 192.168.50.21 . 7860 } drop"], "open"),
        (["ct state vmap { established : accept, new : drop }"], "filtered"),
        (["ct state != established | related drop"], "filtered"),  # compared with both bits at once: always true
    ],
)  # fmt: skip
def test_what_rules_do_with_a_client(rules: list[str], expected: str) -> None:
    assert verdict(chain(*rules)) == expected


@pytest.mark.parametrize(
    ("how", "after", "expected"),
    [
        ("jump", "tcp dport 7860 accept", "open"),  # falls off the end, back to the caller
        ("goto", "tcp dport 7860 accept", "filtered"),  # falls off the end, to the policy
    ],
)
def test_jump_comes_back_and_goto_does_not(how: str, after: str, expected: str) -> None:
    rules = ["ct state established accept", f"tcp dport 7860 {how} c", after]
    assert verdict(chain(*rules, policy="drop", extra=sub("c", "ip saddr 10.0.0.0/8 accept"))) == expected


def test_return_goes_back_to_the_caller() -> None:
    rules = ["ct state established accept", "tcp dport 7860 jump c", "tcp dport 7860 drop"]
    extra = sub("c", f"ip saddr {CLIENT} return", "accept")
    assert verdict(chain(*rules, extra=extra)) == "filtered"
    assert verdict(chain(*rules, extra=extra), src=WIFI) == "open"


def test_goto_in_a_jumped_chain_returns_to_the_caller_of_the_jump() -> None:
    rules = ["ct state established accept", "jump a", "tcp dport 7860 accept"]
    assert (
        verdict(chain(*rules, policy="drop", extra=sub("b", "tcp dport 22 accept") + sub("a", "goto b", "drop")))
        == "open"
    )


def test_accept_ends_only_its_own_base_chain() -> None:
    early = chain("tcp dport 7860 accept", priority=-10)
    late = chain("tcp dport 7860 drop").replace("inet t", "inet late")
    assert verdict(early + late) == "filtered"


def test_the_deciding_rule_is_named_with_its_line_and_chain() -> None:
    found = judged(("rules.nft", chain("ct state established accept", "tcp dport 7860 drop")))
    assert (found.rule, found.manager) == ("tcp dport 7860 drop", "nftables")
    assert found.where == "rules.nft:5, table inet t, chain input"
    opened = judged(chain("ct state established accept", "tcp dport 7860 accept", policy="drop"))
    assert opened.verdict == "open" and opened.rule == "tcp dport 7860 accept"


# -- what is not decided ---------------------------------------------------------------------------------------------


def test_what_the_text_does_not_decide_is_said_with_the_rule() -> None:
    found = judged(chain("ct state established accept", "tcp dport 7860 limit rate 3/minute accept", policy="drop"))
    assert found.verdict == "undecided" and "limit" in str(found.because[0])
    assert (
        "open or filtered" in str(found.because[0]) and found.rule.startswith("tcp dport 7860 limit") and found.settle
    )


@pytest.mark.parametrize(
    "rules",
    [
        ["limit rate 3/minute accept", "accept"],
        ["limit rate 3/minute log prefix \"x\"", "ct count over 20 counter", "accept"],
        ["tcp dport 22 limit rate 3/minute drop", "accept"],  # for another port
        ["ip saddr 10.0.0.0/8 queue num 0", "accept"],
        ["limit rate 3/minute jump c", "accept"],
    ],
)  # fmt: skip
def test_what_makes_no_difference_is_no_obstacle(rules: list[str]) -> None:
    assert verdict(chain(*rules, extra=sub("c", "ip saddr 10.0.0.0/8 drop"))) == "open"


def test_a_queue_may_do_anything() -> None:
    assert verdict(chain("tcp dport 7860 queue num 0", "accept")) == "undecided"


def test_an_unknown_interface_is_one_and_the_same_all_the_way() -> None:
    rules = ["ct state established accept", 'iifname "eth0" jump c', 'iifname != "eth0" accept']
    assert verdict(chain(*rules, policy="drop", extra=sub("c", "accept")), iif="", host=None) == "open"


def test_an_unknown_interface_is_not_the_loopback() -> None:
    assert verdict(chain('iif "lo" drop'), iif="", host=None) == "open"
    found = judged(chain('iifname "wlan0" drop'), iif="", host=None)
    assert found.verdict == "undecided" and "interface" in str(found.settle)


def test_an_unknown_client_address_is_asked_for() -> None:
    found = judged(chain("ip saddr 192.168.50.0/25 drop"), src="", host=None)
    assert found.verdict == "undecided" and "address" in str(found.settle)
    assert verdict(chain("ip saddr 192.168.50.0/25 drop"), src="192.168.50.0/26", host=None) == "filtered"
    assert verdict(chain("ip saddr 192.168.50.0/25 drop"), src="192.168.50.0/24", host=None) == "undecided"


def test_a_set_that_rules_fill_decides_nothing_by_what_it_lacks() -> None:
    extra = "\tset banned {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n\t}\n"
    assert verdict(chain("ip saddr @banned drop", "tcp dport 9 add @banned { ip saddr }", extra=extra)) == "undecided"


def test_a_dormant_table_is_not_in_force() -> None:
    text = chain("tcp dport 7860 drop").replace("{\n", "{\n\tflags dormant\n", 1)
    assert verdict(text) == "open"


# -- limits ----------------------------------------------------------------------------------------------------------


def ruleset(*chains: Chain, **more: object) -> Ruleset:
    table = Table(family="inet", name="t", chains={one.name: one for one in chains}, **more)  # type: ignore[arg-type]
    return Ruleset(kind="nft-text", source="made", tables=(table,))


def base(*rules: Rule) -> Chain:
    return Chain(name="input", rules=rules, hook="input")


def ended(made: Ruleset) -> str:
    return evaluate([made], [Probe(name="x", dport=7860)])[0].decision.verdict


def test_chains_in_a_circle_are_undecided_not_endless() -> None:
    loop = Chain(name="c", rules=(Rule(statements=(Verdict(kind="jump", target="c"),)),))
    spin = Chain(name="g", rules=(Rule(statements=(Verdict(kind="goto", target="g"),)),))
    for name, one in (("c", loop), ("g", spin)):
        assert ended(ruleset(base(Rule(statements=(Verdict(kind="jump", target=name),))), one)) == "undecided"


def test_a_missing_chain_is_undecided() -> None:
    assert ended(ruleset(base(Rule(statements=(Verdict(kind="jump", target="gone"),))))) == "undecided"


def test_thousands_of_open_questions_stay_cheap() -> None:
    """Each rule may or may not jump, but what comes after is the same: the ways join again."""
    jump = Rule(statements=(Unknown(construct="limit"), Verdict(kind="jump", target="c")))
    mark = Chain(name="c", rules=(Rule(statements=(Unknown(construct="quota"), Verdict(kind="return"))),))
    assert ended(ruleset(base(*[jump] * 3000), mark)) == "open"
    many = Rule(statements=(*[Unknown(construct="limit")] * 20, DROP))
    assert ended(ruleset(base(*[many] * 50))) == "undecided"


def test_a_large_set_with_half_known_values() -> None:
    elements = tuple(((number * 4, number * 4 + 1),) for number in range(20_000))
    match = Match(fields=("tcp sport",), members=Members(elements=elements))
    assert ended(ruleset(base(Rule(statements=(match, DROP))))) == "undecided"
    whole = Match(
        fields=("tcp sport",), members=Members(elements=tuple(((port, port),) for port in range(1024, 65536)))
    )
    assert ended(ruleset(base(Rule(statements=(whole, DROP))))) == "filtered"


def test_ipv6_rules_are_walked_for_ipv6() -> None:
    rules = ["ct state established accept", OPEN_ND, "ip6 saddr fd50::/64 tcp dport 7860 accept"]
    assert verdict(chain(*rules, policy="drop"), src=CLIENT6) == "open"
    assert verdict(chain(*rules, policy="drop")) == "filtered"
