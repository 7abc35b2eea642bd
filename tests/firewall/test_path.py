"""The whole way of a connection: hooks, translation, answers, neighbours; each case was measured with real packets."""

from __future__ import annotations

import pytest

from tests.firewall.judged import CLIENT, CLIENT6, FAR, HOST, WIFI, chain, judged, verdict

ICMP = "meta l4proto { icmp, ipv6-icmp } accept"
LISTENERS = HOST["listeners"]


def table(name: str, *chains: str, family: str = "inet") -> str:
    return f"table {family} {name} {{\n" + "".join(chains) + "}\n"


def block(name: str, head: str, *rules: str) -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"\tchain {name} {{\n\t\ttype {head}\n{lines}\t}}\n"


def redirect(*rules: str, extra: str = "") -> str:
    return table("n", block("pre", "nat hook prerouting priority dstnat; policy accept;", *rules), extra, family="ip")


# -- the answer ------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_dropped_is_no_answer() -> None:
    found = judged(chain("tcp dport { 80, 443 } accept", hook="output", policy="drop"))
    assert found.verdict == "filtered" and "SYN-ACK" in str(found.because[0])
    assert verdict(chain("ct state established,related accept", hook="output", policy="drop")) == "open"
    assert verdict(chain("ct state new accept", hook="output", policy="drop")) == "filtered"


def test_nobody_listens() -> None:
    found = judged(chain("tcp dport 9000 accept"), port=9000)
    assert found.verdict == "refused" and "nobody listens" in str(found.because[0])
    assert verdict(chain("tcp flags rst drop", hook="output"), port=9000) == "filtered"


@pytest.mark.parametrize(
    ("listeners", "src", "expected"),
    [
        ([{"addr": "127.0.0.1", "port": 7860}], CLIENT, "refused"),
        ([{"addr": "192.168.50.10", "port": 7860}], CLIENT, "open"),
        ([{"addr": "192.168.50.10", "port": 7860}], WIFI, "refused"),
        ([{"addr": "::", "port": 7860}], CLIENT, "undecided"),  # it may take IPv4 too, or not
        ([{"addr": "::", "port": 7860, "v6only": True}], CLIENT, "refused"),
        ([{"addr": "*", "port": 7860}], CLIENT, "open"),
        ([{"addr": "0.0.0.0", "port": 7860}], CLIENT6, "refused"),
        ([], CLIENT, "refused"),
        (None, CLIENT, "open"),  # not known: the question is what the rules do
    ],
)
def test_who_listens(listeners: list[dict[str, object]] | None, src: str, expected: str) -> None:
    assert verdict(chain("tcp dport 22 drop"), src=src, listeners=listeners) == expected


@pytest.mark.parametrize(
    ("reject", "allowed", "expected"),
    [
        ("reject with tcp reset", "ct state related accept", "refused"),
        ("reject with tcp reset", "ct state established accept", "filtered"),  # a reject's answer is only related
        ("reject", "ct state related accept", "refused"),
        ("reject", "meta l4proto tcp accept", "filtered"),
        ("reject", "icmp type destination-unreachable accept", "refused"),
    ],
)
def test_the_answer_of_a_reject_must_get_out_too(reject: str, allowed: str, expected: str) -> None:
    out = chain(allowed, hook="output", policy="drop").replace("inet t", "inet o")
    assert verdict(chain(f"tcp dport 7860 {reject}") + out) == expected


# -- hooks -----------------------------------------------------------------------------------------------------------


def test_ingress_counts_only_on_its_device() -> None:
    text = table(
        "g",
        block("i", 'filter hook ingress device "eth0" priority 0; policy accept;', "tcp dport 7860 drop"),
        family="netdev",
    )
    assert verdict(text) == "filtered"
    assert verdict(text, src=WIFI) == "open"
    assert verdict(text, iif="", src="", host=None) == "undecided"


def test_before_connection_tracking_every_packet_is_invalid() -> None:
    assert verdict(chain("ct state new drop", hook="prerouting", priority=-300)) == "open"
    assert verdict(chain("ct state invalid drop", hook="prerouting", priority=-300)) == "filtered"
    assert verdict(chain("ct state new drop", hook="prerouting", priority=-150)) == "filtered"


def test_without_tracking_the_answer_is_invalid() -> None:
    raw = chain("tcp dport 7860 notrack", hook="prerouting", priority=-300).replace("inet t", "inet r")
    assert verdict(raw + chain("ct state untracked drop")) == "filtered"
    assert verdict(raw + chain("ct state established accept", hook="output", policy="drop")) == "filtered"
    assert verdict(raw + chain("ct state invalid drop", hook="output")) == "filtered"
    both = chain("tcp sport 7860 notrack", hook="output", priority=-300).replace("inet t", "inet r2")
    assert verdict(raw + both + chain("ct state invalid drop", hook="output")) == "open"


def test_a_mark_goes_from_hook_to_hook_and_not_to_the_answer() -> None:
    marking = chain("tcp dport 7860 meta mark set 0x1", hook="prerouting", priority=-150).replace("inet t", "inet m")
    assert verdict(marking + chain("meta mark 0x1 drop")) == "filtered"
    assert verdict(marking + chain("meta mark 0x1 drop", hook="output")) == "open"
    kept = chain("tcp dport 7860 ct mark set 0x1", hook="prerouting", priority=-150).replace("inet t", "inet m")
    assert verdict(kept + chain("ct mark 0x1 drop", hook="output")) == "filtered"


def test_of_equal_priorities_in_one_listing_the_last_made_runs_first() -> None:
    one, other = chain("tcp dport 7860 drop"), chain("tcp dport 7860 reject with tcp reset").replace("inet t", "ip u")
    assert (verdict(one + other), verdict(other + one)) == ("refused", "filtered")


def test_between_programs_the_order_of_equal_priorities_is_not_known() -> None:
    save = ("iptables-save", "# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
            ":OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 7860 -j {}\nCOMMIT\n")  # fmt: skip
    rejects, drops = ((save[0], save[1].format(one)) for one in ("REJECT --reject-with tcp-reset", "DROP"))
    found = judged(chain("tcp dport 7860 drop"), rejects)
    assert found.verdict == "undecided" and "priority" in str(found.because[0])
    assert verdict(chain("tcp dport 7860 drop"), drops) == "filtered"


# -- translation -----------------------------------------------------------------------------------------------------


def test_input_sees_the_translated_port() -> None:
    text = redirect("tcp dport 80 redirect to :7860") + chain(
        "ct state established accept", "tcp dport 7860 ct status dnat accept", policy="drop"
    )
    assert (verdict(text, port=80), verdict(text)) == ("open", "filtered")
    assert verdict(redirect("tcp dport 80 redirect to :7860") + chain("tcp dport 80 drop"), port=80) == "open"
    assert (
        verdict(
            redirect("tcp dport 80 redirect to :7860")
            + chain(
                "ct original proto-dst 80 tcp dport 7860 drop".replace("ct original", "meta l4proto tcp ct original")
            ),
            port=80,
        )
        == "filtered"
    )


def test_the_first_translation_counts_and_only_for_new_connections() -> None:
    text = redirect("tcp dport 80 redirect to :7860", "tcp dport { 80, 7860 } redirect to :9")
    assert (verdict(text, port=80), verdict(text)) == ("open", "refused")
    later = table(
        "n2",
        block("pre", "nat hook prerouting priority -90; policy accept;", "tcp dport 7860 redirect to :9"),
        family="ip",
    )
    assert verdict(redirect("tcp dport 80 redirect to :7860") + later, port=80) == "open"


def test_all_translation_takes_place_at_one_priority() -> None:
    """A nat chain's own priority orders it among nat chains; a filter chain between sees what they left (measured)."""
    early = table(
        "n",
        block("pre", "nat hook prerouting priority -150; policy accept;", "tcp dport 80 redirect to :7860"),
        family="ip",
    )
    assert verdict(early + chain("tcp dport 80 drop", hook="prerouting", priority=-120), port=80) == "filtered"


def test_a_translated_answer_that_is_not_tracked_is_no_answer() -> None:
    out = chain("tcp sport 7860 notrack", hook="output", priority=-300)
    found = judged(redirect("tcp dport 80 redirect to :7860") + out, port=80)
    assert found.verdict == "filtered" and "another address or port" in str(found.because[0])


def test_translation_to_a_range_of_ports() -> None:
    assert verdict(redirect("tcp dport 80 redirect to :7860-7869"), port=80) == "undecided"
    assert verdict(redirect("tcp dport 7860 redirect to :7800-7869")) == "open"  # a port in the range stays


def test_to_loopback_it_depends_on_route_localnet() -> None:
    found = judged(
        redirect("tcp dport 80 dnat to 127.0.0.1:7860"), port=80, listeners=[{"addr": "127.0.0.1", "port": 7860}]
    )
    assert found.verdict == "undecided" and "route_localnet" in str(found.settle)


PUBLISHED = redirect('iifname != "docker0" tcp dport 8080 dnat to 172.17.0.2:7860')
INSIDE = [{"addr": "0.0.0.0", "port": 7860, "container": "172.17.0.2"}]


def test_a_published_port_meets_forward_and_not_input() -> None:
    assert verdict(PUBLISHED + chain("drop"), port=8080, listeners=INSIDE) == "open"
    filtered = PUBLISHED + chain("tcp dport 8080 drop", hook="forward")
    assert verdict(filtered, port=8080, listeners=INSIDE) == "open"  # there it is 7860 by then
    assert verdict(PUBLISHED + chain("tcp dport 7860 drop", hook="forward"), port=8080, listeners=INSIDE) == "filtered"
    back = chain('iifname "docker0" drop', hook="forward")
    assert verdict(PUBLISHED + back, port=8080, listeners=INSIDE) == "filtered"


def test_in_the_container() -> None:
    loopback = [{"addr": "127.0.0.1", "port": 7860, "container": "172.17.0.2"}]
    assert verdict(PUBLISHED, port=8080, listeners=loopback) == "refused"
    assert verdict(PUBLISHED, port=8080, listeners=LISTENERS) == "undecided"  # nothing is known of who listens there
    assert verdict(PUBLISHED, port=8080, listeners=INSIDE, ip_forward=False) == "filtered"


# -- neighbours ------------------------------------------------------------------------------------------------------


def test_without_neighbour_discovery_no_ipv6() -> None:
    found = judged(chain("tcp dport 7860 accept", "ct state established accept", policy="drop"), src=CLIENT6)
    assert found.verdict == "filtered" and "neighbour discovery" in str(found.because[0])
    assert (
        verdict(chain("ct state established,related accept", hook="output", policy="drop"), src=CLIENT6) == "filtered"
    )
    assert (
        verdict(chain("tcp dport 7860 accept", "ct state established accept", ICMP, policy="drop"), src=CLIENT6)
        == "open"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept", "open"),
        ("icmpv6 type nd-neighbor-advert accept", "filtered"),
        ("icmpv6 type nd-neighbor-solicit limit rate 10/second accept", "open"),  # one packet is within any limit
        ("icmpv6 type nd-neighbor-solicit ct state untracked accept", "open"),
        ("icmpv6 type nd-neighbor-solicit ip6 saddr fd50::20 accept", "open"),
        ("icmpv6 type nd-neighbor-solicit ip6 saddr fe80::/10 accept", "filtered"),  # asked from the client's address
    ],
)
def test_what_lets_neighbour_discovery_in(rule: str, expected: str) -> None:
    assert verdict(chain("meta l4proto tcp accept", rule, policy="drop"), src=CLIENT6) == expected


def test_without_arp_no_ipv4() -> None:
    text = table(
        "a", block("i", "filter hook input priority 0; policy accept;", "arp operation request drop"), family="arp"
    )
    assert (verdict(text), verdict(text, src=CLIENT6)) == ("filtered", "open")
    dropping = table(
        "g",
        block("i", 'filter hook ingress device "eth0" priority 0; policy drop;', "tcp dport 7860 accept"),
        family="netdev",
    )
    assert verdict(dropping) == "filtered"


# -- what is known of the host ---------------------------------------------------------------------------------------


def test_a_client_behind_a_router_comes_by_the_interface_of_the_route() -> None:
    assert verdict(chain("fib saddr . iif oif missing drop", hook="prerouting"), src=FAR) == "open"
    assert (
        verdict(chain("fib saddr . iif oif missing drop", hook="prerouting"), src=FAR, iif="wlan0", dst="192.168.60.10")
        == "filtered"
    )


def test_from_the_host_itself_all_goes_over_the_loopback() -> None:
    assert verdict(chain('iifname != "eth0" tcp dport 7860 drop'), src="192.168.50.10", iif="") == "filtered"
    assert verdict(chain('iif "lo" accept', "drop"), src="127.0.0.1", iif="lo", dst="127.0.0.1") == "open"


def test_rules_of_a_bridge_count_only_for_bridges() -> None:
    text = table("b", block("i", "filter hook input priority 0; policy accept;", "drop"), family="bridge")
    assert verdict(text) == "open"
    assert verdict(text, iif="br0") == "filtered"
    assert verdict(text, iif="", src="", host=None) == "undecided"


def test_rules_of_a_bridge_see_its_ports() -> None:
    text = table(
        "b",
        block("o", "filter hook output priority 0; policy accept;", 'oifname "veth0" tcp dport 7860 drop'),
        family="bridge",
    )
    text += PUBLISHED
    assert verdict(text, port=8080, listeners=INSIDE) == "undecided"  # which port that is, is not known
    port = {"ifname": "veth0", "master": "docker0"}
    assert verdict(text, port=8080, listeners=INSIDE, addresses=[*HOST["addresses"], port]) == "filtered"


def test_a_table_of_which_it_is_not_known_whether_it_sleeps() -> None:
    text = '{"nftables": [{"metainfo": {"json_schema_version": 1}}, {"table": {"family": "inet", "name": "t", "handle": 1, "flags": "\\u0001"}},' \
        '{"chain": {"family": "inet", "table": "t", "name": "i", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}]}'  # fmt: skip
    found = judged(text)
    assert found.verdict == "undecided" and "dormant" in str(found.because[0])
