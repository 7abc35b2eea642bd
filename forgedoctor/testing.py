"""Cases for checks, as files: what makes a check fire and what leaves it quiet. For our tests and for plugins'.

A case file is JSON::

    {
      "about": "one sentence: why this must fire, or must not",
      "given": {
        "argv": "--api --port 80",             a command line for launch.py (a string as a shell reads it, or a list)
        "env": {"COMMANDLINE_ARGS": "--api"},  variables of the launch
        "fork": "forge",                       whose parser (default forge)
        "running": 4242,                       this launch runs, as that pid
        "files": {"webui-user.bat": "..."},    launcher files that this system reads
        "unread": {"webui-user.sh": "..."},    launcher files that it does not
        "text": "...",                         or: a pasted text, from which all facts are read
        "os": "windows"
      },
      "facts": {"host": {"system": "linux", "low_port": 1024}, "sockets": {...}},   facts as they are
      "expect": {"contains": "port 80", "severity": "error"}                        of the first finding; optional
    }

``fires_*.json`` must give at least one finding, ``quiet_*.json`` none; ``log_*.txt`` is a pasted text that must fire.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from forgedoctor import engine, facts
from forgedoctor.case import Case
from forgedoctor.check import Check, Finding
from forgedoctor.fact import Fact, name_of
from forgedoctor.facts import Host, Launch, LaunchFiles
from forgedoctor.facts.launch import place_of
from forgedoctor.forge.predict import predict
from forgedoctor.forge.scripts import final, read_script
from forgedoctor.outcome import Outcome
from forgedoctor.target import Target

TYPES: dict[str, type[Fact]] = {
    name_of(kind): kind
    for kind in vars(facts).values()
    if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact
}


def read(path: Path) -> dict[str, Any]:
    """A case file's content; a ``log_*.txt`` is a case of pasted text."""
    if path.suffix == ".txt":
        return {"given": {"text": path.read_text(encoding="utf-8")}}
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def case_of(data: dict[str, Any], check: Check | None = None) -> Case:
    """The case that a file describes. Raises ValueError on a fact that does not fit its type."""
    given = data.get("given", {})
    case = Case.load(data.get("facts", {}), TYPES)
    if "os" in given and case.get(Host) is None:
        case.put(Host, Host(system=given["os"]))
    if "text" in given:
        target = Target(
            scope="text", texts=(("", given["text"]),), fork=given.get("fork", ""), system=given.get("os", "")
        )
        engine.Collection(target, case, lambda name: None).gather(
            [need.fact for way in ([check, *check.ways] if check else []) for need in way.needs]
        )
    if "files" in given:
        case.put(LaunchFiles, _files(given))
    if "argv" in given or "env" in given or "files" in given:
        case.put(Launch, _launch(given, case.get(LaunchFiles)))
    return case


def _files(given: dict[str, Any]) -> LaunchFiles:
    scripts = tuple(read_script(name, text.encode("utf-8")) for name, text in given["files"].items())
    unread = tuple(read_script(name, text.encode("utf-8")) for name, text in given.get("unread", {}).items())
    return LaunchFiles(source="case", scripts=scripts, unread=unread, variables=final(scripts, {}))


def _launch(given: dict[str, Any], files: LaunchFiles | None) -> Launch:
    words = given.get("argv", [])
    argv = tuple(shlex.split(words) if isinstance(words, str) else words)
    env = dict(given.get("env", {}))
    if files:
        env = {name: value for name, (value, _) in files.variables.items()} | env
    return Launch(
        source="command line",
        origin="command line",
        effective=predict(given.get("fork", "forge"), argv, env),
        argv=argv,
        env=env,
        running="running" in given,
        pid=given.get("running"),
        place=place_of(files),
    )


def judged(check: Check, data: dict[str, Any]) -> Outcome:
    """The outcome of a check on a case file's content."""
    return engine.judge(check, case_of(data, check))


def problem(check: Check, path: Path) -> str:
    """What is wrong with a case, as a sentence; empty when the check does what its file name says."""
    data = read(path)
    outcome = judged(check, data)
    said = [str(one.summary) for one in outcome.findings]
    if path.name.startswith("quiet_"):
        return (
            f"must stay quiet, said {said}"
            if said
            else ""
            if outcome.status.value != "crashed"
            else str(outcome.reason)
        )
    expected = data.get("expect", {})
    if "verdict" in expected:
        answers = [f"{one.answer}: {one.summary}" for one in outcome.verdicts]
        wanted = (f"{expected['verdict']}: ", expected.get("contains", ""))
        fits = any(one.startswith(wanted[0]) and wanted[1] in one for one in answers)
        return "" if fits else f"expected the answer {wanted}, was {outcome.status.value}, answered {answers}"
    if not said:
        return f"must fire, was {outcome.status.value}: {outcome.reason or ''}"
    return _unexpected(outcome.findings[0], check, expected)


def _unexpected(first: Finding, check: Check, expect: dict[str, str]) -> str:
    severity = (first.severity or check.severity).value
    if expect.get("contains", "") not in str(first.summary):
        return f"said {str(first.summary)!r}, expected {expect['contains']!r} in it"
    if expect.get("severity", severity) != severity:
        return f"severity {severity}, expected {expect['severity']}"
    return ""
