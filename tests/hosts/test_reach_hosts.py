"""``reach`` between two hosts with real rules and wires between them: both sides tell the truth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.netns import CLIENT, CLIENT6, FAR, NOBODY, NOBODY6, SERVER, SERVER6, Host, Hosts, why_not
from tests.reach.talk import waiting

pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(why_not()), reason=why_not() or "namespaces work")]
needs_nft = pytest.mark.skipif(not shutil.which("nft"), reason="the command nft (nftables) is not installed")
PORT = "7860"
RULES = """
table inet forgedoctor {{
    chain input {{
        type filter hook input priority 0; policy accept;
        tcp dport 7860 {rule};
    }}
}}
"""


@pytest.fixture
def net() -> Iterator[Hosts]:
    with Hosts() as hosts:
        yield hosts


def ask(host: Host, to: str, *words: str) -> dict[str, Any]:
    """The only attempt of the client's side from a host, with the report's verdict in it."""
    done = host.doctor("reach", "--to", to, "--format", "json", "--lang", "en", *words)
    made = json.loads(done.stdout)
    assert done.returncode == made["exit_code"], done.stderr
    (attempt,) = made["attempts"]
    return {
        **attempt,
        "verdict": made["verdict"],
        "exit": made["exit_code"],
        "ids": [one["id"] for one in attempt["causes"]],
    }


def serve(host: Host, *words: str) -> Any:
    """``reach`` that waits on a host for both families."""
    return waiting("--port", PORT, "--host", "*", *words, before=host.argv([]))


def test_an_open_way_is_seen_on_both_sides(net: Hosts) -> None:
    with serve(net.server) as reach:
        for address, own in ((SERVER, CLIENT), (f"[{SERVER6}]", CLIENT6)):
            seen = ask(net.client, f"http://{address}:{PORT}")
            assert (seen["verdict"], seen["exit"], seen["answered"]) == ("reached", 0, "reach")
            assert seen["reply"]["you"] == own and seen["reply"]["origin"] == "network"
        made = reach.report(interrupt=True)
    assert (made["verdict"], made["exit_code"]) == ("reached", 0)  # the verdict outlives Ctrl-C
    assert [(visit["peer"], visit["interface"], visit["family"]) for visit in made["visits"]] == [
        (CLIENT, "eth0", "ipv4"), (CLIENT6, "eth0", "ipv6"),
    ]  # fmt: skip
    assert [one["address"] for one in made["offered"]] == [SERVER, SERVER6]
    assert f"{CLIENT} got to {SERVER}:{PORT} (eth0, IPv4): another machine of the same network" in reach.text


def test_a_plain_client_reads_the_page_and_ends_the_wait(net: Hosts) -> None:
    with serve(net.server, "--once") as reach:
        got = net.client.python(
            "import urllib.request as u; print(u.urlopen(f'http://{__import__(\"sys\").argv[1]}/', timeout=20).read().decode())",
            f"{SERVER}:{PORT}",
        )
        made = reach.report()
    assert CLIENT in got.stdout and (made["verdict"], made["exit_code"], made["cancelled"]) == ("reached", 0, False)


@pytest.mark.parametrize(("rule", "family", "symptom", "first"), [
    ("drop", 4, "timeout", "firewall-drops"),
    ("drop", 6, "timeout", "firewall-drops"),
    ("reject", 4, "refused", "nothing-listens"),
    ("reject", 6, "refused", "ipv4-only"),
    ("reject with tcp reset", 4, "refused", "nothing-listens"),
    ("reject with icmpx type admin-prohibited", 4, "host-unreachable", "firewall-forbids"),
    ("reject with icmpx type admin-prohibited", 6, "prohibited", "firewall-forbids"),
    ("reject with icmpx type host-unreachable", 4, "host-unreachable", "firewall-forbids"),
    ("reject with icmpx type host-unreachable", 6, "host-unreachable", "firewall-answers"),
    ("reject with icmpx type no-route", 4, "net-unreachable", "no-route"),
    ("reject with icmpx type no-route", 6, "net-unreachable", "firewall-answers"),
])  # fmt: skip
@needs_nft
def test_a_firewall_in_the_way(net: Hosts, rule: str, family: int, symptom: str, first: str) -> None:
    net.server.nft(RULES.format(rule=rule))
    address = SERVER if family == 4 else f"[{SERVER6}]"
    with serve(net.server) as reach:
        seen = ask(net.client, f"http://{address}:{PORT}")
        itself = ask(net.server, f"http://{address}:{PORT}")
        made = reach.report(interrupt=True)
    assert (seen["symptom"], seen["ids"][0], seen["place"]) == (symptom, first, "lan")
    assert any(one.startswith("firewall") for one in seen["ids"]) and (seen["verdict"], seen["exit"]) == (
        "not-reached",
        1,
    )
    assert made["verdict"] in ("nobody", "unproved") and not any(visit["outside"] for visit in made["visits"])
    assert (itself["place"], itself["exit"] != 0) == ("own", True)


@needs_nft
def test_a_rule_for_the_lan_alone_fools_the_probe_from_the_machine_itself(net: Hosts) -> None:
    net.server.nft(
        RULES.format(rule="iifname eth0 drop").replace("tcp dport 7860 iifname eth0", 'iifname "eth0" tcp dport 7860')
    )
    with serve(net.server) as reach:
        itself = ask(net.server, f"http://{SERVER}:{PORT}")
        seen = ask(net.client, f"http://{SERVER}:{PORT}")
        made = reach.report(interrupt=True)
    assert (itself["answered"], itself["verdict"], itself["exit"]) == ("reach", "itself", 3)
    assert "proves nothing" in itself["caveats"][0]
    assert seen["symptom"] == "timeout"
    assert (made["verdict"], made["visits"][0]["origin"]) == ("unproved", "self")


@pytest.mark.parametrize(("to", "family"), [(NOBODY, "ipv4"), (f"[{NOBODY6}]", "ipv6")])
def test_a_machine_that_is_not_there_is_told_from_a_firewall(net: Hosts, to: str, family: str) -> None:
    seen = ask(net.client, f"http://{to}:{PORT}")
    assert (seen["symptom"], seen["ids"][0], seen["family"]) == ("host-unreachable", "no-neighbour", family)
    assert "client-isolation" in seen["ids"]


def test_the_api_s_examination_waits_for_what_tells_a_missing_machine(net: Hosts) -> None:
    done = net.client.doctor("api", f"http://{NOBODY}:{PORT}", "--format", "json", "--lang", "en")
    (finding,) = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "endpoint-unreachable"]
    assert finding["fixes"][0]["title"].startswith("No machine answers at that address")
    assert "EHOSTUNREACH" in finding["evidence"][0]["text"]


def test_a_wait_that_is_too_short_says_so(net: Hosts) -> None:
    seen = ask(net.client, f"http://{NOBODY}:{PORT}", "--timeout", "1.0")
    assert seen["symptom"] == "timeout" and "machine-away" in seen["ids"]
    assert any("were waited" in one for one in seen["caveats"])


def test_a_closed_port_and_a_server_for_itself_alone_look_the_same_and_are_both_named(net: Hosts) -> None:
    net.server.listen("127.0.0.1", 7860)
    for port in (PORT, "7861"):
        seen = ask(net.client, f"http://{SERVER}:{port}")
        assert seen["symptom"] == "refused" and seen["ids"][:2] == ["nothing-listens", "loopback-only"]


@pytest.mark.parametrize(("kind", "symptom", "first"), [
    ("prohibit", "prohibited", "local-rule"),
    ("unreachable", "host-unreachable", "firewall-forbids"),
    ("blackhole", "invalid", "blackhole"),
])  # fmt: skip
def test_a_route_of_the_client_itself(net: Hosts, kind: str, symptom: str, first: str) -> None:
    net.client.ip("route", "add", kind, SERVER)
    seen = ask(net.client, f"http://{SERVER}:{PORT}")
    assert (seen["symptom"], seen["ids"][0]) == (symptom, first)
    assert {"local-rule", "blackhole"} & set(seen["ids"])


def test_without_a_route_it_is_this_machine(net: Hosts) -> None:
    assert ask(net.client, "http://203.0.113.7:7860")["ids"][0] == "no-route"
    assert ask(net.client, "http://[2001:db8::7]:7860")["ids"][0] == "no-ipv6"


@needs_nft
def test_icmpv6_that_is_dropped_looks_like_a_machine_that_is_off(net: Hosts) -> None:
    net.server.nft(
        "table inet t {\nchain i {\ntype filter hook input priority 0; policy accept;\nmeta l4proto ipv6-icmp drop;\n}\n}\n"
    )
    with serve(net.server):
        seen = ask(net.client, f"http://[{SERVER6}]:{PORT}")
    assert "icmpv6-dropped" in seen["ids"] and seen["symptom"] == "host-unreachable"


def test_a_hung_program_looks_like_a_firewall_and_is_named(net: Hosts) -> None:
    hung = net.server.start(
        [
            "python3",
            "-c",
            f"import socket, time; s = socket.create_server(('0.0.0.0', {PORT}), backlog=0); print('up', flush=True); time.sleep(120)",
        ]
    )
    assert hung.stdout and hung.stdout.readline()
    fill = f"""
import socket
kept = []
for _ in range(20):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(('{SERVER}', {PORT}))
    kept.append(one)
print('full', flush=True)
import time
time.sleep(120)
"""
    filler = net.client.start(["python3", "-c", fill])
    assert filler.stdout and filler.stdout.readline()
    seen = ask(net.client, f"http://{SERVER}:{PORT}")
    assert seen["symptom"] == "timeout" and "queue-full" in seen["ids"]


def test_from_another_network_the_visitor_is_routed() -> None:
    with Hosts(router=True) as net, serve(net.server) as reach:
        seen = ask(net.client, f"http://{SERVER}:{PORT}")
        made = reach.report(interrupt=True)
    assert seen["place"] == "private" and seen["reply"]["you"] == FAR
    assert (made["visits"][0]["origin"], made["visits"][0]["outside"]) == ("routed", True)


def test_a_container_of_this_machine_proves_nothing() -> None:
    with Hosts(container=True) as net, serve(net.server) as reach:
        assert ask(net.container, "http://172.17.0.1:7860")["answered"] == "reach"
        made = reach.report(interrupt=True)
    assert (made["verdict"], made["visits"][0]["origin"]) == ("unproved", "box")
    assert "172.17.0.1" not in [one["address"] for one in made["offered"]]
    assert "docker0" in str(made["withheld"])


@needs_nft
def test_a_rule_of_this_machine_that_is_in_the_way_is_told_before_anybody_waits(net: Hosts) -> None:
    net.server.nft(RULES.format(rule="drop"))
    with serve(net.server) as reach:
        assert ask(net.client, f"http://{SERVER}:{PORT}")["verdict"] == "not-reached"
        made = reach.report(interrupt=True)
    assert "the firewall (nftables) keeps them out" in reach.text
    assert any("linux-firewall-blocks-port" in note for note in made["next"])
