"""What is read of a peer's bytes, who a peer is, and which addresses are worth trying."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forgedoctor.facts._network import Own, place_of
from forgedoctor.message import plain
from forgedoctor.reach import qr
from forgedoctor.reach.addresses import offers
from forgedoctor.reach.caller import Surroundings, way_of
from forgedoctor.reach.page import PROBE_PATH, Seen, answer, page, read_reply
from forgedoctor.reach.request import Request, parse, prefers_chinese, shown, spoken

ETH = Own(address="192.168.50.10", interface="eth0", prefix=24)
ETH6 = Own(address="fd50::10", interface="eth0", prefix=64)
LO = Own(address="127.0.0.1", interface="lo", prefix=8)
DOCKER = Own(address="172.17.0.1", interface="docker0", prefix=16)
VPN = Own(address="100.80.1.2", interface="tailscale0", prefix=32)
OWNS = (LO, ETH, ETH6, DOCKER, VPN)


def way(peer: str, proxy: str = "", local: str = "192.168.50.10", **more: Any) -> tuple[str, bool]:
    found = way_of(peer, local, proxy, Surroundings(**{"owns": OWNS, "system": "linux", **more}))
    return found.origin, found.outside


@pytest.mark.parametrize(("peer", "origin", "outside"), [
    ("127.0.0.1", "self", False),
    ("::1", "self", False),
    ("192.168.50.10", "self", False),  # its own address: the packets never left
    ("fd50::10", "self", False),
    ("192.168.50.20", "network", True),
    ("fd50::20", "network", True),
    ("fe80::1", "network", True),
    ("192.168.60.20", "routed", True),
    ("203.0.113.7", "routed", True),
    ("172.17.0.2", "box", False),  # a container on this machine
    ("172.17.0.1", "self", False),
])  # fmt: skip
def test_who_came(peer: str, origin: str, outside: bool) -> None:
    assert way(peer) == (origin, outside)


def test_a_proxy_on_this_machine_is_not_the_direct_way() -> None:
    assert way("127.0.0.1", "x-forwarded-for") == ("proxy-here", False)
    assert way("192.168.50.20", "via") == ("network", True)


def test_behind_a_gateway_that_hides_the_visitor_nothing_is_proved() -> None:
    box = (LO, Own(address="172.17.0.2", interface="eth0", prefix=16))
    assert way("172.17.0.1", local="172.17.0.2", owns=box, gateways=("172.17.0.1",), inside="container") == (
        "gateway",
        False,
    )
    assert way("172.17.0.1", local="172.17.0.2", owns=box, inside="container") == ("gateway", False)
    assert way("192.168.50.20", local="172.17.0.2", owns=box, inside="container") == ("routed", True)
    assert way("192.168.50.1", gateways=("192.168.50.1",)) == ("network", True)  # a plain machine's router


def test_the_interface_is_that_of_the_address_which_took_the_connection() -> None:
    assert way_of("fd50::20", "fd50::10", "", Surroundings(owns=OWNS)).interface == "eth0"
    assert way_of("1.2.3.4", "9.9.9.9", "", Surroundings(owns=OWNS)).interface == ""


@pytest.mark.parametrize(("address", "place"), [
    ("127.0.0.5", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"), ("192.168.50.10", "own"),
    ("192.168.50.99", "lan"), ("fd50::99", "lan"), ("10.0.0.1", "private"), ("fd99::1", "private"),
    ("169.254.3.4", "link-local"), ("fe80::1%eth0", "link-local"), ("100.90.0.1", "shared"), ("8.8.8.8", "public"),
    ("2600::1", "public"), ("::ffff:192.168.50.10", "own"), ("forge.local", ""), ("", ""),
])  # fmt: skip
def test_where_an_address_lies(address: str, place: str) -> None:
    assert place_of(address, OWNS) == place


def test_the_network_of_an_interface_that_is_down_is_not_near() -> None:
    down = Own(address="10.1.0.1", interface="eth1", prefix=16, up=False)
    assert place_of("10.1.0.2", (down,)) == "private" and place_of("10.1.0.1", (down,)) == "own"


def test_only_addresses_that_can_work_are_offered_and_the_best_first() -> None:
    wlan = Own(address="192.168.1.5", interface="wlan0", prefix=24)
    more = (*OWNS, wlan, Own(address="169.254.7.7", interface="eth9", prefix=16),
            Own(address="fe80::5", interface="eth0", prefix=64),
            Own(address="10.9.9.9", interface="eth8", prefix=24, up=False))  # fmt: skip
    made = offers(["0.0.0.0", "::"], more, main=["192.168.1.5"])
    assert [one.address for one in made.offered] == ["192.168.1.5", "192.168.50.10", "100.80.1.2", "fd50::10"]
    assert {address for address, _ in made.withheld} == {
        "127.0.0.1",
        "172.17.0.1",
        "169.254.7.7",
        "fe80::5",
        "10.9.9.9",
    }
    assert made.offered[2].kind == "tunnel"
    assert made.offered[3].url(7860) == "http://[fd50::10]:7860"


def test_ipv6_is_offered_only_where_it_is_bound() -> None:
    assert [one.family for one in offers(["0.0.0.0"], OWNS).offered] == ["ipv4", "ipv4"]
    assert [one.address for one in offers(["::"], OWNS).offered] == ["fd50::10"]
    assert [one.address for one in offers(["192.168.50.10"], OWNS).offered] == ["192.168.50.10"]
    assert offers(["127.0.0.1"], OWNS).offered == ()


def test_an_interface_with_a_box_s_name_that_leads_out_is_offered() -> None:
    bridge = Own(address="192.168.7.2", interface="vEthernet (External)", prefix=24)
    assert offers(["0.0.0.0"], (bridge,)).offered == ()
    assert offers(["0.0.0.0"], (bridge,), main=["192.168.7.2"]).offered[0].kind == "lan"


@pytest.mark.parametrize(("data", "what"), [
    (b"\x16\x03\x01\x02\x00\x01", "tls"), (b"\x16", "more"), (b"\x16\x99", "junk"), (b"\x05\x01\x00", "junk"),
    (b"SSH-2.0-x\r\n", "more"), (b"\x00", "junk"), (b"\xff\xfe", "junk"), (b"get / http", "junk"), (b"G", "more"),
    (b"GET / HTTP/1.1\r\nHost: a\r\n", "more"), (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http"),
    (b"GET / HTTP/1.0\n\n", "http"),
])  # fmt: skip
def test_what_a_peer_speaks(data: bytes, what: str) -> None:
    assert spoken(data) == what


def test_a_request_is_read_without_its_secrets() -> None:
    asked = parse(
        b"GET /a/b?token=sesame HTTP/1.1\r\nHost: user:sesame@forge.lan:7860\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
    )
    assert asked and (asked.method, asked.path, asked.host, asked.proxy) == (
        "GET",
        "/a/b",
        "forge.lan:7860",
        "x-forwarded-for",
    )
    assert "sesame" not in repr(asked)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / FTP/1\r\n\r\n", b"G3T / HTTP/1.1\r\n\r\n",
                                  b"SSH-2.0-OpenSSH\r\n\r\n", b"A B C D\r\n\r\n"])  # fmt: skip
def test_what_is_no_request_is_none(data: bytes) -> None:
    assert parse(data) is None


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x1b]0;owned\x07", "a\rb\nc", "\x9b31m", "\u202egnp.exe", "\x00\x08\x7f", "\u200b"]
)
def test_a_peer_s_words_cannot_move_the_cursor(text: str) -> None:
    made = shown(text)
    assert made.isprintable() and "\u202e" not in made and "\u200b" not in made
    assert len(shown("x" * 10_000)) < 100


@pytest.mark.parametrize(("accepted", "chinese"), [
    ("zh-CN,zh;q=0.9,en;q=0.8", True), ("en-US,en;q=0.9,zh;q=0.8", False), ("zh", True), ("", False), ("de", False),
    ("de,zh;q=0.5", True), ("en;q=0.1,zh;q=0.2", True), ("zh;q=nan", False), ("zh;q=x,en", False), ("zh,en", True),
    ("*", False), ("zh;q=0", False),
])  # fmt: skip
def test_the_page_s_language_is_the_visitor_s(accepted: str, chinese: bool) -> None:
    assert prefers_chinese(accepted) is chinese


def seen(**more: Any) -> Seen:
    way = way_of("192.168.50.20", "192.168.50.10", "", Surroundings(owns=OWNS)).words
    return Seen(
        **{
            "peer": "192.168.50.20",
            "peer_port": 5,
            "local": "192.168.50.10",
            "port": 7860,
            "way": way,
            "origin": "network",
            **more,
        }
    )


def test_the_page_tells_the_visitor_s_address_and_loads_nothing() -> None:
    text = page(seen(), "en")
    assert "192.168.50.20:5" in text and "192.168.50.10:7860" in text and 'lang="en"' in text
    assert "is open" in text and "is open" not in page(seen(origin="self"), "en")
    assert "<script" not in text and "src=" not in text and "href=" not in text
    assert 'lang="zh-CN"' in page(seen(), "zh_CN")
    assert "&lt;b&gt;" in page(seen(way=plain("<b>")), "en")


def test_the_answers() -> None:
    def status(method: str, path: str) -> tuple[bytes, bytes]:
        head, _, body = answer(Request(method=method, path=path), seen()).partition(b"\r\n\r\n")
        return head.split(b" ")[1], body

    assert status("GET", "/")[0] == b"200" and status("GET", "/sdapi/v1/txt2img")[0] == b"404"
    assert status("HEAD", "/") == (b"200", b"")
    reply = read_reply(status("GET", PROBE_PATH)[1])
    assert reply and (reply.you, reply.here, reply.port, reply.origin) == (
        "192.168.50.20",
        "192.168.50.10",
        7860,
        "network",
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"kind":"other","schema_version":"1"}', b"\xff", b"[" * 9999,
                                  json.dumps({"kind": "forgedoctor-reach", "schema_version": "1", "you": 5}).encode()])  # fmt: skip
def test_another_program_s_answer_is_not_ours(body: bytes) -> None:
    assert read_reply(body) is None


def test_a_qr_code_holds_the_squares_of_the_code_in_both_drawings() -> None:
    import segno

    url = "http://192.168.50.10:7860"
    dark = [[bool(one) for one in row] for row in segno.make(url, error="l", micro=False).matrix_iter(border=2)]
    upper = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    compact = [[upper[char] for char in line] for line in qr.drawn(url)]
    rows = [[pair[half] for pair in line] for line in compact for half in (0, 1)]
    assert rows[: len(dark)] == dark
    assert [[line[i] == " " for i in range(0, len(line), 2)] for line in qr.drawn(url, ascii_only=True)] == dark
    assert all(line.isascii() for line in qr.drawn(url, ascii_only=True))
    assert qr.drawn(url, columns=20) == []
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in qr.drawn(url, color=True))
