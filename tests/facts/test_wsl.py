"""WSL from inside: the kernel's name, wslinfo, .wslconfig, and the tables of Windows in several languages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.fact import Unavailable
from forgedoctor.facts import _wsl, wsl
from forgedoctor.facts._wsl import HyperVRule, PortProxy
from forgedoctor.facts.host import Host
from forgedoctor.target import Target

SETTING = """
Name                  : {40E0AC32-46A5-438A-A0B2-2B479E8F2E90}
Enabled               : True
DefaultInboundAction  : Block
DefaultOutboundAction : Allow
LoopbackEnabled       : True
AllowHostPolicyMerge  : True

"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Linux version 6.6.87.2-microsoft-standard-WSL2 (root@a1b2c3) (gcc 11.2.0) #1 SMP", 2),
        ("Linux version 5.15.0-microsoft-custom (me@pc) #1 SMP", 2),
        ("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0) #1-Microsoft", 1),
        ("Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)", 0),
        ("", 0),
    ],
)
def test_the_version_is_in_the_kernels_name(text: str, expected: int) -> None:
    assert _wsl.version(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("nat\n", "nat"), ("Mirrored\r\n", "mirrored"), ("wsl1", "wsl1"), ("wslinfo: unknown option", ""), ("", "")],
)
def test_the_mode_in_force(text: str, expected: str) -> None:
    assert _wsl.mode(text) == expected


def test_what_is_wished_is_read_with_its_section() -> None:
    old = _wsl.wished("[wsl2]\r\nmemory=8G\r\n[experimental]\r\nsparseVhd=true\r\nNetworkingMode = Mirrored # try\r\n")
    assert (old.mode, old.section, old.localhost_forwarding) == ("mirrored", "experimental", None)
    new = _wsl.wished("\ufeff[WSL2]\nnetworkingMode=mirrored\nlocalhostForwarding=false\n")
    assert (new.mode, new.section, new.localhost_forwarding) == ("mirrored", "wsl2", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "networkingMode=mirrored\n",
        "[wsl2]\n# networkingMode=mirrored\n",
        "[user]\nnetworkingMode=mirrored\n",
        "\x00\xff[[",
    ],
)
def test_what_is_not_said_is_not_wished(text: str) -> None:
    assert _wsl.wished(text).mode == ""


def test_portproxy_needs_no_words() -> None:
    english = "\r\nListen on ipv4:             Connect to ipv4:\r\n\r\nAddress         Port        Address         Port\r\n--------------- ----------  --------------- ----------\r\n0.0.0.0         7860        172.23.21.232   7860\r\n*               8080        localhost       8188\r\n"
    chinese = "\n侦听 ipv4:                 连接到 ipv4:\n\n地址            端口        地址            端口\n--------------- ----------  --------------- ----------\n0.0.0.0         7860        172.23.21.232   7860\n"
    first = PortProxy(listen_address="0.0.0.0", listen_port=7860, connect_address="172.23.21.232", connect_port=7860)
    second = PortProxy(listen_address="*", listen_port=8080, connect_address="localhost", connect_port=8188)
    assert _wsl.portproxy(english) == (first, second)
    assert _wsl.portproxy(chinese) == (first,)
    assert _wsl.portproxy("\r\n") == ()


def test_the_setting_of_the_hyperv_firewall_as_a_list_and_as_json() -> None:
    listed = _wsl.hyperv_setting(SETTING)
    assert listed and (listed.enabled, listed.inbound, listed.merged, listed.rules) == (True, "block", True, None)
    numbers = json.dumps({"Enabled": 1, "DefaultInboundAction": 2, "AllowHostPolicyMerge": 2})
    counted = _wsl.hyperv_setting(numbers)
    assert counted and (counted.enabled, counted.inbound, counted.merged) == (True, "allow", False)
    unset = _wsl.hyperv_setting(SETTING.replace("Block", "NotConfigured"))
    assert unset and unset.inbound == ""
    assert _wsl.hyperv_setting("Get-NetFirewallHyperVVMSetting : The term is not recognized") is None


def test_rules_of_the_hyperv_firewall_in_words_and_in_numbers() -> None:
    rows = [
        {"Name": "a", "DisplayName": "Forge", "Direction": "Inbound", "Protocol": "TCP", "Action": "Allow", "Enabled": "True", "LocalPorts": ["7860", "9000-9100"]},
        {"Name": "b", "Direction": 1, "Protocol": "6", "Action": 4, "Enabled": 1, "LocalPorts": "Any"},
        {"Name": "c", "Direction": "Inbound", "Protocol": "UDP", "Action": "Allow", "Enabled": "True", "LocalPorts": []},
        {"Name": "d", "Direction": "Outbound", "Protocol": "TCP", "Action": "Allow", "Enabled": "True"},
        {"Name": "e", "Direction": "Inbound", "Protocol": "TCP", "Action": "Allow", "Enabled": "False"},
    ]  # fmt: skip
    found = _wsl.hyperv_rules(json.dumps(rows))
    assert found == (
        HyperVRule(name="Forge", allow=True, ports=("7860", "9000-9100")),
        HyperVRule(name="b", allow=False, ports=("Any",)),
    )
    assert [one.covers(9050) for one in found] == [True, True]
    assert not HyperVRule(name="", allow=True, ports=("RPC", "80")).covers(7860)
    assert _wsl.hyperv_rules("[]") == () and _wsl.hyperv_rules("no json") is None
    assert _wsl.hyperv_rules(json.dumps(rows[0])) == found[:1]


@given(st.text(max_size=300))
def test_no_text_breaks_a_reader(text: str) -> None:
    _wsl.wished(text), _wsl.portproxy(text), _wsl.hyperv_setting(text), _wsl.hyperv_rules(text), _wsl.version(text)
    wsl.windows_drive(text)


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("C:\\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\\;uid=1000 0 0", "/mnt/c"),
        ("drvfs /c 9p rw,relatime,dirsync,aname=drvfs;path=C:\\;symlinkroot=/ 0 0", "/c"),
        ("D:\\134 /mnt/d 9p rw,aname=drvfs;path=D:\\ 0 0", None),
        ("/dev/sdc / ext4 rw 0 0\nC: /mnt/c ext4 rw 0 0", None),
        ("", None),
    ],
)
def test_the_drive_of_windows(mounts: str, expected: str | None) -> None:
    found = wsl.windows_drive(mounts)
    assert (found.as_posix() if found else None) == expected


def test_of_two_wslconfigs_neither_is_guessed(tmp_path: Path) -> None:
    mine = tmp_path / "Users" / "mia" / ".wslconfig"
    mine.parent.mkdir(parents=True)
    mine.write_text("[wsl2]\nnetworkingMode=mirrored\n")
    assert wsl._wished(tmp_path)[0].mode == "mirrored"
    other = tmp_path / "Users" / "tom" / ".wslconfig"
    other.parent.mkdir()
    other.write_text("[wsl2]\n")
    assert wsl._wished(tmp_path) == (_wsl.Wished(), "")
    assert wsl._wished(tmp_path / "nowhere") == (_wsl.Wished(), "")


@pytest.mark.parametrize("host", [Host(system="linux"), Host(system="linux", wsl=True, container="docker")])
def test_elsewhere_nobody_looks(host: Host) -> None:
    """A container of Docker Desktop has the kernel of WSL, and a network of its own."""
    with pytest.raises(Unavailable) as refused:
        wsl.collect(Target(scope="live"), host, None)
    assert refused.value.missing.sought is False


def program(path: Path, body: str) -> Path:
    """A program of Windows as interop shows it: something that can be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


posix = pytest.mark.skipif(sys.platform == "win32", reason="starts a shell script in the place of netsh.exe")


@posix
def test_windows_is_asked_through_interop(tmp_path: Path) -> None:
    table = "0.0.0.0         7860        172.23.21.232   7860"
    asked = f'[ "$*" = "interface portproxy show all" ] || exit 9\nprintf "\\r\\n{table}\\r\\n"'
    program(tmp_path / "Windows/System32/netsh.exe", asked)
    assert [one.connect_address for one in wsl._portproxy(tmp_path) or ()] == ["172.23.21.232"]


@posix
def test_without_interop_nothing_is_known_rather_than_nothing_there(tmp_path: Path) -> None:
    assert wsl._portproxy(tmp_path) is None
    program(tmp_path / "Windows/System32/netsh.exe", "exit 1")
    assert wsl._portproxy(tmp_path) is None
    assert wsl._hyperv(tmp_path) is None


@posix
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('echo \'[{"Name":"a","Direction":"Inbound","Protocol":"TCP","Action":"Allow","LocalPorts":["7860"]}]\'', 1),
        ("echo '[]'", 0),
        ("echo '[]'; echo 'Get-NetFirewallHyperVRule : Access is denied.' >&2", None),
        ("exit 1", None),
    ],
)
def test_rules_that_were_refused_are_not_taken_for_none(tmp_path: Path, rules: str, expected: int | None) -> None:
    program(tmp_path / wsl._POWERSHELL, f"cat <<'END'\n{SETTING}\nEND\necho '#rules'\n{rules}")
    found = wsl._hyperv(tmp_path)
    assert found and found.inbound == "block"
    assert (None if found.rules is None else len(found.rules)) == expected
