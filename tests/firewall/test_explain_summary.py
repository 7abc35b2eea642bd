"""What is said of summaries (ufw, firewalld) that leave something open, and of rulesets beyond the limit."""

from __future__ import annotations

import pytest
from judged import CLIENT6, WIFI, chain, judged

from forgedoctor.firewall import explain, walk
from forgedoctor.firewall.evaluate import evaluate
from forgedoctor.firewall.probes import Probe
from forgedoctor.firewall.recognise import read

HEAD = "\nTo                         Action      From\n--                         ------      ----\n"
STATUS = f"Status: active\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n{HEAD}"
ZONE = "public (active)\n  target: default\n  interfaces: eth0\n  sources: \n  services: ssh\n  ports: 22/tcp\n"
OTHER = "\nhome\n  target: default\n  interfaces: \n  sources: \n"
ALL_ZONES = "Give the output of: sudo firewall-cmd --list-all-zones, or of: sudo nft list ruleset"


def test_one_zone_alone_asks_for_all_zones() -> None:
    found = judged(ZONE.replace("22/tcp", "7860/tcp"))
    assert found.verdict == "undecided"
    assert "whether another zone of firewalld, not listed here, takes the client" in str(found.because[0])
    assert str(found.settle) == ALL_ZONES
    assert judged(ZONE.replace("22/tcp", "7860/tcp") + OTHER).verdict == "open"


def test_a_default_zone_that_is_not_listed_asks_for_all_zones() -> None:
    found = judged(ZONE + OTHER, src=WIFI)
    assert "what firewalld's default zone lets in" in str(found.because[0])
    assert str(found.settle) == ALL_ZONES


def test_a_zone_whose_rules_are_not_listed_asks_for_all_zones() -> None:
    found = judged("public\n  interfaces: eth0\n")
    assert "the rules of firewalld's zone public, which is not listed here" in str(found.because[0])
    assert str(found.settle) == ALL_ZONES


def test_a_service_of_a_summary_has_no_counter_to_watch() -> None:
    found = judged(ZONE.replace("services: ssh", "services: my-app") + OTHER)
    assert found.verdict == "undecided"
    assert str(found.settle) == "Give the output of: sudo nft list ruleset"


def test_ufw_that_is_off_is_named_and_asks_for_the_rules() -> None:
    found = judged("Status: inactive\n")
    assert (found.verdict, [str(one) for one in found.because], str(found.settle)) == (
        "undecided",
        ["ufw is off: it filters nothing. Whether other rules do is not said."],
        "Give the output of: sudo nft list ruleset",
    )
    assert judged("Status: inactive\n", chain("tcp dport 22 drop")).verdict == "open"


RULES = """*filter
:INPUT DROP [0:0]
:ufw-user-input - [0:0]
:ufw-user-limit - [0:0]
-A INPUT -j ufw-user-input
-A ufw-user-input -p tcp -m tcp --dport 7860 -m recent --update --seconds 30 --hitcount 6 --name DEFAULT -j ufw-user-limit
-A ufw-user-input -p tcp -m tcp --dport 7860 -j ACCEPT
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"{STATUS}7860/tcp                   LIMIT IN    Anywhere\n", "7860/tcp"),
        (f"{STATUS}[ 1] 7860                  LIMIT       Anywhere      # forge\n", "7860"),
        (f"{STATUS}7860/tcp                   LIMIT IN    192.168.50.0/24\n", "…"),
        (RULES, "7860/tcp"),
        (RULES.replace("--dport 7860 -m recent", "--dport 7860 -s 192.168.50.0/24 -m recent"), "…"),
    ],
)
def test_the_limit_of_ufw_is_explained(text: str, rule: str) -> None:
    found = judged(text)
    assert found.verdict == "undecided"
    assert "refuses an address that begins 6 or more connections in 30 seconds" in str(found.because[0])
    assert str(found.settle) == f"Allow it without the limit: sudo ufw delete limit {rule}, then sudo ufw allow {rule}"


def test_a_limit_that_is_not_ufw_s_is_not_said_to_be() -> None:
    text = RULES.replace("ufw-user-input", "web").replace("ufw-user-limit", "often")
    assert "‹recent›" in str(judged(text).because[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STATUS, "No rule lets it through, and ufw's default policy drops the client's first packet (SYN)."),
        (STATUS.replace("deny", "reject", 1), "No rule lets it through, and ufw's default policy refuses it"),
        (ZONE + OTHER, "No rule lets it through, and firewalld's zone public rejects it with an ICMP error"),
        (
            ZONE.replace("target: default", "target: DROP") + OTHER,
            "No rule lets it through, and the target of firewalld's zone public drops the client's first packet",
        ),
        (f"{STATUS}7860                       DENY IN     Anywhere\n", "A rule drops the client's first packet (SYN)."),
    ],
)
def test_the_default_of_a_summary_is_no_rule(text: str, words: str) -> None:
    assert str(judged(text).because[0]).startswith(words)


def test_the_policy_of_ufw_s_settings_is_no_rule_either() -> None:
    found = judged(f"Status: active\n{HEAD}", ("ufw", 'IPV6=no\nDEFAULT_INPUT_POLICY="DROP"\n'))
    assert "ufw's default policy drops" in str(found.because[0])


def test_whether_ufw_guards_ipv6_is_asked_in_plain_words() -> None:
    found = judged(f"{STATUS}22/tcp                     ALLOW IN    Anywhere\n", src=CLIENT6)
    assert (found.verdict, found.rule) == ("undecided", "")
    assert "whether ufw guards IPv6, which stands in /etc/default/ufw (IPV6=)" in str(found.because[0])
    assert str(found.settle) == "Give the file /etc/default/ufw too, or the output of: sudo ip6tables-save"


def test_more_rules_than_are_looked_at_are_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_STATES", 500)
    monkeypatch.setattr(explain, "_MANY", 500)
    rules = (f"-A INPUT -s 10.0.{number // 250}.{number % 250}/32 -j DROP\n" for number in range(1000))
    found, _ = read([("save.txt", f"*filter\n:INPUT DROP [0:0]\n{''.join(rules)}COMMIT\n")])
    probe = Probe(name="x", dst="192.168.50.10", dport=7860)
    decision = evaluate(found, [probe])[0].decision
    assert str(decision.because[0]).startswith("The table has 1,000 rules; this tool looks at no more than")
    assert str(decision.settle) == "Try from the client: more of the listing would not settle it."
