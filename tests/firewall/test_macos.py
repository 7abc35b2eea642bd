"""What the gates of a Mac let in: by program in the application firewall, by port in pf."""

from __future__ import annotations

import msgspec
import pytest

from forgedoctor.facts.macos_network import MacApp, MacNetwork
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED
from forgedoctor.firewall.macos import evaluate, other_pythons

CELLAR = "/opt/homebrew/Cellar/python@3.10/{}/Frameworks/Python.framework/Versions/3.10/Resources/Python.app"
NOW, BEFORE = CELLAR.format("3.10.14"), CELLAR.format("3.10.13")
ON = MacNetwork(state=1, block_all=False, allow_builtin=True, allow_downloaded=True, apps=(), python=NOW)


def changed(**fields: object) -> MacNetwork:
    return msgspec.structs.replace(ON, **fields)


def listed(path: str, allowed: bool) -> MacNetwork:
    return changed(apps=(MacApp(path="/usr/libexec/bootpd", allowed=True), MacApp(path=path, allowed=allowed)))


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (changed(state=0, apps=(MacApp(path=NOW, allowed=False),)), OPEN),
        (changed(state=0, block_all=True), OPEN),
        (changed(state=2), FILTERED),
        (changed(block_all=True, apps=(MacApp(path=NOW, allowed=True),)), FILTERED),
        (changed(state=None), UNDECIDED),
        (listed(NOW, False), FILTERED),
        (listed(NOW, True), OPEN),
        (listed(BEFORE, True), UNDECIDED),
        (listed(BEFORE, False), UNDECIDED),
        (ON, UNDECIDED),
        (changed(apps=None), UNDECIDED),
        (changed(apps=None, python_listed="block"), FILTERED),
        (changed(apps=None, python_listed="allow"), OPEN),
    ],
)
def test_the_application_firewall(network: MacNetwork, expected: str) -> None:
    decision = evaluate(network, program=NOW, port=7860)
    assert decision.verdict == expected and decision.because
    assert bool(decision.settle) == (expected == UNDECIDED)


def test_the_program_inside_a_listed_bundle_is_meant() -> None:
    inside = f"{NOW}/Contents/MacOS/Python"
    assert evaluate(listed(NOW, False), program=inside, port=7860).verdict == FILTERED
    assert evaluate(listed(f"{NOW}-other", False), program=NOW, port=7860).verdict == UNDECIDED


def test_a_program_that_is_not_known_is_not_judged() -> None:
    assert evaluate(listed(NOW, False), program="", port=7860).verdict == UNDECIDED
    assert evaluate(changed(state=2), program="", port=7860).verdict == FILTERED


def test_the_python_of_apples_tools_is_let_in_with_its_own_software() -> None:
    apple = "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9/Resources/Python.app"
    assert evaluate(ON, program=apple, port=7860).verdict == OPEN
    assert evaluate(changed(allow_builtin=False), program=apple, port=7860).verdict == UNDECIDED


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('anchor "com.apple/*" all', OPEN),
        ("block drop in all", UNDECIDED),
        ("block drop in proto tcp from any to any port = 7860", UNDECIDED),
        ("block return in quick proto tcp from any to any port { 22, 7860 }", UNDECIDED),
        ("block drop in proto tcp from any to any port = 22", OPEN),
        ("block drop in proto tcp from any to any port 7000:8000", UNDECIDED),
        ("block drop in proto tcp from any to any port = ssh flags S/SA", OPEN),
        ("block drop in proto tcp from any port = 7860 to any", UNDECIDED),
        ("block drop out all", OPEN),
        ("block drop in proto udp from any to any", OPEN),
        ("pass in all flags S/SA keep state", OPEN),
        ("block drop in on en0 proto { tcp, udp } from any to any", UNDECIDED),
    ],
)
def test_rules_of_pf_are_named_where_they_may_matter(rule: str, expected: str) -> None:
    network = msgspec.structs.replace(listed(NOW, True), pf=(rule,), pf_enabled=True)
    assert evaluate(network, program=NOW, port=7860).verdict == expected
    off = msgspec.structs.replace(network, pf_enabled=False)
    assert evaluate(off, program=NOW, port=7860).verdict == OPEN


def test_the_path_of_an_older_python_is_pointed_out() -> None:
    assert [one.path for one in other_pythons(listed(BEFORE, True), NOW)] == [BEFORE]
    assert other_pythons(listed(NOW, True), NOW) == ()
