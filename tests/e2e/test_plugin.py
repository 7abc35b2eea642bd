"""Plugins of strangers: the tutorial's is built, installed and works; bad ones hurt nobody but themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.forge_like import ROOT, doctor, folder

EXAMPLE = ROOT / "examples" / "plugin"
ID = "forge-in-synced-folder"

CHECK = '''
from forgedoctor.check import ERROR, Finding, check, t
from forgedoctor.facts import Launch

@check("{id}", severity=ERROR, group="other")
def judge(launch: Launch):
    """A stranger's check."""
    {body}
    yield Finding(t("found by {id}"))
'''
RAISES, HANGS, PRINTS = "raise RuntimeError('oh')", "import time; time.sleep(600)", "print('noise ' * 1000)"
BAD = {
    "raises_at_import": "raise RuntimeError('no luck today')",
    "leaves_at_import": "raise SystemExit(0)",
    "hangs_at_import": "import time; time.sleep(600)",
    "prints_at_import": "print('noise')\n" + CHECK.format(id="prints-at-import", body="pass"),
    "raises": CHECK.format(id="raises", body=RAISES),
    "hangs": CHECK.format(id="hangs", body=HANGS),
    "prints": CHECK.format(id="prints", body=PRINTS),
    "yields_nonsense": CHECK.format(id="yields-nonsense", body="yield 7"),
    "asks_for_nonsense": CHECK.replace(": Launch)", ": int | str)").format(id="asks-for-nonsense", body="pass"),
    "works": CHECK.format(id="works", body="pass"),
}


def offered(site: Path, name: str, body: str) -> None:
    """A plugin as an installer leaves it."""
    (site / f"{name}.py").write_text(body, encoding="utf-8")
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[forgedoctor.checks]\n{name} = {name}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a run with every bad plugin at once."""
    site = tmp_path_factory.mktemp("site")
    for name, body in BAD.items():
        offered(site, name, body)
    done = run(site, "args", "--format", "json", "--", "--api", "--port", "70000")
    assert b"Traceback" not in done.stderr and b"noise" not in done.stdout
    made: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == made["summary"]["exit_code"] == 1
    return made


def run(site: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """The doctor with a further place where plugins are installed."""
    return doctor(*words, env={"PYTHONPATH": os.pathsep.join((str(site), str(ROOT))), "FORGEDOCTOR_NO_CACHE": "1"})


def outcome(made: dict[str, Any], id: str) -> str:
    """What became of a check."""
    return str(next((one["status"] for one in made["checks"] if one["check"] == id), "not there"))


def test_the_report_is_there_whatever_plugins_do(bad: dict[str, Any]) -> None:
    assert "port-out-of-range" in [one["check"] for one in bad["findings"]]
    assert outcome(bad, "works") == "failed"


@pytest.mark.parametrize("name", ["raises_at_import", "leaves_at_import", "hangs_at_import", "prints_at_import"])
def test_a_plugin_that_misbehaves_when_it_is_loaded_is_named(bad: dict[str, Any], name: str) -> None:
    assert [note for note in bad["notes"] if name in note], bad["notes"]


@pytest.mark.parametrize("id", ["raises", "hangs", "yields-nonsense", "asks-for-nonsense"])
def test_a_check_that_fails_is_crashed_and_says_why(bad: dict[str, Any], id: str) -> None:
    assert outcome(bad, id) == "crashed"
    assert [one for one in bad["unknown"] if id in one["checks"] and one["reason"]]


@pytest.mark.parametrize("id", ["prints", "prints-at-import"])
def test_what_a_plugin_prints_is_left_out_and_its_finding_counts(bad: dict[str, Any], id: str) -> None:
    assert outcome(bad, id) == "failed"
    assert [note for note in bad["notes"] if "printed" in note]


def test_the_list_of_checks_survives_them_too(tmp_path: Path) -> None:
    for name in ("raises_at_import", "asks_for_nonsense", "works"):
        offered(tmp_path, name, BAD[name])
    done = run(tmp_path, "checks", "--format", "json")
    assert done.returncode == 0
    assert b"raises_at_import" in done.stderr
    assert {"works", "asks-for-nonsense", "port-in-use"} <= {one["id"] for one in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's plugin, built by pip from a copy and installed into a folder; no network."""
    work = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(EXAMPLE, work / "plugin")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [*pip, "--target", str(work / "site"), str(work / "plugin")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return work / "site"


def test_the_tutorials_plugin_is_found_and_explained(installed: Path) -> None:
    assert ID in run(installed, "checks", "--select", "install").stdout.decode()
    assert "What happens:" in run(installed, "explain", ID).stdout.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="looks at launcher files of Linux and macOS")
def test_the_tutorials_plugin_judges_a_real_folder(installed: Path, tmp_path: Path) -> None:
    forge = folder(tmp_path / "Dropbox" / "webui")
    done = run(installed, "triage", "--dir", str(forge), "--select", ID, "--format", "json")
    first = json.loads(done.stdout)["findings"][0]
    assert (first["check"], first["severity"]) == (ID, "warning")
    assert "Dropbox" in first["summary"]
    assert run(installed, "triage", "--dir", str(forge), "--select", ID, "--fail-on", "warning").returncode == 1
    assert run(installed, "triage", "--dir", str(folder(tmp_path / "webui")), "--select", ID).returncode == 0


def test_the_tutorials_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "plugin")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PYTHONPATH"] = os.pathsep.join((str(installed), str(ROOT)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    where = tmp_path / "plugin"
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
