"""What stands between the LAN and a program in WSL, in each of its modes."""

from __future__ import annotations

import pytest

from forgedoctor.facts.wsl import HyperVFirewall, HyperVRule, PortProxy, Wsl
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED
from forgedoctor.firewall.wsl import evaluate

NOW = "172.23.21.232"


def nat(*rows: PortProxy, address: str = NOW, forwarding: bool | None = None) -> Wsl:
    return Wsl(mode="nat", address=address, portproxy=rows, localhost_forwarding=forwarding)


def row(to: str = NOW, *, listen: str = "0.0.0.0", far: int = 7860) -> PortProxy:
    return PortProxy(listen_address=listen, listen_port=7860, connect_address=to, connect_port=far)


def mirrored(**gate: object) -> Wsl:
    fields = {"enabled": True, "inbound": "block", "merged": False, "rules": (), **gate}
    return Wsl(mode="mirrored", hyperv=HyperVFirewall(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wsl", "expected"),
    [
        (Wsl(version=1, mode="wsl1"), OPEN),
        (Wsl(mode=""), UNDECIDED),
        (Wsl(mode="virtioproxy"), UNDECIDED),
        (Wsl(mode="none"), FILTERED),
        (Wsl(mode="nat", address=NOW), UNDECIDED),
        (nat(), FILTERED),
        (nat(row()), OPEN),
        (nat(row("172.20.0.1")), FILTERED),
        (nat(row(far=22)), FILTERED),
        (nat(row("localhost")), OPEN),
        (nat(row("127.0.0.1"), forwarding=False), FILTERED),
        (nat(row(listen="127.0.0.1")), FILTERED),
        (nat(row("172.20.0.1"), address=""), UNDECIDED),
        (Wsl(mode="mirrored"), UNDECIDED),
        (mirrored(), FILTERED),
        (mirrored(merged=True), UNDECIDED),
        (mirrored(rules=None), UNDECIDED),
        (mirrored(inbound=""), UNDECIDED),
        (mirrored(inbound="allow"), OPEN),
        (mirrored(enabled=False), OPEN),
        (mirrored(rules=(HyperVRule(name="Forge", allow=True, ports=("7860",)),)), OPEN),
        (mirrored(rules=(HyperVRule(name="ssh", allow=True, ports=("22",)),)), FILTERED),
        (mirrored(inbound="allow", rules=(HyperVRule(name="no", allow=False),)), FILTERED),
    ],
)
def test_the_gate(wsl: Wsl, expected: str) -> None:
    decision = evaluate(wsl, port=7860)
    assert decision.verdict == expected and decision.because
    assert bool(decision.settle) == (expected == UNDECIDED)


def test_rules_that_contradict_each_other_are_named() -> None:
    rules = (
        HyperVRule(name="yes", allow=True, ports=("7860",)),
        HyperVRule(name="no", allow=False, ports=("7000-8000",)),
    )
    decision = evaluate(mirrored(rules=rules), port=7860)
    assert decision.verdict == UNDECIDED and "no, yes" in str(decision.because[0])
