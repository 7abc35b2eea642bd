"""``forgedoctor firewall evaluate``: listings judged by the real program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.firewall.judged import HOST, chain
from tests.forge_like import doctor

CLOSED = chain("ct state established,related accept", 'iif "lo" accept', "tcp dport 22 accept", policy="drop")
OPEN = chain("tcp dport 22 drop")


def asked(*words: str, stdin: str = "") -> tuple[int, str, str]:
    done = doctor("firewall", "evaluate", *words, stdin=stdin.encode())
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def answered(*words: str, stdin: str = "") -> tuple[int, dict[str, Any]]:
    code, out, _ = asked("--format", "json", *words, stdin=stdin)
    return code, json.loads(out)


def test_a_pasted_listing_in_words() -> None:
    code, out, err = asked("--rules", "-", "--port", "7860", stdin=CLOSED)
    assert (code, err) == (1, "")
    assert "ipv4: filtered" in out and "ipv6: filtered" in out
    assert "policy of chain input" in out and "table inet t, chain input" in out and "kept by   nftables" in out
    assert "taken to be its own" in out  # what was assumed of the host


def test_the_very_rule_with_its_line() -> None:
    text = chain("ct state established accept", 'tcp dport 7860 counter drop comment "no forge"')
    code, made = answered("--rules", "-", "--port", "7860", "--from", "192.168.1.5", "--interface", "eth0", stdin=text)
    (row,) = made["probes"]
    assert code == 1 and row["verdict"] == "filtered"
    assert "tcp dport 7860" in row["rule"] and row["where"] == "stdin:5, table inet t, chain input"


@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        (OPEN, 0, "open"),
        (CLOSED, 1, "filtered"),
        (chain("tcp dport 7860 reject"), 1, "refused"),
        (chain("tcp dport 7860 limit rate over 3/minute drop"), 3, "undecided"),
    ],
)
def test_the_exit_status(text: str, code: int, verdict: str) -> None:
    status, made = answered("--rules", "-", "--port", "7860", "--from", "10.0.0.5", stdin=text)
    assert (status, [row["verdict"] for row in made["probes"]]) == (code, [verdict])


def test_what_is_not_decided_says_what_would_settle_it() -> None:
    _, out, _ = asked("--rules", "-", "--port", "7860", stdin=chain("ip saddr 192.168.1.0/24 drop"))
    assert "undecided" in out and "from which address" in out
    code, _, _ = asked(
        "--rules", "-", "--port", "7860", "--from", "192.168.1.0/24", stdin=chain("ip saddr 192.168.1.0/24 drop")
    )
    assert code == 1


def test_probes_and_host_from_files(tmp_path: Path) -> None:
    probes = [
        {"name": "lan", "iif": "eth0", "src": "192.168.50.20", "dst": "192.168.50.10", "dport": 7860, "proto": "tcp"},
        {"name": "wifi", "iif": "wlan0", "src": "192.168.60.20", "dst": "192.168.60.10", "dport": 7860},
        {"name": "closed", "iif": None, "src": None, "dst": "192.168.50.10", "dport": 9000},
    ]
    for name, data in (("probes", probes), ("host", HOST)):
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    words = ["--probes", str(tmp_path / "probes"), "--host", str(tmp_path / "host")]
    code, made = answered("--rules", "-", *words, stdin=chain('iifname "wlan0" drop', 'tcp dport 9 log prefix "x"'))
    assert code == 1
    assert {row["name"]: row["verdict"] for row in made["probes"]} == {
        "lan": "open",
        "wifi": "filtered",
        "closed": "undecided",
    }
    assert made["schema_version"] == 1 and all(isinstance(one, str) for row in made["probes"] for one in row["because"])


def test_with_the_host_known_every_address_that_others_see_is_judged(tmp_path: Path) -> None:
    (tmp_path / "host").write_text(json.dumps(HOST), encoding="utf-8")
    _, made = answered(
        "--rules", "-", "--port", "7860", "--host", str(tmp_path / "host"), stdin=chain('iifname "wlan0" drop')
    )
    assert {row["name"]: row["verdict"] for row in made["probes"]} == {
        "ipv4 eth0": "open",
        "ipv4 wlan0": "filtered",
        "ipv6 eth0": "open",
    }


def test_files_that_are_no_listing_are_a_sentence_each_and_the_others_are_judged(tmp_path: Path) -> None:
    (tmp_path / "good").write_text(OPEN, encoding="utf-8")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "prose").write_text("It does not work, please help.\n", encoding="utf-8")
    names = ["good", "binary", "prose", "missing", "."]
    words = [word for name in names for word in ("--rules", str(tmp_path / name))]
    code, made = answered(*words, "--port", "7860")
    assert code == 0 and len(made["problems"]) == 4
    assert [one["source"] for one in made["listings"]] == ["good"]


def test_nothing_readable_is_not_judged() -> None:
    code, made = answered("--rules", "-", "--port", "7860", stdin="hello")
    assert code == 3 and {row["verdict"] for row in made["probes"]} == {"undecided"}


def test_the_warning_of_iptables_about_legacy_tables_is_heeded() -> None:
    text = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n" + OPEN
    code, made = answered("--rules", "-", "--port", "7860", "--from", "10.0.0.5", stdin=text)
    assert code == 3 and "iptables-legacy-save" in made["probes"][0]["settle"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "7860"], "--rules"),
        (["--rules", "-"], "--port"),
        (["--rules", "-", "--port", "0"], "--port"),
        (["--rules", "-", "--port", "7860", "--from", "here"], "--from"),
        (["--rules", "-", "--port", "7860", "--from", "10.0.0.1", "--to", "fd00::1"], "families"),
        (["--rules", "-", "--probes", "no-such-file"], "no-such-file"),
        (["--rules", "-", "--port", "7860", "--host", "no-such-file"], "no-such-file"),
    ],
)
def test_a_command_line_that_cannot_be_used(words: list[str], told: str) -> None:
    code, _, err = asked(*words)
    assert code == 2 and told in err


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "[{}]", '[{"dport": "7860"}]', '[{"dport": 70000}]', '[{"dport": 80, "src": "x"}]', '[{"dport": 80, "proto": "udp"}]',
     '[{"dport": 80, "src": 5}]', '[{"dport": 80, "iif": 5}]', '[{"dport": 80, "src": "1.2.3.4", "dst": "::1"}]', "[" * 100_000],
)  # fmt: skip
def test_probes_that_cannot_be_used_are_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "probes").write_text(text, encoding="utf-8")
    code, _, err = asked("--rules", "-", "--probes", str(tmp_path / "probes"))
    assert code == 2 and "--probes" in err


@pytest.mark.parametrize(
    "host",
    [{}, {"addresses": None, "routes": "x", "listeners": None}, {"addresses": [5, {"ifname": None, "addr_info": [{"local": 5}, 7]}]},
     {"routes": [{"dst": "x"}, {"dst": "default"}, {"dev": 5, "dst": "10.0.0.0/8"}, 9], "listeners": [{"addr": 5}, 6, {"port": "x"}]}],
)  # fmt: skip
def test_a_host_file_with_odd_values_leaves_them_unknown(host: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "host").write_text(json.dumps(host), encoding="utf-8")
    code, made = answered("--rules", "-", "--port", "7860", "--host", str(tmp_path / "host"), stdin=OPEN)
    assert code in (0, 1, 3) and made["probes"]


def test_in_chinese() -> None:
    code, out, _ = asked("--rules", "-", "--port", "7860", "--lang", "zh_CN", stdin=CLOSED)
    assert code == 1 and "tcp" not in out.split("\n")[0]


def test_control_characters_of_a_listing_are_made_visible() -> None:
    text = chain('tcp dport 7860 drop comment "\x1b[31mred"')
    _, out, _ = asked("--rules", "-", "--port", "7860", stdin=text)
    assert "\x1b" not in out
