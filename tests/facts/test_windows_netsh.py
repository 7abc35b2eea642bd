"""What netsh prints on Windows: read by its digits in any language, by its words only where they are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.facts._windows_export import read_export
from forgedoctor.facts._windows_netsh import (
    has_rules,
    parse_dynamic,
    parse_profiles_text,
    parse_proxies,
    parse_ranges,
    parse_rules_text,
)
from forgedoctor.facts._windows_types import PortRange

EXCLUDED = """
Protocol tcp Port Exclusion Ranges

Start Port    End Port
----------    --------
      5357        5357
      9800        9800
      9801        9801
     49671       49770
     49871       49970
     50000       50059     *
     61117       61216

* - Administered port exclusions.
"""
TAKEN = (
    EXCLUDED.replace(" 9800 ", " 7776 ").replace("  9800\n", "  7875\n").replace("9801        9801", "7876        7975")
)
CHINESE = """
协议 tcp 端口排除范围

开始端口    结束端口
----------    --------
      1145        1244
      8251        8350
     50000       50059     *

* - 管理的端口排除。
"""
SPANISH = """
Rangos de exclusión de puertos para tcp

Puerto inicial    Puerto final
--------------    ------------
         5357             5357
        50000            50059     *
"""
EMPTY = """
Protocol tcp Port Exclusion Ranges

Start Port    End Port
----------    --------

* - Administered port exclusions.
"""
RULE = """
Rule Name:                            python.exe
----------------------------------------------------------------------
Enabled:                              Yes
Direction:                            In
Profiles:                             Public
Grouping:
LocalIP:                              Any
RemoteIP:                             Any
Protocol:                             TCP
LocalPort:                            Any
RemotePort:                           Any
Edge traversal:                       Defer to user
Program:                              C:\\forge\\system\\python\\python.exe
InterfaceTypes:                       Any
Security:                             NotRequired
Rule source:                          Local Setting
Action:                               Block
Ok.
"""
GERMAN = """
Regelname:                            Python
----------------------------------------------------------------------
Aktiviert:                            Ja
Richtung:                             Eingehend
Profile:                              Domäne,Privat,Öffentlich
Protokoll:                            Beliebig
Programm:                             C:\\forge\\system\\python\\python.exe
Aktion:                               Zulassen
OK.
"""
JAPANESE = """
規則名:                               WSL SSH 2222
----------------------------------------------------------------------
有効:                                 はい
方向:                                 入力
プロトコル:                           TCP
ローカル ポート:                      2222
操作:                                 許可
OK
"""


def spans(text: str) -> list[tuple[int, int, bool]]:
    return [(one.first, one.last, one.administered) for one in parse_ranges(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXCLUDED, [(5357, 5357, False), (9800, 9800, False), (9801, 9801, False), (49671, 49770, False), (49871, 49970, False), (50000, 50059, True), (61117, 61216, False)]),
        (CHINESE, [(1145, 1244, False), (8251, 8350, False), (50000, 50059, True)]),
        (SPANISH, [(5357, 5357, False), (50000, 50059, True)]),
        (EMPTY, []),
        ("The system cannot find the file specified.", []),
    ],
    ids=["english", "chinese", "spanish", "empty", "an error"],
)  # fmt: skip
def test_reserved_ranges_are_read_in_any_language(text: str, expected: list[tuple[int, int, bool]]) -> None:
    assert spans(text) == expected
    assert spans(text.replace("\n", "\r\n")) == expected


def test_a_list_of_ranges_is_not_taken_for_proxies_nor_the_other_way() -> None:
    for text in (EXCLUDED, CHINESE, SPANISH):
        network = read_export(text)
        assert network is not None and network.proxies is None
        assert network.reserved == parse_ranges(text) != ()
    assert parse_proxies(EXCLUDED) == ()
    assert parse_ranges("0.0.0.0         7860        172.23.21.232   7860\n") == ()
    assert parse_ranges("  80\n  90\n") == ()


@pytest.mark.parametrize("page", ["cp936", "utf-8", "cp850"])
def test_the_code_page_of_the_console_does_not_matter(page: str) -> None:
    said = CHINESE.encode("cp936") if page == "cp936" else CHINESE.encode("utf-8")
    assert spans(said.decode("ascii", "replace")) == spans(CHINESE)


def test_a_reserved_port_is_found_by_its_range_and_one_a_person_reserved_is_free() -> None:
    network = read_export(TAKEN)
    assert network is not None
    assert network.reservation(7860) == PortRange(first=7776, last=7875)
    assert all(network.reservation(port) for port in range(7860, 7960))
    assert network.reservation(50010) is None and network.reservation(8080) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nProtocol tcp Dynamic Port Range\n---------------------------------\nStart Port      : 49152\nNumber of Ports : 16384\n", (49152, 65535)),
        ("\n协议 tcp 动态端口范围\n---------------------------------\n启动端口        : 1024\n端口数          : 13977\n", (1024, 15000)),
        ("Start Port : 60000\nNumber of Ports : 16384\n", None),
        ("Start Port : 1024\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_range_that_windows_lends_out(text: str, expected: tuple[int, int] | None) -> None:
    found = parse_dynamic(text)
    assert (found and (found.first, found.last)) == expected


def test_port_proxies_also_one_of_all_addresses() -> None:
    head = "\nListen on ipv4:             Connect to ipv4:\n\nAddress         Port        Address         Port\n--------------- ----------  --------------- ----------\n"
    found = parse_proxies(
        head + "0.0.0.0         7860        172.23.21.232   7860\n*               8080        172.28.176.1    8080\n"
    )
    assert [(one.kind, one.listen, one.port, one.connect, one.connect_port) for one in found] == [
        ("v4tov4", "0.0.0.0", 7860, "172.23.21.232", 7860),
        ("v4tov4", "*", 8080, "172.28.176.1", 8080),
    ]
    assert parse_proxies("fd00::1         7860        172.23.21.232   80\n")[0].kind == "v6tov4"
    assert parse_proxies("\n\n") == ()


def test_the_state_of_the_profiles_in_english_and_chinese() -> None:
    body = "\n----------------------------------------------------------------------\nState                                 {state}\nFirewall Policy                       BlockInbound,AllowOutbound\n"
    english = (
        "\nDomain Profile Settings: "
        + body.format(state="ON")
        + "\nPrivate Profile Settings: "
        + body.format(state="OFF")
    )
    assert [(one.name, one.on, one.inbound) for one in parse_profiles_text(english)] == [
        ("domain", True, "block"),
        ("private", False, "block"),
    ]
    for word in ("打开", "启用"):
        chinese = "\n域配置文件 设置:" + body.replace("State", "状态").replace("Firewall Policy", "防火墙策略").format(
            state=word
        )
        assert [(one.name, one.on, one.inbound) for one in parse_profiles_text(chinese)] == [("domain", True, "block")]


def test_a_state_in_an_unknown_word_stays_unknown() -> None:
    text = "Public Profile Settings:\nStato                                 ATTIVO\nFirewall Policy    AllowInbound,AllowOutbound\n"
    (one,) = parse_profiles_text(text)
    assert one.on is None and one.inbound == "allow"
    assert parse_profiles_text("Impostazioni Profilo pubblico:\nStato     ATTIVO\n") == ()


def test_block_all_is_told_from_block() -> None:
    (one,) = parse_profiles_text(
        "Public Profile Settings:\nState   ON\nFirewall Policy    BlockInboundAlways,AllowOutbound\n"
    )
    assert one.inbound == "block" and not one.rules_count


def test_a_rule_of_netsh_in_english() -> None:
    found = parse_rules_text(RULE)
    assert found is not None
    (one,) = found
    assert (one.action, one.profiles, one.protocol, one.ports) == ("block", ("public",), 6, ())
    assert one.program == r"C:\forge\system\python\python.exe" and one.enabled and not one.unread


def test_ports_and_addresses_of_a_rule_over_several_lines() -> None:
    text = RULE.replace(
        "LocalPort:                            Any", "LocalPort:                            80,7000-8000,RPC"
    )
    text = text.replace(
        "RemoteIP:                             Any",
        "RemoteIP:                             LocalSubnet,\n                                      10.0.0.0/8",
    )
    (one,) = parse_rules_text(text) or ()
    assert one.ports == ((80, 80), (7000, 8000)) and one.keywords == ("RPC",)
    assert one.remote == ("LocalSubnet", "10.0.0.0/8")


def test_outgoing_rules_are_left_out() -> None:
    assert (
        parse_rules_text(
            RULE.replace("Direction:                            In", "Direction:                            Out")
        )
        == ()
    )


@pytest.mark.parametrize("text", [GERMAN, JAPANESE, GERMAN.replace("\n", "\r\n")])
def test_rules_in_another_language_are_recognised_and_not_guessed_at(text: str) -> None:
    assert has_rules(text.replace("\r\n", "\n"))
    assert parse_rules_text(text.replace("\r\n", "\n")) is None
    network = read_export(text)
    assert network is not None and network.rules is None
    assert "language" in str(network.why_missing("rules"))


@pytest.mark.parametrize(
    "text",
    [
        "\nNo rules match the specified criteria.\n",
        "\nKeine Regeln stimmen mit den angegebenen Kriterien überein.\n",
        "",
        "hello",
        "\x00\x01\x02",
        "{",
        "[1, 2, 3]",
        '{"a": {"b": 3}}',
        "-" * 70,
    ],
)
def test_what_holds_no_settings_is_none(text: str) -> None:
    assert read_export(text) is None


@given(st.text(max_size=400))
def test_no_text_breaks_the_readers(text: str) -> None:
    read_export(text)
    parse_ranges(text)
    parse_dynamic(text)
    parse_proxies(text)


@given(st.lists(st.sampled_from([*RULE.splitlines(), *GERMAN.splitlines(), "", "-" * 70]), max_size=40))
def test_no_order_of_lines_breaks_the_reader_of_rules(lines: list[str]) -> None:
    read_export("\n".join(lines))
