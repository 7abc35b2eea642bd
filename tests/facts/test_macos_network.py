"""What macOS says of its firewall, in the wordings of several releases."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgedoctor.fact import Unavailable
from forgedoctor.facts import _macos, macos_network
from forgedoctor.facts._macos import MacApp
from forgedoctor.facts.macos_network import collect, collect_client
from forgedoctor.facts.packages import Packages
from forgedoctor.target import Target

BREW = "/opt/homebrew/Cellar/python@3.10/3.10.14/Frameworks/Python.framework/Versions/3.10"
TWO_LINES = f"ALF: total number of apps = 2 \n\n1 :  /usr/libexec/bootpd \n \t ( Allow incoming connections ) \n\n2 :  {BREW}/Resources/Python.app \n \t ( Block incoming connections ) \n"
ONE_LINE = "ALF: total number of apps = 2\n1 : /Applications/My Server.app ( Allow incoming connections )\n2 : /usr/local/bin/bar ( Block incoming connections )\n"
LSOF = """COMMAND     PID      USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME
ControlCe  2041 mia   10u  IPv4 0x30ac4cc753b498e2      0t0  TCP *:7000 (LISTEN)
ControlCe  2041 mia   11u  IPv6 0xe387c6dda7b1b0ef      0t0  TCP *:7000 (LISTEN)
ControlCe  2041 mia   12u  IPv4 0xd3a15ed0808707cc      0t0  TCP *:5000 (LISTEN)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Firewall is disabled. (State = 0)\n", 0),
        ("Firewall is enabled. (State = 1)\n", 1),
        ("Firewall is blocking all non-essential connections. (State = 2)", 2),
        ("Firewall is enabled. (State=1)", 1),
        ("", None),
        ("The firewall is managed.", None),
    ],
)
def test_the_state_is_its_number_whatever_the_words(text: str, expected: int | None) -> None:
    assert _macos.state(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Firewall has block all state set to disabled.\n", False),
        ("Firewall has block all state set to enabled.\n", True),
        ("Block all DISABLED! \n", False),
        ("Block all ENABLED! \n", True),
        ("Firewall stealth mode is on\n", True),
        ("Stealth mode disabled", False),
        ("", None),
        ("usage: socketfilterfw [-c] [-w]", None),
        ("on or off?", None),
    ],
)
def test_a_switch_is_on_or_off_or_not_told(text: str, expected: bool | None) -> None:
    assert _macos.switched(text) is expected


def test_signed_software_of_both_kinds() -> None:
    text = "Automatically allow built-in signed software ENABLED. \nAutomatically allow downloaded signed software DISABLED."
    assert _macos.signed(text) == (True, False)
    assert _macos.signed("") == (None, None)


def test_the_list_is_read_in_one_line_and_in_two() -> None:
    assert _macos.apps(TWO_LINES) == (
        MacApp(path="/usr/libexec/bootpd", allowed=True),
        MacApp(path=f"{BREW}/Resources/Python.app", allowed=False),
    )
    assert _macos.apps(ONE_LINE) == (
        MacApp(path="/Applications/My Server.app", allowed=True),
        MacApp(path="/usr/local/bin/bar", allowed=False),
    )


def test_an_empty_list_is_not_the_same_as_none() -> None:
    assert _macos.apps("ALF: total number of apps = 0 \n") == ()
    assert _macos.apps("") is None
    assert _macos.apps("socketfilterfw: command not found") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Incoming connection to the application is permitted", "allow"),
        ("Incoming connection to the application is blocked", "block"),
        ("The application /opt/homebrew/bin/python3.10 is blocked", "block"),
        ("The application /opt/homebrew/bin/python3.10 is not part of the firewall", "unlisted"),
        ("The file path you specified does not exist", ""),
        ("", ""),
    ],
)
def test_what_is_said_of_one_program(text: str, expected: str) -> None:
    assert _macos.listed(text) == expected


def test_airplay_holds_only_what_control_center_holds() -> None:
    assert _macos.airplay(LSOF) == (5000, 7000)
    assert _macos.airplay(LSOF.replace("ControlCe", "Python   ")) == ()
    assert _macos.airplay("") == ()


def test_the_remarks_of_pfctl_are_no_rules() -> None:
    text = 'No ALTQ support in kernel\nALTQ related functions disabled\nscrub-anchor "com.apple/*" all fragment reassemble\nanchor "com.apple/*" all\n'
    assert _macos.pf_rules(text) == ('scrub-anchor "com.apple/*" all fragment reassemble', 'anchor "com.apple/*" all')


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (f"{BREW}/bin/python3.10", f"{BREW}/Resources/Python.app"),
        (f"{BREW}/Resources/Python.app/Contents/MacOS/Python", f"{BREW}/Resources/Python.app"),
        ("/Users/mia/.pyenv/versions/3.10.14/bin/python3.10", "/Users/mia/.pyenv/versions/3.10.14/bin/python3.10"),
        (
            "/opt/homebrew/Caskroom/miniforge/base/bin/python3.10",
            "/opt/homebrew/Caskroom/miniforge/base/bin/python3.10",
        ),
    ],
)
def test_a_framework_python_is_known_by_its_bundle(program: str, expected: str) -> None:
    assert _macos.bundle(program) == expected


@pytest.mark.skipif(sys.platform == "darwin", reason="says what other systems answer")
def test_elsewhere_nobody_looks() -> None:
    for look in (lambda: collect(Target(scope="live"), None, None), lambda: collect_client(Target(scope="endpoint"))):
        with pytest.raises(Unavailable) as refused:
            look()
        assert refused.value.missing.sought is False


@pytest.mark.skipif(sys.platform != "darwin", reason="asks a Mac's own firewall")
def test_this_mac_tells_its_state() -> None:
    found = collect(Target(scope="live"), None, None)
    assert found.release and found.state in (0, 1, 2)
    assert found.airplay is not None


FIREWALL = """#!/bin/sh
case "$1" in
--getglobalstate) echo "Firewall is enabled. (State = 1)";;
--getblockall) echo "Firewall has block all state set to disabled.";;
--getstealthmode) echo "Firewall stealth mode is on";;
--getallowsigned) echo "Automatically allow built-in signed software ENABLED."; echo "Automatically allow downloaded signed software DISABLED.";;
--listapps) printf 'ALF: total number of apps = 1\\n\\n1 : %s \\n\\t ( Block incoming connections )\\n' "$PY";;
--getappblocked) [ "$2" = "$PY" ] && echo "The application $2 is blocked";;
*) echo "asked to change something: $*" >> "$0.log"; exit 1;;
esac
"""


@pytest.mark.skipif(sys.platform == "win32", reason="starts a shell script in the place of socketfilterfw")
def test_every_question_is_put_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, venv, script = tmp_path / "real" / "python3.10", tmp_path / "venv", tmp_path / "socketfilterfw"
    for folder in (real.parent, venv / "bin"):
        folder.mkdir(parents=True)
    real.write_text("")
    (venv / "bin" / "python").symlink_to(real)
    script.write_text(FIREWALL)
    script.chmod(0o755)
    monkeypatch.setattr(macos_network, "SOCKETFILTERFW", str(script))
    monkeypatch.setattr(macos_network, "_only_here", lambda: None)
    monkeypatch.setenv("PY", str(real.resolve()))
    found = collect(Target(scope="live"), None, Packages(venv=str(venv)))
    assert (found.state, found.block_all, found.stealth) == (1, False, True)
    assert (found.allow_builtin, found.allow_downloaded) == (True, False)
    assert found.apps == (MacApp(path=str(real.resolve()), allowed=False),)
    assert (found.python, found.python_listed) == (str(real.resolve()), "block")
    assert not Path(f"{script}.log").exists()
