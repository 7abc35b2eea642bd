"""Which published ports let other machines in to a container."""

from __future__ import annotations

import pytest

from forgedoctor.facts.container import Container, Published, Unit
from forgedoctor.firewall.container import evaluate, published_to_all
from forgedoctor.firewall.decision import OPEN, REFUSED, UNDECIDED


def unit(*rows: Published, network: str = "bridge", because: str = "process", port: int | None = None) -> Unit:
    return Unit(id="4f1c2d3e4a5b", name="forge", network=network, published=rows, because=because, port=port)


def row(host_ip: str = "0.0.0.0", port: int = 7860, *, outside: int = 7860, protocol: str = "tcp") -> Published:
    return Published(host_ip=host_ip, host_port=outside, port=port, protocol=protocol)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (unit(row(), row("::")), OPEN),
        (unit(row("192.168.4.20")), OPEN),
        (unit(row("127.0.0.1"), row(outside=8080)), OPEN),
        (unit(row("127.0.0.1"), row("::1")), REFUSED),
        (unit(row(port=8080)), REFUSED),
        (unit(row(protocol="udp")), REFUSED),
        (unit(), REFUSED),
        (unit(network="host"), OPEN),
        (unit(network="none"), REFUSED),
        (unit(network="container:77aa"), UNDECIDED),
        (Unit(id="4f1c2d3e4a5b", network="bridge"), UNDECIDED),
    ],
)
def test_the_gate(one: Unit, expected: str) -> None:
    decision = evaluate(one, port=7860)
    assert decision.verdict == expected and decision.because
    assert bool(decision.settle) == (expected == UNDECIDED)


def test_what_is_open_past_the_hosts_firewall() -> None:
    """ufw never sees these; a port on one address, on the host's network or of another program is not among them."""
    open_wide, other = unit(row(), row("::"), row(port=9000, outside=9000), port=7860), unit(row(), because="")
    found = published_to_all(Container(units=(open_wide, other)))
    assert [(one.name, each.host_ip, each.host_port) for one, each in found] == [("forge", "0.0.0.0", 7860)]
    for quiet in (unit(row("127.0.0.1")), unit(row("192.168.4.20")), unit(row(), network="host"), unit()):
        assert published_to_all(Container(units=(quiet,))) == ()
