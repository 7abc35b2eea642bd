"""What Windows Firewall does with a connection, worked out from its settings: blocks first, then allows, then default."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from forgedoctor.fact import State
from forgedoctor.facts._windows_export import read_export
from forgedoctor.facts.windows_network import (
    ConnectedNetwork,
    FirewallProduct,
    FirewallProfile,
    FirewallRule,
    Gap,
    WindowsNetwork,
)
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED, Decision
from forgedoctor.firewall.windows import evaluate, evaluate_each, matches
from forgedoctor.message import t

PYTHON = r"C:\forge\system\python\python.exe"
ON = tuple(FirewallProfile(name=name, on=True, inbound="block") for name in ("domain", "private", "public"))
HOME = (
    ConnectedNetwork(interface="Ethernet", category="private"),
    ConnectedNetwork(interface="Wi-Fi", category="public"),
)
BLOCK = FirewallRule(
    id="TCP Query User{1}" + PYTHON, name="python.exe", action="block", profiles=("public",), protocol=6, program=PYTHON
)
ALLOW = FirewallRule(id="{2}", name="Forge", action="allow", profiles=("private",), protocol=6, ports=((7860, 7860),))


def network(*rules: FirewallRule, **more: Any) -> WindowsNetwork:
    return msgspec.structs.replace(WindowsNetwork(profiles=ON, rules=rules, networks=HOME, products=()), **more)


def judged(found: WindowsNetwork, category: str = "private", **more: Any) -> Decision:
    return evaluate(found, **({"program": PYTHON, "port": 7860, "category": category} | more))


def test_a_dismissed_question_blocks_on_public_networks_only() -> None:
    found = network(BLOCK, ALLOW)
    assert judged(found, "private").verdict == OPEN
    public = judged(found, "public")
    assert public.verdict == FILTERED and "python.exe" in str(public.because[0])
    assert "Action=block" in public.rule and public.where.endswith(BLOCK.id)


def test_each_network_is_decided_by_itself() -> None:
    found = evaluate_each(network(BLOCK, ALLOW), program=PYTHON, port=7860)
    assert [(one.interface, decision.verdict) for one, decision in found] == [("Ethernet", OPEN), ("Wi-Fi", FILTERED)]
    assert evaluate(network(BLOCK, ALLOW), program=PYTHON, port=7860).verdict == UNDECIDED
    assert evaluate(network(BLOCK, ALLOW), program=PYTHON, port=7860, interface="wi-fi").verdict == FILTERED


def test_a_block_beats_every_allow() -> None:
    every = msgspec.structs.replace(ALLOW, profiles=())
    block = msgspec.structs.replace(BLOCK, profiles=())
    for rules in ((every, block), (block, every)):
        assert judged(network(*rules)).verdict == FILTERED


def test_a_profile_that_is_off_lets_all_in() -> None:
    off = (*ON[:2], FirewallProfile(name="public", on=False, inbound="block"))
    assert judged(network(BLOCK, profiles=off), "public").verdict == OPEN


def test_no_rule_meets_the_default() -> None:
    silent = judged(network(), "public")
    assert silent.verdict == FILTERED and not silent.rule
    lax = (FirewallProfile(name="public", on=True, inbound="allow"),)
    assert judged(network(profiles=lax), "public").verdict == OPEN
    assert judged(network(BLOCK, profiles=lax), "public").verdict == FILTERED
    unread = (FirewallProfile(name="public", on=True),)
    assert judged(network(profiles=unread), "public").verdict == UNDECIDED


def test_block_all_makes_allow_rules_void() -> None:
    shut = (FirewallProfile(name="private", on=True, inbound="block", rules_count=False),)
    assert judged(network(ALLOW, profiles=shut)).verdict == FILTERED


def test_group_policy_may_shut_out_local_rules() -> None:
    only = (FirewallProfile(name="private", on=True, inbound="block", local_rules=False),)
    assert judged(network(ALLOW, profiles=only)).verdict == FILTERED
    assert judged(network(msgspec.structs.replace(ALLOW, store="group-policy"), profiles=only)).verdict == OPEN


@pytest.mark.parametrize(("on", "verdict"), [(True, UNDECIDED), (False, OPEN), (None, OPEN)])
def test_another_makers_firewall_leaves_it_open_what_happens(on: bool | None, verdict: str) -> None:
    found = judged(network(ALLOW, products=(FirewallProduct(name="Norton 360", on=on),)))
    assert found.verdict == verdict
    assert ("Norton" in str(found.because[0])) == (verdict == UNDECIDED)


def test_a_host_that_denies_its_rules_is_unknown_and_not_open() -> None:
    gap = Gap(part="rules", state=State.DENIED, why=t("Windows does not let this user read it: {why}", why="x"))
    found = judged(WindowsNetwork(profiles=ON, gaps=(gap,)))
    assert found.verdict == UNDECIDED and "does not let" in str(found.because[0])
    assert judged(WindowsNetwork(rules=(ALLOW,))).verdict == UNDECIDED


def test_unknown_networks_are_decided_where_all_agree() -> None:
    both = network(msgspec.structs.replace(ALLOW, profiles=()), networks=None)
    assert evaluate(both, program=PYTHON, port=7860).verdict == OPEN
    some = evaluate(network(ALLOW, networks=None), program=PYTHON, port=7860)
    assert some.verdict == UNDECIDED and "Get-NetConnectionProfile" in str(some.settle)


@pytest.mark.parametrize(
    ("rule", "more", "expected"),
    [
        ({"enabled": False}, {}, False),
        ({"protocol": 17}, {}, False),
        ({"protocol": None}, {}, True),
        ({"ports": ((7000, 8000),)}, {}, True),
        ({"ports": ((80, 80), (443, 443))}, {}, False),
        ({"ports": (), "keywords": ("RPC",)}, {}, False),
        ({"ports": (), "keywords": ("NewKeyword",)}, {}, None),
        ({"profiles": ("domain",)}, {}, False),
        ({"program": PYTHON.upper()}, {}, True),
        ({"program": r"C:/forge/system/python/../python/python.exe"}, {}, True),
        ({"program": r"C:\other\python.exe"}, {}, False),
        ({"program": r"C:\other\python.exe"}, {"program": ""}, None),
        ({"program": r"C:\Windows\system32\svchost.exe"}, {"program": ""}, False),
        ({"program": "System"}, {}, False),
        ({"program": r"%SomeWhere%\system\python\python.exe"}, {}, None),
        ({"program": r"%SystemRoot%\system32\svchost.exe"}, {}, False),
        ({"program": r"C:\FORGE~1\system\python\python.exe"}, {}, None),
        ({"service": "iphlpsvc"}, {}, False),
        ({"service": "*"}, {}, None),
        ({"package": "S-1-15-2-1"}, {}, False),
        ({"package": "S-1-15-2-1"}, {"program": r"C:\Program Files\WindowsApps\Python\python.exe"}, None),
        ({"remote": ("LocalSubnet",)}, {}, True),
        ({"remote": ("LocalSubnet",)}, {"source": "192.168.1.7"}, None),
        ({"remote": ("192.168.1.0/255.255.255.0",)}, {"source": "192.168.1.7"}, True),
        ({"remote": ("192.168.1.0/255.255.255.0",)}, {"source": "10.0.0.7"}, False),
        ({"remote": ("192.168.1.0/255.255.255.0",)}, {}, None),
        ({"local": ("192.168.1.5",)}, {"address": "192.168.1.5"}, True),
        ({"local": ("192.168.1.5",)}, {"address": "192.168.1.6"}, False),
        ({"media": ("wireless",)}, {}, None),
        ({"media": ("wireless",)}, {"medium": "wired"}, False),
        ({"interfaces": ("Wi-Fi",)}, {"interface": "wi-fi"}, True),
        ({"interfaces": ("Wi-Fi",)}, {"interface": "Ethernet"}, False),
        ({"interfaces": ("{0A1B}",)}, {"interface": "Ethernet"}, None),
        ({"conditions": ("Authentication=1",)}, {}, None),
        ({"unread": ("ports",)}, {}, None),
        ({"unread": ("ports",), "program": r"C:\other.exe"}, {}, False),
    ],
)
def test_the_conditions_of_a_rule(rule: dict[str, Any], more: dict[str, Any], expected: bool | None) -> None:
    one = msgspec.structs.replace(ALLOW, **rule)
    assert matches(one, **({"program": PYTHON, "port": 7860, "category": "private"} | more)) is expected


def test_a_doubtful_rule_counts_only_where_it_would_change_the_answer() -> None:
    doubtful = msgspec.structs.replace(ALLOW, conditions=("RemoteUser=O:LSD",), name="Odd")
    found = judged(network(doubtful))
    assert found.verdict == UNDECIDED and "Odd" in str(found.because[0]) and "RemoteUser" in str(found.because[0])
    assert judged(network(doubtful, ALLOW)).verdict == OPEN
    assert judged(network(doubtful, msgspec.structs.replace(BLOCK, profiles=()))).verdict == FILTERED
    block = msgspec.structs.replace(doubtful, action="block")
    assert judged(network(block)).verdict == FILTERED, "without it nothing lets it in either"
    assert judged(network(block, ALLOW)).verdict == UNDECIDED
    strange = msgspec.structs.replace(ALLOW, action="")
    assert judged(network(strange, ALLOW)).verdict == UNDECIDED


def test_a_rule_past_all_blocks_leaves_a_block_undecided() -> None:
    past = FirewallRule(name="Admins", action="bypass", conditions=("Authentication=1",))
    everywhere = msgspec.structs.replace(BLOCK, profiles=())
    assert judged(network(past, everywhere)).verdict == UNDECIDED
    assert judged(network(past)).verdict == UNDECIDED
    assert judged(network(past, ALLOW)).verdict == OPEN


REGISTRY = {
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules": {
        "TCP Query User{C91566E5-0DE5-4C63-83E0-732F2DD184A2}" + PYTHON: f"v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|Profile=Public|App={PYTHON}|Name=python.exe|Desc=python.exe|Defer=User|",
        "UDP Query User{5F2E7E4D-486E-44D6-8F68-9913D176A3D6}" + PYTHON: f"v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|Profile=Public|App={PYTHON}|Name=python.exe|Desc=python.exe|Defer=User|",
        "{4E9C284F-809A-45A4-9831-A568B48751EA}": "v2.25|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Private|LPort=7860|Name=Forge|",
        "CoreNet-DHCP-In": "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=68|App=%SystemRoot%\\system32\\svchost.exe|Svc=dhcp|Name=DHCP|",
        "{F7EE5C6D-6C90-456B-9166-E301B1305A56}": "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Public|LPort=RPC|RPort=49000|RA4=LocalSubnet|App=c:\\path\\foo.exe|Name=Test|Security=Authenticate|",
    }
}  # fmt: skip


def pasted(text: str) -> WindowsNetwork:
    found = read_export(text)
    assert found is not None
    return msgspec.structs.replace(found, profiles=found.profiles or ON)


def test_rules_of_the_registry_decide() -> None:
    found = pasted(json.dumps(REGISTRY))
    assert found.rules_whole and len(found.rules or ()) == 5
    assert judged(found, "public").verdict == FILTERED
    assert judged(found, "private").verdict == OPEN


def test_reg_query_and_reg_export_are_the_same_in_every_language() -> None:
    values = next(iter(REGISTRY.values()))
    query = "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\r\n" + "".join(
        f"    {key}    REG_SZ    {value}\r\n" for key, value in values.items()
    )
    export = "[HKEY_LOCAL_MACHINE\\SYSTEM]\n" + "".join(
        '"{}"="{}"\n'.format(*(word.replace("\\", "\\\\") for word in pair)) for pair in values.items()
    )
    for text in (query, export):
        assert pasted(text).rules == pasted(json.dumps(REGISTRY)).rules


def test_a_part_of_the_rules_decides_only_what_a_block_decides() -> None:
    part = {key: value for key, value in next(iter(REGISTRY.values())).items() if not key.startswith("CoreNet")}
    found = pasted(json.dumps(part))
    assert not found.rules_whole
    assert judged(found, "public").verdict == FILTERED
    private = judged(found, "private")
    assert private.verdict == UNDECIDED and "name=all verbose" in str(private.settle)
    assert judged(found, "domain").verdict == UNDECIDED


def test_objects_of_powershell_alone_or_together() -> None:
    rule = {"InstanceID": "CoreNet-x", "DisplayName": "Forge", "Enabled": 1, "Direction": 1, "Action": 2, "Profiles": 2}
    alone = pasted(json.dumps(rule))
    assert judged(alone).verdict == UNDECIDED, "without its ports and program nobody can tell"
    whole = [
        rule,
        {"InstanceID": "CoreNet-x", "Protocol": "TCP", "LocalPort": "7860", "RemotePort": "Any"},
        {"InstanceID": "CoreNet-x", "Program": "Any", "Package": None},
        {"InstanceID": "CoreNet-x", "LocalAddress": "Any", "RemoteAddress": "LocalSubnet"},
        {"InstanceID": "CoreNet-x", "Service": "Any"},
        {"InstanceID": "CoreNet-x", "InterfaceType": 0},
        {"InstanceID": "CoreNet-x", "InterfaceAlias": "Any"},
        {"InstanceID": "CoreNet-x", "OverrideBlockRules": False, "Authentication": 0, "LocalUser": "Any"},
        {"InterfaceAlias": "WLAN", "NetworkCategory": "Private"},
        {"Name": "Private", "Enabled": 1, "DefaultInboundAction": 0},
    ]
    for text in (
        json.dumps(whole),
        json.dumps({"value": whole, "Count": 10}),
        "\n".join(json.dumps(one) for one in whole),
    ):
        found = read_export(text)
        assert found is not None and evaluate(found, program=PYTHON, port=7860).verdict == OPEN, found


def test_netsh_in_english_decides_and_in_german_does_not() -> None:
    text = (
        "Rule Name:  {}\n"
        + "-" * 70
        + "\nEnabled: Yes\nDirection: In\nProfiles: Private\nGrouping:\nLocalIP: Any\nRemoteIP: LocalSubnet\nProtocol: TCP\nLocalPort: 7860\nRemotePort: Any\nEdge traversal: No\n{}InterfaceTypes: Any\nSecurity: NotRequired\nRule source: Local Setting\nAction: Allow\n\n"
    )
    whole = text.format("Core Networking - x", "Program: C:\\x.exe\n") + text.format("Forge", "")
    assert judged(pasted(whole)).verdict == OPEN
    german = (
        "Regelname:   Python\n"
        + "-" * 70
        + f"\nAktiviert:  Ja\nRichtung:  Eingehend\nProgramm:   {PYTHON}\nAktion:  Zulassen\n"
    )
    found = judged(pasted(german))
    assert found.verdict == UNDECIDED and "language" in str(found.because[0])


def test_netsh_without_verbose_says_nothing_of_programs() -> None:
    text = (
        "Rule Name: Core Networking\n"
        + "-" * 70
        + "\nEnabled: Yes\nDirection: In\nProfiles: Private\nGrouping:\nLocalIP: Any\nRemoteIP: Any\nProtocol: TCP\nLocalPort: 7860\nRemotePort: Any\nEdge traversal: No\nAction: Allow\n"
    )
    assert judged(pasted(text)).verdict == UNDECIDED
