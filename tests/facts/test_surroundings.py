"""Where a machine stands: marks of clouds, kinds of addresses, default routes; nothing is sent to find out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forgedoctor.facts import _surroundings, surroundings
from forgedoctor.facts.interfaces import Address, Interfaces
from tests.forge_like import ROOT

ROUTES = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0108A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	0104A8C0	0003	0	0	100	00000000	0	0	0
eth0	0004A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
tun0	00000000	00000000	0000	0	0	50	00000000	0	0	0
tun1	00000000	00000000	0001	0	0	0	00000080	0	0	0
"""
NETSTAT = "TcpExt: SyncookiesSent IPReversePathFilter ListenDrops\nTcpExt: 0 412 3\nIpExt: InNoRoutes\nIpExt: 7\n"


@pytest.mark.parametrize(
    ("dmi", "expected"),
    [
        ({"sys_vendor": "Amazon EC2", "product_name": "g4dn.xlarge"}, "Amazon EC2"),
        ({"sys_vendor": "Xen", "product_name": "HVM domU", "bios_version": "4.11.amazon"}, "Amazon EC2"),
        ({"sys_vendor": "Google", "product_name": "Google Compute Engine"}, "Google Cloud"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine", "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}, "Microsoft Azure"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine", "chassis_asset_tag": "1234"}, ""),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Surface Laptop"}, ""),
        ({"sys_vendor": "DigitalOcean", "product_name": "Droplet"}, "DigitalOcean"),
        ({"sys_vendor": "Hetzner", "product_name": "vServer"}, "Hetzner"),
        ({"sys_vendor": "Alibaba Cloud", "product_name": "Alibaba Cloud ECS"}, "Alibaba Cloud"),
        ({"sys_vendor": "Tencent Cloud", "product_name": "CVM"}, "Tencent Cloud"),
        ({"sys_vendor": "OpenStack Foundation", "product_name": "OpenStack Nova"}, "OpenStack"),
        ({"sys_vendor": "ASUS", "product_name": "System Product Name"}, ""),
        ({"sys_vendor": "Google", "product_name": "Caroline"}, ""),
        ({"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_mark_of_a_cloud(dmi: dict[str, str], expected: str) -> None:
    vendor, because = _surroundings.cloud(dmi)
    assert vendor == expected
    assert bool(because) == bool(expected)


@pytest.mark.parametrize(
    ("address", "interface", "expected"),
    [
        ("192.168.4.20", "eth0", "private"),
        ("172.31.20.5", "ens5", "private"),
        ("172.32.0.1", "ens5", "public"),
        ("10.8.0.2", "tun0", "private"),
        ("100.101.5.6", "tailscale0", "tailscale"),
        ("100.101.5.6", "utun4", "tailscale"),
        ("100.64.3.9", "ppp0", "cgnat"),
        ("169.254.7.7", "eth0", "link-local"),
        ("8.8.4.4", "eth0", "public"),
        ("fd7a:115c:a1e0::1", "tailscale0", "tailscale"),
        ("fd00::2", "eth0", "private"),
        ("fe80::1", "eth0", "link-local"),
        ("2a01:4f8::1", "eth0", "public"),
        ("192.0.2.2", "eth0", "other"),
        ("rubbish", "eth0", "other"),
    ],
)
def test_the_kind_of_an_address(address: str, interface: str, expected: str) -> None:
    assert _surroundings.kind_of(address, interface) == expected


def test_default_routes_are_those_that_are_up_the_best_first() -> None:
    found = _surroundings.default_routes(ROUTES)
    assert [(one.interface, one.gateway) for one in found] == [("eth0", "192.168.4.1"), ("wlan0", "192.168.8.1")]
    assert _surroundings.default_routes("") == () and _surroundings.default_routes("x\na b c d e f g 00000000") == ()


def test_a_counter_is_found_by_its_name() -> None:
    assert _surroundings.counter(NETSTAT, "IPReversePathFilter") == 412
    assert _surroundings.counter(NETSTAT, "InNoRoutes") == 7
    assert _surroundings.counter(NETSTAT, "Missing") is None and _surroundings.counter("", "InNoRoutes") is None


def test_a_rented_container_is_known_by_the_name_of_a_variable() -> None:
    env = {
        "VAST_CONTAINERLABEL": "C.1",
        "VAST_TCP_PORT_7860": "40123",
        "VAST_TCP_PORT_72299": "1",
        "VAST_TCP_PORT_22": "",
    }
    assert _surroundings.platform(env) == ("Vast.ai", "VAST_CONTAINERLABEL")
    assert _surroundings.mapped(env) == ((7860, 40123),)
    assert _surroundings.platform({"PATH": "/bin"}) == ("", "")


def put(root: Path, **files: str) -> None:
    """Files below a root folder (``__`` in a name is a slash)."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_laptop_with_cable_and_wifi(tmp_path: Path) -> None:
    put(
        tmp_path,
        proc__net__route=ROUTES,
        proc__net__netstat=NETSTAT,
        proc__sys__net__ipv4__conf__all__rp_filter="1\n",
        proc__sys__net__ipv4__conf__eth0__rp_filter="0\n",
        proc__sys__net__ipv4__conf__wlan0__rp_filter="2\n",
        sys__class__net__eth0__device__vendor="",
        sys__class__net__wlan0__wireless__x="",
        sys__class__dmi__id__sys_vendor="LENOVO\n",
    )
    own = (
        Address(address="192.168.4.20", family="ipv4", interface="eth0", loopback=False, up=True),
        Address(address="127.0.0.1", family="ipv4", interface="lo", loopback=True, up=True),
        Address(address="10.1.1.1", family="ipv4", interface="eth9", loopback=False, up=False),
    )
    found = surroundings.look(tmp_path, Interfaces(addresses=own))
    assert [(one.interface, one.kind) for one in found.uplinks] == [("eth0", "wired"), ("wlan0", "wifi")]
    assert found.reverse_path == {"eth0": 1, "wlan0": 2}
    assert found.reverse_path_drops == 412
    assert [one.address for one in found.placed] == ["192.168.4.20"] and found.kinds() == {"private"}
    assert found.cloud == ""


def test_nothing_is_known_and_nothing_fails_on_another_system(tmp_path: Path) -> None:
    for found in (surroundings.look(None, None), surroundings.look(tmp_path, None)):
        assert (found.cloud, found.uplinks, found.reverse_path, found.reverse_path_drops) == ("", (), {}, None)


LOOK = """
import json, msgspec
from forgedoctor.facts import interfaces, surroundings
from forgedoctor.target import Target
target = Target(scope="live")
print(json.dumps(msgspec.to_builtins(surroundings.collect(target, interfaces.collect(target)))))
"""
SETUP = """
set -e
ip link set lo up
for n in 0 1; do
  ip link add eth$n type veth peer name far$n; ip link set eth$n up; ip link set far$n up
  ip addr add 192.168.5$n.10/24 dev eth$n; ip route add default via 192.168.5$n.1 dev eth$n metric $((n * 100 + 100))
done
echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter; echo 1 > /proc/sys/net/ipv4/conf/eth1/rp_filter
"""


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"), reason="needs a network namespace")  # fmt: skip
def test_two_uplinks_in_a_namespace_of_their_own(tmp_path: Path) -> None:
    script = tmp_path / "look.py"
    script.write_text(LOOK, encoding="utf-8")
    words = ["unshare", "-rn", "sh", "-c", f'{SETUP}\nexec "$0" "$1"', sys.executable, str(script)]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    if done.returncode and "Operation not permitted" in done.stderr:
        pytest.skip("namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["interface"], one["gateway"]) for one in found["uplinks"]] == [("eth0", "192.168.50.1"), ("eth1", "192.168.51.1")]  # fmt: skip
    assert found["reverse_path"] == {"eth0": 0, "eth1": 1}
    assert {one["address"] for one in found["placed"] if one["kind"] == "private"} == {"192.168.50.10", "192.168.51.10"}
