"""Firewall rules, profiles and networks, as PowerShell 5 and 7 and the registry write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.facts import _windows_registry
from forgedoctor.facts._windows_rules import (
    FILTERS,
    parse_networks,
    parse_products,
    parse_profiles,
    parse_registry_rules,
    parse_rules,
    registry_fields,
)
from forgedoctor.facts._windows_types import FirewallRule
from forgedoctor.facts._windows_values import covers, listed

PYTHON = r"C:\forge\system\python\python.exe"
PROMPT = "TCP Query User{C91566E5-0DE5-4C63-83E0-732F2DD184A2}" + PYTHON


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"InterfaceAlias": "Ethernet", "InterfaceIndex": 12, "NetworkCategory": 1}, {"InterfaceAlias": "Wi-Fi", "InterfaceIndex": 7, "NetworkCategory": 0}], [("Ethernet", "private"), ("Wi-Fi", "public")]),
        ({"InterfaceAlias": "Wi-Fi", "NetworkCategory": 0}, [("Wi-Fi", "public")]),
        ({"InterfaceAlias": "WLAN", "NetworkCategory": "Private"}, [("WLAN", "private")]),
        ({"InterfaceAlias": "以太网", "NetworkCategory": "DomainAuthenticated"}, [("以太网", "domain")]),
        ({"value": [{"InterfaceAlias": "Wi-Fi", "NetworkCategory": {"value__": 2}}], "Count": 1}, [("Wi-Fi", "domain")]),
        ([{"InterfaceAlias": "Wi-Fi", "NetworkCategory": "Öffentlich"}], [("Wi-Fi", "")]),
        (None, []),
        ([], []),
        ([None], []),
    ],
)  # fmt: skip
def test_networks_in_every_shape_that_powershell_gives(value: Any, expected: list[tuple[str, str]]) -> None:
    assert [(one.interface, one.category) for one in parse_networks(value)] == expected


def test_profiles_by_numbers_and_by_names() -> None:
    numbers = [
        {"Name": "Domain", "Enabled": 1, "DefaultInboundAction": 0, "AllowLocalFirewallRules": 2},
        {"Name": "Private", "Enabled": 1, "DefaultInboundAction": 4, "AllowInboundRules": 0},
        {"Name": "Public", "Enabled": 0, "DefaultInboundAction": 2, "AllowLocalFirewallRules": 0},
    ]
    domain, private, public = parse_profiles(numbers)
    assert (domain.on, domain.inbound, domain.rules_count, domain.local_rules) == (True, "block", True, True)
    assert (private.on, private.inbound, private.rules_count) == (True, "block", False)
    assert (public.on, public.inbound, public.local_rules) == (False, "allow", False)
    (named,) = parse_profiles(
        {
            "Name": "Public",
            "Enabled": "True",
            "DefaultInboundAction": "NotConfigured",
            "AllowLocalFirewallRules": "False",
        }
    )
    assert (named.on, named.inbound, named.local_rules) == (True, "block", False)


def test_a_profile_that_says_something_unheard_of_is_not_known() -> None:
    (one,) = parse_profiles({"Name": "Public", "Enabled": "Vrai", "DefaultInboundAction": 9})
    assert one.on is None and one.inbound == ""


@pytest.mark.parametrize(("state", "on"), [(266240, True), (0x40000, False), ("266240", True), (None, None)])
def test_the_state_of_another_makers_firewall(state: Any, on: bool | None) -> None:
    (one,) = parse_products([{"displayName": "Norton 360", "productState": state}])
    assert (one.name, one.on) == ("Norton 360", on)


def test_windows_own_firewall_is_not_another_makers() -> None:
    assert parse_products({"displayName": "Windows Defender Firewall", "productState": 266240}) == ()


def asked(**more: Any) -> FirewallRule:
    """A rule as PowerShell tells it, with all filters."""
    rule = {
        "InstanceID": "a",
        "DisplayName": "Forge",
        "Enabled": 1,
        "Direction": 1,
        "Action": 2,
        "Profiles": 2,
        "PolicyStoreSourceType": 1,
    }
    filters: dict[str, Any] = {name: [{"InstanceID": "a"}] for name in FILTERS}
    filters["ports"] = {"InstanceID": "a", "Protocol": "TCP", "LocalPort": "7860", "RemotePort": "Any"}
    filters["applications"] = [
        {"InstanceID": "a", "Program": "Any", "Package": None},
        {"InstanceID": "b", "Program": "x"},
    ]
    filters["addresses"] = [
        {"InstanceID": "a", "LocalAddress": "Any", "RemoteAddress": ["LocalSubnet", "10.0.0.0/255.0.0.0"]}
    ]
    filters |= {name: more.pop(name) for name in FILTERS if name in more}
    (found,) = parse_rules(
        [rule | more, rule | {"Direction": 2}], {name: rows for name, rows in filters.items() if rows is not ...}
    )
    return found


def test_a_rule_is_joined_with_its_filters() -> None:
    one = asked()
    assert (one.id, one.name, one.enabled, one.action, one.profiles, one.store) == (
        "a",
        "Forge",
        True,
        "allow",
        ("private",),
        "local",
    )
    assert (one.protocol, one.ports, one.program) == (6, ((7860, 7860),), "")
    assert one.remote == ("LocalSubnet", "10.0.0.0/255.0.0.0")
    assert one.unread == () and one.conditions == ()


def test_names_mean_the_same_as_numbers() -> None:
    named = asked(
        Enabled="True", Direction="Inbound", Action="Allow", Profiles="Private", PolicyStoreSourceType="Local"
    )
    assert named == asked()


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        (0, ()),
        (7, ()),
        (2147483647, ()),
        (6, ("private", "public")),
        ("Any", ()),
        ("Domain, Public", ("domain", "public")),
    ],
)
def test_profiles_of_a_rule(profiles: Any, expected: tuple[str, ...]) -> None:
    assert asked(Profiles=profiles).profiles == expected


@pytest.mark.parametrize(
    ("port", "ranges", "names"),
    [
        ("Any", (), ()),
        (["80", "7000-8000"], ((80, 80), (7000, 8000)), ()),
        ({"value": ["80", "443"], "Count": 2}, ((80, 80), (443, 443)), ()),
        ("RPC", (), ("RPC",)),
        (7860, ((7860, 7860),), ()),
    ],
)
def test_ports_of_a_rule(port: Any, ranges: tuple[tuple[int, int], ...], names: tuple[str, ...]) -> None:
    one = asked(ports={"InstanceID": "a", "Protocol": "TCP", "LocalPort": port})
    assert (one.ports, one.keywords, one.unread) == (ranges, names, ())


@pytest.mark.parametrize(
    ("more", "unread"),
    [
        ({"ports": ...}, "ports"),
        ({"applications": [{"InstanceID": "other", "Program": "Any"}]}, "applications"),
        ({"addresses": [{"InstanceID": "a", "RemoteAddress": "10.0.0.1"}, {"InstanceID": "a", "RemoteAddress": "Any"}]}, "addresses"),
        ({"ports": {"InstanceID": "a", "Protocol": "XYZ", "LocalPort": "Any"}}, "protocol"),
        ({"ports": {"InstanceID": "a", "Protocol": "TCP", "LocalPort": "NewKeyword"}}, "ports"),
        ({"applications": {"InstanceID": "a", "Program": "C:\\Users\\??\\python.exe"}}, "program"),
        ({"media": {"InstanceID": "a", "InterfaceType": 8}}, "media"),
        ({"Profiles": 64}, "profiles"),
    ],
)  # fmt: skip
def test_what_was_not_read_of_a_rule_is_named(more: dict[str, Any], unread: str) -> None:
    assert unread in asked(**more).unread


def test_a_rule_that_goes_past_blocks_and_one_for_known_users() -> None:
    one = asked(security={"InstanceID": "a", "Authentication": 1, "OverrideBlockRules": True, "RemoteUser": "Any"})
    assert one.action == "bypass" and one.conditions == ("Authentication=1",)
    assert asked(Action=3).action == "bypass"


def test_the_rules_that_a_dismissed_question_leaves_in_the_registry() -> None:
    fields = "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol={}|Profile=Public|App={}|Name=python.exe|Desc=python.exe|Defer=User|"
    one, two = parse_registry_rules({PROMPT: fields.format(6, PYTHON), "UDP" + PROMPT[3:]: fields.format(17, PYTHON)})
    assert one.from_prompt and one.action == "block" and one.enabled and one.profiles == ("public",)
    assert (one.program, one.protocol, two.protocol) == (PYTHON, 6, 17)
    assert one.conditions == () and one.unread == ()


def registry(fields: str, store: str = "local") -> FirewallRule:
    (one,) = parse_registry_rules(
        {"id": f"v2.31|Action=Allow|Active=TRUE|Dir=In|{fields}"}, store, {"systemroot": r"C:\Windows"}
    )
    return one


@pytest.mark.parametrize(
    ("fields", "attribute", "expected"),
    [
        ("LPort=7860|", "ports", ((7860, 7860),)),
        ("LPort=80|LPort=443|LPort2_10=7000-8000|", "ports", ((80, 80), (443, 443), (7000, 8000))),
        ("LPort=RPC|LPort=80|", "keywords", ("RPC",)),
        ("LPort2_10=IPHTTPSIn|", "keywords", ("IPHTTPSIn",)),
        ("LPort2_10=IPHTTPSIn|", "unread", ()),
        ("LPort2_10=SomethingNew|", "unread", ("ports",)),
        ("Name=x|", "protocol", None),
        ("Protocol=6|", "protocol", 6),
        ("RA4=LocalSubnet|RA6=LocalSubnet|", "remote", ("LocalSubnet", "LocalSubnet")),
        ("RA4=192.168.1.0/255.255.255.0|RA42=IntErnet|", "remote", ("192.168.1.0/255.255.255.0", "IntErnet")),
        ("LA4=192.168.1.5|", "local", ("192.168.1.5",)),
        ("Profile=Private|Profile=Domain|", "profiles", ("private", "domain")),
        ("IFType=Wireless|", "media", ("wireless",)),
        ("IF={1234}|", "interfaces", ("{1234}",)),
        ("App=%SystemRoot%\\system32\\svchost.exe|Svc=iphlpsvc|", "program", r"C:\Windows\system32\svchost.exe"),
        ("App=%Elsewhere%\\a.exe|", "program", "%Elsewhere%\\a.exe"),
        ("Svc=iphlpsvc|", "service", "iphlpsvc"),
        ("AppPkgId=S-1-15-2-1|LUOwn=S-1-5-21|", "package", "S-1-15-2-1"),
        ("Security=Authenticate|Security2_9=An-NoEncap|", "conditions", ("Security=Authenticate", "Security2_9=An-NoEncap")),
        ("RPort=49000|", "conditions", ("RPort=49000",)),
        ("TTK2_22=WFDPrint|", "conditions", ("TTK2_22=WFDPrint",)),
        ("Name=a|b|Desc=c|", "name", "a|b"),
        ("Name=ends in a backslash\\|Desc=c|", "name", "ends in a backslash\\"),
        ("Name=@FirewallAPI.dll,-25000|EmbedCtxt=x|Edge=TRUE|Defer=User|", "conditions", ()),
    ],
)  # fmt: skip
def test_the_fields_of_a_rule_in_the_registry(fields: str, attribute: str, expected: object) -> None:
    assert getattr(registry(fields), attribute) == expected


def test_missing_and_switched_off_and_outgoing() -> None:
    values = {
        "off": "v2.31|Action=Block|Active=FALSE|Dir=In|",
        "out": "v2.31|Action=Block|Active=TRUE|Dir=Out|",
        "past": "v2.31|Action=ByPass|Active=TRUE|Dir=In|",
        "later": "v3.1|Action=Allow|Active=TRUE|Dir=In|",
        "empty": "",
        "none": "v2.31",
    }
    found = {one.id: one for one in parse_registry_rules(values)}
    assert set(found) == {"off", "past", "later"}
    assert not found["off"].enabled and found["past"].action == "bypass" and found["later"].unread == ("version",)


@given(st.text(alphabet="v2.|=ActionLPor86a-,\\% ", max_size=80))
def test_no_rule_string_breaks_the_reader(text: str) -> None:
    registry_fields(text)
    parse_registry_rules({"a": text, "b": f"v2.1|Dir=In|{text}"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["value", "Count", "value__", "InstanceID", "Direction", "Protocol", "LocalPort", "Name"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_the_readers(value: Any) -> None:
    json.dumps(value)
    parse_networks(value)
    parse_profiles(value)
    parse_products(value)
    parse_rules(value, dict.fromkeys(FILTERS, value))
    parse_rules({"Direction": 1, "InstanceID": value}, dict.fromkeys(FILTERS, value))


def test_lists_of_words() -> None:
    assert listed("80, 443") == ("80", "443")
    assert listed(["10.0.0.1", "Any"]) == ()
    assert listed(None) == () and listed("") == ()


@pytest.mark.parametrize(
    ("word", "address", "expected"),
    [
        ("192.168.1.0/24", "192.168.1.7", True),
        ("192.168.1.0/255.255.255.0", "192.168.2.7", False),
        ("192.168.1.5-192.168.1.9", "192.168.1.7", True),
        ("192.168.1.7", "192.168.1.7", True),
        ("fe80::/10", "fe80::1%7", True),
        ("fe80::/10", "192.168.1.7", False),
        ("LocalSubnet", "192.168.1.7", None),
    ],
)
def test_addresses_ranges_and_subnets(word: str, address: str, expected: bool | None) -> None:
    assert covers(word, address) is expected


LOCAL = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
POLICY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"


def kept(values: dict[str, dict[str, Any] | None]) -> _windows_registry.Registry:
    """The registry with these keys; others are not there."""
    return _windows_registry.gathered(lambda key: values.get(key, {}), {})


def test_the_registry_gives_profiles_rules_and_proxies() -> None:
    found = kept({
        LOCAL + r"\DomainProfile": {"EnableFirewall": 1},
        LOCAL + r"\StandardProfile": {"EnableFirewall": 0, "DefaultInboundAction": 1},
        LOCAL + r"\PublicProfile": {"EnableFirewall": 1, "DefaultInboundAction": 0, "DoNotAllowExceptions": 1},
        LOCAL + r"\FirewallRules": {"{1}": "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=7860|Name=Forge|"},
        r"SYSTEM\CurrentControlSet\Services\PortProxy\v4tov4\tcp": {"0.0.0.0/7860": "172.23.21.232/7860", "*/8080": "172.28.176.1/80", "odd": "1"},
    })  # fmt: skip
    assert found.profiles and found.rules and found.proxies
    domain, private, public = found.profiles
    assert (domain.on, domain.inbound) == (True, "block")
    assert private.on is False
    assert (public.inbound, public.rules_count) == ("allow", False)
    assert [one.ports for one in found.rules] == [((7860, 7860),)]
    assert [(one.listen, one.port, one.connect_port) for one in found.proxies] == [
        ("0.0.0.0", 7860, 7860),
        ("*", 8080, 80),
    ]


def test_group_policy_wins_and_may_shut_out_local_rules() -> None:
    found = kept({
        LOCAL + r"\StandardProfile": {"EnableFirewall": 0},
        POLICY + r"\PrivateProfile": {"EnableFirewall": 1, "AllowLocalPolicyMerge": 0},
        LOCAL + r"\FirewallRules": {"a": "v2.31|Action=Allow|Active=TRUE|Dir=In|"},
        POLICY + r"\FirewallRules": {"b": "v2.31|Action=Block|Active=TRUE|Dir=In|"},
    })  # fmt: skip
    assert found.profiles and found.rules
    private = next(one for one in found.profiles if one.name == "private")
    assert private.on and not private.local_rules
    assert {one.id: one.store for one in found.rules} == {"a": "local", "b": "group-policy"}


def test_a_key_that_may_not_be_read_is_unknown_and_not_empty() -> None:
    found = kept({
        POLICY + r"\FirewallRules": None,
        POLICY + r"\PublicProfile": None,
        LOCAL + r"\FirewallRules": {"a": "v2.31|Action=Allow|Active=TRUE|Dir=In|"},
        r"SYSTEM\CurrentControlSet\Services\PortProxy\v6tov4\tcp": None,
    })  # fmt: skip
    assert found.rules is None and found.profiles is None and found.proxies is None
    assert kept({}).rules is None, "no Windows is without rules"
