"""Zones of firewalld as rules: which zone a client belongs to, what it is let do, and what differs after a reload.

The decisions of the zones below were compared with those of the nft rules that firewalld 1.3.3 made of them.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgedoctor.firewall import firewalld
from forgedoctor.firewall.evaluate import evaluate
from forgedoctor.firewall.firewalld import Difference
from forgedoctor.firewall.firewalld_rules import incoming, source
from forgedoctor.firewall.firewalld_services import opened
from forgedoctor.firewall.firewalld_zones import active_zones, zones
from forgedoctor.firewall.model import Match, Members, Ruleset, Unknown
from forgedoctor.firewall.probes import Probe
from tests.firewall.iptables_rows import shown


def zone(name: str, **given: str) -> str:
    """One zone as ``firewall-cmd --list-all`` prints it."""
    fields = {"target": "default", "icmp-block-inversion": "no", "interfaces": "", "sources": "", "services": "",
              "ports": "", "protocols": "", "forward": "yes", "masquerade": "no", "forward-ports": "",
              "source-ports": "", "icmp-blocks": "", "rich rules": ""}  # fmt: skip
    fields |= {key.replace("_", "-").replace("rich-rules", "rich rules"): value for key, value in given.items()}
    return "\n".join([name, *(f"  {key}: {value}" for key, value in fields.items()), ""])


RICH = """
	rule priority="-5" family="ipv4" source address="192.168.50.20" port port="9000" protocol="tcp" accept
	rule service name="ftp" accept limit value="3/m"
	rule family="ipv4" source NOT address="192.168.50.0/24" port port="7861" protocol="tcp" drop
	rule family="ipv4" source address="192.168.50.200" port port="7860" protocol="tcp" reject
	rule family="ipv6" source address="fd50::/64" service name="http" accept
	rule family="ipv4" forward-port port="5000" protocol="tcp" to-port="7860"
	rule priority="100" port port="9001" protocol="tcp" log prefix="a b" level="info" accept"""
PUBLIC = zone(
    "public (active)",
    interfaces="eth0",
    services="dhcpv6-client https samba ssh",
    ports="7860-7862/tcp",
    forward_ports="\n\tport=8000:proto=tcp:toport=7862:toaddr=",
    rich_rules=RICH,
)
ALL = "\n".join(
    [
        PUBLIC,
        zone("drop (active)", target="DROP", sources="10.0.0.5"),
        zone("trusted (active)", target="ACCEPT", sources="10.1.0.0/16"),
        zone("block (active)", target="%%REJECT%%", interfaces="eth2"),
        zone("home (active)", interfaces="wlan0", services="mdns samba-client ssh"),
        zone("work"),
    ]
)


def decide(ruleset: Ruleset, src: str, port: int, iif: str = "eth0") -> str:
    dst = "fd50::10" if ":" in src else "192.168.50.10"
    return evaluate([ruleset], [Probe(name="x", src=src, dst=dst, dport=port, iif=iif)])[0].decision.verdict


def everything() -> Ruleset:
    return firewalld.ruleset(zones(ALL), "zones.txt", default_zone="public")


@pytest.mark.parametrize(
    ("src", "port", "iif", "verdict"),
    [
        ("192.168.50.20", 22, "eth0", "open"),
        ("192.168.50.20", 445, "eth0", "open"),
        ("192.168.50.20", 7860, "eth0", "open"),
        ("192.168.50.20", 7863, "eth0", "filtered"),  # the default target rejects with an ICMP error
        ("192.168.50.200", 7860, "eth0", "refused"),
        ("192.168.50.20", 7861, "eth0", "open"),
        ("192.168.9.20", 7861, "eth0", "filtered"),
        ("192.168.50.20", 9000, "eth0", "open"),
        ("192.168.50.21", 9000, "eth0", "filtered"),
        ("192.168.50.21", 9001, "eth0", "open"),
        ("192.168.50.21", 21, "eth0", "undecided"),  # let in up to a limit
        ("fd50::20", 80, "eth0", "open"),
        ("192.168.50.20", 80, "eth0", "filtered"),
        ("192.168.50.20", 8000, "eth0", "open"),  # forwarded to 7862
        ("fd50::20", 8000, "eth0", "filtered"),  # which is for IPv4 only
        ("192.168.50.20", 5000, "eth0", "open"),
        ("10.0.0.5", 22, "eth0", "filtered"),  # the zone of the source wins over that of the interface
        ("10.1.2.3", 7999, "eth0", "open"),
        ("10.1.2.3", 7999, "wlan0", "open"),
        ("192.168.60.20", 22, "wlan0", "open"),
        ("192.168.60.20", 7860, "wlan0", "filtered"),
        ("192.168.60.20", 22, "eth2", "filtered"),
        ("192.168.60.20", 7860, "eth7", "open"),  # an interface of no zone is of the default zone
    ],
)
def test_who_is_let_in(src: str, port: int, iif: str, verdict: str) -> None:
    assert decide(everything(), src, port, iif) == verdict


def test_source_ports_and_protocols_of_a_zone() -> None:
    found = incoming(
        zones(zone("x (active)", source_ports="1500/tcp", protocols="igmp", icmp_blocks="echo-request"))[0]
    )
    assert [(rule.text, shown(rule.statements)) for rule in found][1:4] == [
        ("icmp-blocks", "[meta l4proto == 1,58] ?icmp-block reject:admin-prohibited"),
        ("protocols: igmp", "[meta l4proto == 2] accept"),
        ("source-ports: 1500/tcp", "[meta l4proto == 6] [tcp sport == 1500] accept"),
    ]


def test_the_rule_names_the_zones_line() -> None:
    probe = Probe(name="x", src="192.168.50.20", dst="192.168.50.10", dport=7863, iif="eth0")
    decision = evaluate([everything()], [probe])[0].decision
    assert (decision.rule, decision.manager) == ("target: default", "firewalld")


def test_one_zone_alone_leaves_open_which_zone_a_client_is_in() -> None:
    alone = firewalld.read(PUBLIC, "list-all.txt")
    assert decide(alone, "192.168.50.20", 7863) == "undecided"
    active = active_zones("public\n  interfaces: eth0\ntrusted\n  sources: 10.1.0.0/16\n")
    together = firewalld.ruleset(zones(PUBLIC), "x", bound=active)
    assert decide(together, "192.168.50.20", 7863) == "filtered"
    assert decide(together, "10.1.2.3", 7863) == "undecided", "the zone of that source was not listed"
    assert decide(together, "192.168.60.20", 7863, "wlan0") == "undecided", "the default zone is not known"


def test_firewalld_2_marks_the_default_zone() -> None:
    text = zone("public (default, active)", interfaces="eth0", ports="7860/tcp") + zone("drop", target="DROP")
    assert zones(text)[0].default and zones(text)[0].active
    assert decide(firewalld.read(text, "x"), "192.168.50.20", 7860, "wlan0") == "open"


def test_active_zones_alone_leave_their_rules_open() -> None:
    text = "public\n  interfaces: eth0 wlan0\nhome (default)\n  interfaces: eth1\n  sources: 10.0.0.0/8\n"
    assert [(one.name, one.interfaces, one.sources) for one in active_zones(text)] == [
        ("public", ("eth0", "wlan0"), ()),
        ("home", ("eth1",), ("10.0.0.0/8",)),
    ]
    assert decide(firewalld.read(text, "x"), "192.168.50.20", 7860) == "undecided"


def test_zones_none_of_which_is_active_are_not_taken_for_what_is_in_force() -> None:
    found = firewalld.read(zone("public", services="ssh"), "pasted.txt")
    assert (found.kind, found.tables) == ("firewalld-permanent", ())
    assert "pasted.txt names no zone that is active" in str(found.problems[0])


def test_panic_mode_drops_everything() -> None:
    found = firewalld.ruleset(zones(ALL), "x", default_zone="public", panic=True)
    assert decide(found, "10.1.2.3", 22) == "filtered"


def test_a_service_that_is_not_known_may_open_any_port() -> None:
    found = firewalld.ruleset(
        zones(zone("public (active)", interfaces="eth0", services="my-app")), default_zone="public"
    )
    assert decide(found, "192.168.50.20", 7860) == "undecided"


def test_what_services_open() -> None:
    assert opened("ssh") == ["22/tcp"]
    assert opened("samba") == ["139/tcp", "445/tcp", "138/udp", "137/udp"]
    assert opened("mdns") == []
    assert opened("no-such") is None
    assert "7860/tcp" not in {
        port for name in ("http", "https", "cockpit", "vnc-server") for port in opened(name) or []
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ipset:lan", Unknown(construct="set @lan")),
        (
            "02:00:00:00:50:20",
            Match(fields=("ether saddr",), members=Members(elements=(((2199023276064, 2199023276064),),))),
        ),
        ("10.0.0.1", Match(fields=("ip saddr",), members=Members(elements=(((167772161, 167772161),),)))),
        ("fd50::1", Match(fields=("ip6 saddr",), members=Members(elements=(((int("fd50", 16) << 112 | 1,) * 2,),)))),
        ("nonsense", Unknown(construct="source nonsense")),
    ],
)
def test_sources_of_a_zone(text: str, expected: object) -> None:
    assert source(text) == (expected,)


@pytest.mark.parametrize(
    "rule",
    [
        'rule family="ipv4" source ipset="lan" port port="7860" protocol="tcp" accept',
        'rule family="ipv4" source mac="02:00:00:00:50:20" port port="7860" protocol="tcp" accept',
        'rule port port="frob" protocol="tcp" accept',
        'rule service name="my-app" accept',
        'rule frobnicate value="1" accept limit value="1/m"',
    ],
)
def test_rich_rules_that_the_text_does_not_decide(rule: str) -> None:
    text = zone("public (active)", interfaces="eth0", rich_rules=f"\n\t{rule}")
    assert decide(firewalld.ruleset(zones(text), default_zone="public"), "192.168.50.20", 7860) == "undecided"


def test_a_port_added_with_permanent_and_not_reloaded() -> None:
    runtime = zones(zone("public (active)", interfaces="eth0", services="ssh http", ports="22/tcp"))
    permanent = zones(zone("public", services="ssh", ports="22/tcp 7860/tcp", target="DROP"))
    assert firewalld.differences(runtime, permanent) == (
        Difference(zone="public", what="services", value="http", only="runtime"),
        Difference(zone="public", what="ports", value="7860/tcp", only="permanent"),
        Difference(zone="public", what="target", value="DROP", only="permanent"),
    )
    assert firewalld.differences(runtime, zones(zone("home"))) == ()
    assert firewalld.differences(runtime, runtime) == ()


def test_what_is_no_listing_is_refused() -> None:
    with pytest.raises(ValueError, match="firewall-cmd --list-all-zones"):
        firewalld.read("You're performing an operation over default zone\n", "x")


LINES = st.sampled_from(
    [*ALL.split("\n"), *RICH.split("\n"), "public", "  sources: ::1/x", "\trule", '\trule a="b', "  : x"]
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=30).map("\n".join))
def test_any_lines_are_read_or_refused(text: str) -> None:
    try:
        firewalld.read(text, "x")
    except ValueError as error:
        assert str(error)
