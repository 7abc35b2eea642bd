"""The Interfaces fact: this machine's addresses, and which of them others may use."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from forgedoctor.fact import State, Unavailable
from forgedoctor.facts import _psutil
from forgedoctor.facts.interfaces import Address, Interfaces, collect
from forgedoctor.target import Target

TARGET = Target(scope="live")


class PsutilError(Exception):
    """Stands for psutil.Error."""


def row(address: str) -> SimpleNamespace:
    return SimpleNamespace(family=0, address=address, netmask=None)


def fake(monkeypatch: pytest.MonkeyPatch, listed: dict[str, list[Any]], up: dict[str, bool]) -> SimpleNamespace:
    stats = {name: SimpleNamespace(isup=state) for name, state in up.items()}
    ps = SimpleNamespace(Error=PsutilError, net_if_addrs=lambda: listed, net_if_stats=lambda: stats)
    monkeypatch.setattr(_psutil, "load", lambda: ps)
    return ps


def address(text: str, interface: str = "eth0", *, up: bool = True, family: str = "ipv4") -> Address:
    return Address(address=text, family=family, interface=interface, loopback=text.startswith("127."), up=up)


def test_the_loopback_of_this_machine_is_seen_and_never_offered() -> None:
    found = collect(TARGET)
    loops = [one for one in found.addresses if one.address == "127.0.0.1"]
    assert loops
    assert loops[0].loopback
    assert loops[0].up
    assert "127.0.0.1" not in found.lan()
    assert msgspec.convert(msgspec.to_builtins(found), Interfaces) == found


def test_what_psutil_lists_becomes_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {
        "lo": [row("127.0.0.1"), row("::1"), row("00:00:00:00:00:00")],
        "eth0": [row("192.168.1.20"), row("fe80::fc:ff:fe00:1%eth0"), row("02:42:ac:11:00:02")],
        "wlan0": [row("192.168.1.21")],
    }
    fake(monkeypatch, listed, {"lo": True, "eth0": True, "wlan0": False})
    assert collect(TARGET).addresses == (
        Address(address="127.0.0.1", family="ipv4", interface="lo", loopback=True, up=True),
        Address(address="::1", family="ipv6", interface="lo", loopback=True, up=True),
        Address(address="192.168.1.20", family="ipv4", interface="eth0", loopback=False, up=True),
        Address(address="fe80::fc:ff:fe00:1", family="ipv6", interface="eth0", loopback=False, up=True),
        Address(address="192.168.1.21", family="ipv4", interface="wlan0", loopback=False, up=False),
    )


def test_an_alias_is_up_as_its_interface_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, {"eth0:1": [row("192.168.7.1")], "eth1:1": [row("192.168.8.1")]}, {"eth0": False, "eth1": True})
    assert collect(TARGET).lan() == ("192.168.8.1",)


def test_addresses_are_given_even_where_the_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    fake(monkeypatch, {"en0": [row("10.0.0.4")]}, {}).net_if_stats = refuse
    assert collect(TARGET).lan() == ("10.0.0.4",)


def test_a_refusal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    fake(monkeypatch, {}, {}).net_if_addrs = refuse
    with pytest.raises(Unavailable, match="Permission denied") as caught:
        collect(TARGET)
    assert caught.value.missing.state is State.DENIED


def test_a_machine_without_psutil_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(Unavailable, match="psutil cannot be loaded") as caught:
        collect(TARGET)
    assert caught.value.missing.settle is not None


def test_what_a_phone_could_use() -> None:
    found = Interfaces(
        addresses=(
            address("127.0.0.1", "lo"),
            address("172.17.0.1", "docker0"),
            address("169.254.3.4"),
            address("192.168.1.20"),
            address("192.168.1.21", "wlan0", up=False),
            address("fd00::2", family="ipv6"),
            address("192.168.1.20", "eth0.5"),
        )
    )
    assert found.lan() == ("192.168.1.20", "172.17.0.1")


def test_a_machine_with_loopback_alone_offers_nothing() -> None:
    assert Interfaces(addresses=(address("127.0.0.1", "lo"),)).lan() == ()
