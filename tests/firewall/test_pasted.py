"""Texts as people paste them: quoted, with sudo's question for a password, with lines that never end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import chain, judged, verdict

from forgedoctor.firewall import pasted, recognise
from forgedoctor.firewall.pasted import LONGEST, cleaned

IPT = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 7860 -j ACCEPT\nCOMMIT\n"
STATUS = """Status: active
Default: deny (incoming), allow (outgoing), disabled (routed)

To                         Action      From
--                         ------      ----
7860/tcp                   ALLOW IN    Anywhere
"""
ZONES = """public (active)
  target: default
  interfaces: eth0
  sources: 
  services: ssh
  ports: 7860/tcp

home
  target: default
  interfaces: 
  sources: 
"""  # noqa: W291
QUESTIONS = [
    "[sudo] password for alice: ",
    "[sudo] Passwort für alice: ",
    "[sudo] alice 的密码：",
    "[sudo: authenticate] Password: ",
    "  [sudo] Mot de passe de alice : ",
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("listing", [IPT, STATUS, chain("tcp dport 7860 accept", policy="drop"), ZONES])
def test_sudo_s_question_spoils_no_listing_and_names_nobody(question: str, listing: str) -> None:
    lines = listing.splitlines(keepends=True)
    for at in (0, 1, len(lines)):
        text = "".join([*lines[:at], f"{question}\n", *lines[at:]])
        if at == len(lines):
            text += "alice@pc:~$\n"
        found, messages = recognise.read([("pasted.txt", text)])
        assert not any(one.cut for one in found), at
        said = [str(one) for one in [*messages, *(each for one in found for each in one.problems)]]
        assert not any("alice" in one or "sudo]" in one for one in said), said
        assert verdict(text) == "open", at


@pytest.mark.parametrize("name", ["stdin", "nft.txt"])
@pytest.mark.parametrize("before", ["", "alice@pc:~$ sudo nft list ruleset\n"])
def test_a_question_that_nobody_answered_is_no_empty_listing(name: str, before: str) -> None:
    found, messages = recognise.read([(name, before + "[sudo] password for alice: \n")])
    assert found == []
    assert [str(one) for one in messages] == [
        f"{name} ends with sudo's question for a password: give what is printed once it is answered."
    ]


def test_a_listing_may_begin_behind_the_question() -> None:
    assert cleaned(f"[sudo] password for alice: {STATUS}").text == STATUS
    assert verdict(f"[sudo] password for alice: {STATUS}") == "open"


@pytest.mark.parametrize("mark", ["> ", ">", "| ", "> > ", " > "])
@pytest.mark.parametrize("listing", [IPT, STATUS, chain("tcp dport 7860 accept", policy="drop"), ZONES])
def test_a_quote_is_read_as_what_it_quotes(mark: str, listing: str) -> None:
    quoted = "".join(f"{mark}{line}".rstrip(" ") for line in listing.splitlines(keepends=True))
    assert verdict(quoted) == "open"
    assert cleaned(quoted).text.count("\n") == quoted.count("\n")


def test_an_introduction_stands_before_a_quote() -> None:
    quoted = "".join(f"> {line}" for line in IPT.splitlines(keepends=True))
    assert verdict(f"alice wrote:\n\n{quoted}") == "open"


def test_a_prompt_is_no_quote() -> None:
    text = f"> iptables-save\n{IPT}"
    assert cleaned(text).text == text


def test_a_line_without_end_is_refused_in_one_sentence_and_cuts_the_listing() -> None:
    rule = f"-A INPUT -p tcp -m multiport --dports {'7860,' * (LONGEST // 5)}7860 -j ACCEPT"
    found, messages = recognise.read([("save.txt", IPT.replace("-A INPUT", f"{rule}\n-A INPUT"))])
    assert [str(one) for one in messages] == [
        "save.txt, line 3 is longer than 1 MB, which no rule is: nothing of that listing is read from there on."
    ]
    assert [one.cut for one in found] == [True]
    assert found[0].tables[0].chains["INPUT"].rules == ()


def test_what_follows_in_another_listing_is_still_read() -> None:
    text = f"$ sudo nft list ruleset\n{'x' * (LONGEST + 1)}\n$ sudo iptables-save\n{IPT}"
    found, _ = recognise.read([("pasted.txt", text)])
    assert [(one.kind, one.cut) for one in found] == [("iptables", False)]


@pytest.mark.parametrize("listing", ["create lan hash:net\n", ZONES])
def test_a_part_of_sets_or_of_zones_is_not_taken_for_the_whole(listing: str) -> None:
    found, messages = recognise.read([("pasted.txt", f"{listing}{'x' * (LONGEST + 1)}\n")])
    assert found == []
    assert len(messages) == 1


@pytest.mark.parametrize("name", ["nft.txt", "iptables-save.txt"])
def test_one_line_without_end_is_no_empty_listing(name: str) -> None:
    assert recognise.read([(name, "{" * (LONGEST + 1))])[0] == []


def test_json_is_one_line_however_long() -> None:
    text = '{"nftables": [' + '{"metainfo": {"version": "1.0.6"}},' * 30_000 + '{"metainfo": {}}]}'
    assert len(text) > LONGEST
    assert [one.kind for one in recognise.read([("nft.json", text)])[0]] == ["nft-json"]


def test_a_long_rule_is_shown_in_part() -> None:
    rule = f"-A INPUT -p tcp -m multiport --dports {'7860,' * 2000}7860 -j ACCEPT"
    shown = judged(f"*filter\n:INPUT DROP [0:0]\n{rule}\nCOMMIT\n").rule
    assert (shown[:300], shown[300:]) == (rule[:300], "…")


def test_a_listing_that_breaks_off_in_a_rule_asks_for_the_whole() -> None:
    text = f"table inet t {{\n\tchain input {{\n\t\ttype filter hook input priority 0; policy drop;\n\t\ttcp dport {'{' * 9000}\n"
    found = judged(text)
    assert found.verdict == "undecided"
    assert len(found.rule) <= 301
    assert str(found.settle) == "Give the whole listing of the rules."


@given(st.text(alphabet="[sudo] >|:\n*x\t：", max_size=80))
def test_no_line_is_lost(text: str) -> None:
    assert cleaned(text).text.count("\n") == text.count("\n")


def test_a_long_line_keeps_the_numbers_of_the_others() -> None:
    found = cleaned(f"a\n{'x' * (LONGEST + 1)}\nb\n")
    assert (found.text, found.long) == (f"a\n{pasted.CUT_HERE}\nb\n", (2,))
