"""The WindowsNetwork fact: what PowerShell, netsh and the registry tell becomes one, and what is missing says why."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forgedoctor.fact import State, Unavailable
from forgedoctor.facts import ForgeProcess, Launch, Packages, Processes, _windows_powershell
from forgedoctor.facts._windows_collect import combined
from forgedoctor.facts._windows_powershell import PARTS, SCRIPT, Answer, ask, parse_answer
from forgedoctor.facts._windows_programs import programs
from forgedoctor.facts._windows_registry import Registry
from forgedoctor.facts._windows_rules import FILTERS
from forgedoctor.facts.windows_network import (
    FirewallProfile,
    FirewallRule,
    Gap,
    PortProxy,
    WindowsNetwork,
    collect,
)
from forgedoctor.forge.predict import predict
from forgedoctor.message import t
from forgedoctor.target import Target

NOTHING = Registry(None, None, None)
BY_REGISTRY = Registry(
    (FirewallProfile(name="public", on=True, inbound="block"),),
    (FirewallRule(id="r", action="allow"),),
    (PortProxy(listen="0.0.0.0", port=7860, connect="172.20.0.2", connect_port=7860),),
)
RULE = {"InstanceID": "p", "DisplayName": "Forge", "Enabled": 1, "Direction": 1, "Action": 4, "Profiles": 4}
COMPLETE: dict[str, list[Any]] = {
    "networks": [{"InterfaceAlias": "Wi-Fi", "NetworkCategory": 0}],
    "profiles": [{"Name": "Public", "Enabled": 0, "DefaultInboundAction": 4}],
    "products": [],
    "rules": [RULE],
    **{name: [{"InstanceID": "p"}] for name in FILTERS},
}


def line(part: str, data: Any) -> str:
    return json.dumps({"part": part, "data": data})


@pytest.mark.skipif(sys.platform == "win32", reason="says what other systems say")
def test_other_systems_have_none_and_nobody_looked() -> None:
    with pytest.raises(Unavailable) as why:
        collect(Target(scope="live"), None, None, None)
    assert not why.value.missing.sought


@pytest.mark.skipif(sys.platform != "win32", reason="reads this Windows")
def test_this_windows_is_read() -> None:
    network = collect(Target(scope="live"), None, None, None)
    assert network.rules and network.profiles
    assert msgspec.convert(msgspec.to_builtins(network), WindowsNetwork) == network


def test_powershells_word_comes_first() -> None:
    network = combined(Answer(COMPLETE, ()), BY_REGISTRY, {}, {})
    assert network.profiles and network.profiles[0].on is False
    assert network.rules and [one.id for one in network.rules] == ["p"]
    assert network.networks and network.networks[0].category == "public"
    assert network.products == () and network.proxies


@pytest.mark.parametrize("missing", ["rules", "ports", "applications", "security"])
def test_the_registry_stands_in_where_rules_are_not_whole(missing: str) -> None:
    parts = {part: data for part, data in COMPLETE.items() if part != missing}
    network = combined(Answer(parts, ()), BY_REGISTRY, {}, {})
    assert network.rules and [one.id for one in network.rules] == ["r"]
    alone = combined(Answer(parts, ()), NOTHING, {}, {})
    if missing == "rules":
        assert alone.rules is None and alone.why_missing("rules")
    else:
        assert alone.rules and missing in alone.rules[0].unread


def test_refused_everywhere_is_unknown_and_says_why() -> None:
    gap = Gap(part="rules", state=State.DENIED, why=t("Windows does not let this user read it: {why}", why="x"))
    network = combined(Answer({}, (gap,)), NOTHING, dict.fromkeys(("reserved", "dynamic", "proxies")), {})
    assert network.rules is None and network.profiles is None and network.reserved is None and network.proxies is None
    assert "does not let this user" in str(network.why_missing("rules"))
    assert {one.part for one in network.gaps} >= {"rules", "profiles", "networks", "products", "reserved", "dynamic"}
    assert msgspec.convert(msgspec.to_builtins(network), WindowsNetwork) == network


def test_netsh_fills_what_it_tells() -> None:
    said = {
        "reserved": "---- ----\n  7776   7875\n",
        "dynamic": "x : 1024\ny : 13977\n",
        "proxies": "0.0.0.0 7860 172.20.0.2 7860\n",
    }
    network = combined(Answer({}, ()), NOTHING, said, {})
    assert network.reservation(7860) and network.dynamic and network.dynamic.holds(7860)
    assert network.proxies and network.proxies[0].port == 7860
    empty = combined(Answer({}, ()), NOTHING, {"reserved": "", "proxies": ""}, {})
    assert empty.reserved == () and empty.proxies == ()


def test_no_rules_at_all_is_no_answer() -> None:
    network = combined(Answer(COMPLETE | {"rules": []}, ()), NOTHING, {}, {})
    assert network.rules is None, "every Windows has rules: an empty list means that they were hidden"


def test_an_answer_is_read_part_by_part_whatever_stands_between() -> None:
    said = "\n".join([
        "\ufeff" + line("networks", [{"InterfaceAlias": "\u4ee5\u592a\u7f51", "NetworkCategory": 1}]),
        "WARNING: something",
        line("unheard", []),
        "{broken",
        json.dumps({"part": "rules", "error": "Zugriff verweigert\nmore", "id": "Windows System Error 5,Get-NetFirewallRule", "kind": "PermissionDenied"}),
        json.dumps({"part": "products", "error": "Ung\u00fcltiger Namespace", "id": "HRESULT 0x8004100e,Get-CimInstance", "kind": "ObjectNotFound"}),
        line("ports", None)[:-3],
    ])  # fmt: skip
    answer = parse_answer(said)
    assert list(answer.parts) == ["networks"]
    assert {gap.part: gap.state for gap in answer.gaps} == {"rules": State.DENIED, "products": State.ABSENT}
    assert "more" not in str(answer.gaps[0].why)


def script(tmp_path: Path, text: str) -> str:
    """A program in PowerShell's place, which is given the same arguments."""
    path = tmp_path / "powershell.exe"
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@needs_sh
def test_what_was_said_before_the_time_was_over_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = line("networks", [{"InterfaceAlias": "Wi-Fi", "NetworkCategory": 0}])
    program = script(tmp_path, f'echo \'{said}\'\nprintf \'{{"part": "rules", "da\'\nexec sleep 60\n')
    monkeypatch.setattr(_windows_powershell, "find", lambda environment: program)
    answer = ask(1.0)
    assert list(answer.parts) == ["networks"]
    assert {gap.state for gap in answer.gaps} == {State.TIMEOUT}
    assert {gap.part for gap in answer.gaps} == set(PARTS) - {"networks"}


@needs_sh
@pytest.mark.parametrize(
    "text", ["exit 1\n", "echo not json; exit 0\n", "head -c 3000000 /dev/urandom\n", "echo '[[[['\n"]
)
def test_a_powershell_that_says_nothing_useful_leaves_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    program = script(tmp_path, text)
    monkeypatch.setattr(_windows_powershell, "find", lambda environment: program)
    answer = ask(20.0)
    assert answer.parts == {} and {gap.part for gap in answer.gaps} == set(PARTS)


@needs_sh
def test_the_whole_script_arrives_as_one_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    program = script(tmp_path, f'printf "%s" "$5" > {kept}\n')
    monkeypatch.setattr(_windows_powershell, "find", lambda environment: program)
    ask(20.0)
    assert kept.read_text(encoding="utf-8") == SCRIPT.rstrip("\n") or kept.read_text(encoding="utf-8") == SCRIPT


@needs_sh
def test_no_powershell_and_one_that_may_not_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_windows_powershell, "find", lambda environment: "")
    assert {gap.state for gap in ask(1.0).gaps} == {State.ABSENT}
    monkeypatch.setattr(_windows_powershell, "find", lambda environment: str(tmp_path))
    assert {gap.state for gap in ask(1.0).gaps} == {State.DENIED}


def test_the_script_only_reads_and_asks_each_part_by_itself() -> None:
    verbs = set(re.findall(r"\b([A-Z][a-z]+)-[A-Z]\w+", SCRIPT))
    assert verbs <= {"Get", "Select", "ConvertTo", "Write"}
    assert set(FILTERS) | {"networks", "profiles", "products", "rules"} == set(PARTS)
    assert '"' not in SCRIPT, "it is one quoted argument on a command line of Windows"
    assert SCRIPT.isascii()
    outside_strings = re.sub(r"'[^']*'", "''", SCRIPT)
    for opening, closing in ("{}", "()", "[]"):
        assert outside_strings.count(opening) == outside_strings.count(closing)
    assert SCRIPT.count("'") % 2 == 0
    assert SCRIPT.index("part networks") < SCRIPT.index("part rules"), "what is quick comes first"


def test_the_script_escapes_what_is_not_ascii_as_json_does() -> None:
    found = re.search(r"\[regex\]::Replace\(\$j, '(.+?)', \{ param\(\$m\) '(.+?)' -f", SCRIPT)
    assert found
    plain = json.dumps({"a": "C:\\用户\\python.exe \U0001f600"}, ensure_ascii=False)
    units = re.sub(
        r"[^\x00-\uffff]", lambda m: "".join(map(chr, memoryview(m[0].encode("utf-16-le")).cast("H"))), plain
    )
    escaped = re.sub(found[1], lambda m: found[2].replace("{0:x4}", f"{ord(m[0]):04x}"), units)
    assert escaped.isascii() and json.loads(escaped) == json.loads(plain)


def launch(running: bool) -> Launch:
    return Launch(effective=predict("forge", ["--listen"], {}), running=running, pid=7 if running else None)


def test_a_running_forge_is_its_own_program() -> None:
    forge = ForgeProcess(pid=7, python=r"C:\Python310\python.exe", ports=(("0.0.0.0", 7860),))
    assert programs(launch(True), Processes(forges=(forge,)), None) == (r"C:\Python310\python.exe",)
    assert programs(launch(False), Processes(forges=()), None) == ()


@pytest.mark.parametrize(
    ("config", "base"),
    [
        ("home = {base}\nversion = 3.10.6\n", "{base}/python.exe"),
        ("home = {base}\nexecutable = {base}/py/python.exe\n", "{base}/py/python.exe"),
        ("home = {base}\nbase-executable = {base}/b.exe\nexecutable = {base}/e.exe\n", "{base}/b.exe"),
    ],
)
def test_before_the_launch_the_interpreter_under_the_venv_comes_first(tmp_path: Path, config: str, base: str) -> None:
    venv = tmp_path / "venv"
    (venv / "Scripts").mkdir(parents=True)
    (venv / "Scripts" / "python.exe").touch()
    (venv / "pyvenv.cfg").write_text(config.format(base=tmp_path), encoding="utf-8")
    found = programs(launch(False), None, Packages(venv=str(venv)))
    assert [Path(one) for one in found] == [Path(base.format(base=tmp_path)), venv / "Scripts" / "python.exe"]


def test_an_embedded_python_is_its_own_program(tmp_path: Path) -> None:
    (tmp_path / "python.exe").touch()
    assert programs(launch(False), None, Packages(venv=str(tmp_path))) == (str(tmp_path / "python.exe"),)
