"""The documentation speaks of what exists, its samples run, and the README's commands are the ones that CI runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from forgedoctor import __version__, catalogue
from forgedoctor.cli import COMMANDS, cli
from tests.forge_like import ROOT, folder, free_port

PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.yml")))
KNOWN = {one.id for one in catalogue.load().checks} | {"forge-in-synced-folder"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?<!from )\bforgedoctor(?:\.exe)?((?: (?![|&;>]|#)(?:\"[^\"]*\"|'[^']*'|[^\s`|;&>)]+))+)")


def page(name: str) -> str:
    """The text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def sample(name: str, holding: str) -> str:
    """The first block of code on a page that holds a certain word."""
    return str(next(body for _, body in BLOCK.findall(page(name)) if holding in body))


def run(words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(words, **{"cwd": ROOT, **more}, capture_output=True, text=True, timeout=60, check=False)


def calls(text: str) -> Iterator[list[str]]:
    """The words after ``forgedoctor`` wherever a page shows a command."""
    blocks = [body for _, body in BLOCK.findall(text)]
    outputs = re.findall(r"^\{\{ output (.*) \}\}$", text, re.M)
    for code in (*blocks, *INLINE.findall(BLOCK.sub("", text)), *outputs):
        for match in CALL.finditer(code):
            yield match[1].split()


def name_of(path: Path) -> str:
    """A file of the project, for people."""
    return path.relative_to(ROOT).as_posix()


ALL_CALLS = [(name_of(path), words) for path in PAGES for words in calls(path.read_text(encoding="utf-8"))]


def test_the_pages_show_commands() -> None:
    assert len(ALL_CALLS) > 40
    assert {words[0] for _, words in ALL_CALLS} >= set(COMMANDS)


@pytest.mark.parametrize(("name", "words"), ALL_CALLS, ids=lambda one: " ".join(one) if isinstance(one, list) else one)
def test_a_command_that_is_shown_exists_with_its_options(name: str, words: list[str]) -> None:
    if words[0].startswith("-"):
        assert words[0] in ("--version", "--help")
        return
    assert words[0] in COMMANDS, f"{name}: forgedoctor {words[0]}"
    command = cli.get_command(click.Context(cli), words[0])
    assert command
    if isinstance(command, click.Group) and len(words) > 1 and words[1] in command.commands:
        command, words = command.commands[words[1]], words[1:]
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    own = words[1 : words.index("--")] if "--" in words else words[1:]
    assert {one.split("=")[0] for one in own if one.startswith("-") and one != "-"} <= options, name


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_check_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"checks/\w+/([\w-]+)\.md", text)
    named += re.findall(r"forgedoctor explain ([a-z][\w-]*)", text)
    named += [word for words in re.findall(r"--(?:select|ignore) ([a-z][\w,-]*)", text) for word in words.split(",")]
    shown = INLINE.findall(BLOCK.sub("", text)) if path.suffix == ".md" else []
    named += [word for word in shown if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", word)]
    groups = {one.group for one in catalogue.load().checks}
    assert set(named) <= KNOWN | groups


@pytest.mark.parametrize("path", [one for one in PAGES if one.suffix == ".md"], ids=name_of)
def test_a_file_that_is_linked_or_included_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        generated = "checks/" in target and "docs" in path.parts
        assert generated or (path.parent / target).exists(), target
    for target in re.findall(r"^\{\{ file (.*) \}\}$", text, re.M):
        assert (ROOT / target).is_file(), target


def test_the_readme_holds_one_command_for_each_purpose_and_ci_runs_the_second() -> None:
    lines = [line for line in page("README.md").splitlines() if line.startswith("python3 -m venv")]
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["triage", "pytest"]
    assert 'run_tests "$main_python (the README\'s command)" "$test_command"' in page(".ci/run")
    if shutil.which("bash"):
        assert run(["bash", str(ROOT / ".ci" / "run"), "readme-command"]).stdout.strip() == lines[1]


def test_the_readme_tells_every_command_and_every_exit_status() -> None:
    text = page("README.md")
    assert not [name for name in COMMANDS if f"forgedoctor {name}" not in text]
    for name in ("README.md", "docs/report.md"):
        assert re.findall(r"^\| (\d+) \|", page(name), re.M) == ["0", "1", "2", "3", "4", "130"]


def test_the_changelog_names_the_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", page("CHANGELOG.md"), re.M)


def test_the_issue_templates_ask_for_a_report() -> None:
    templates = [one for one in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if one.name != "config.yml"]
    assert templates
    for path in templates:
        assert "forgedoctor triage --format json" in path.read_text(encoding="utf-8"), path.name


def test_the_samples_of_predict_are_true() -> None:
    exec(compile(sample("docs/python.md", "assert"), "docs/python.md", "exec"), {})


def test_the_sample_of_examine_runs(tmp_path: Path) -> None:
    code = sample("docs/python.md", "examine(").replace("/srv/forge", folder(tmp_path / "forge").as_posix())
    done = run([sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_the_sample_of_a_fact_is_collected() -> None:
    code = f"""
from forgedoctor.fact import Fact, collector, collector_for, name_of
{sample("docs/write-a-check.md", "@collector")}
assert name_of(Uptime) == "uptime" and collector_for(Uptime, "live") and not collector_for(Uptime, "text")
assert not __import__("os").path.exists("/proc/uptime") or collect().seconds > 0
"""
    done = run([sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (0, "")


WEBUI_SH = """#!/usr/bin/env bash
SCRIPT_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source "$SCRIPT_DIR"/webui-user.sh
echo started with "$@"
"""


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="runs webui.sh")
@pytest.mark.parametrize(
    ("flags", "words", "starts"),
    [
        ("--api --port FREE", [], True),
        ("--api --port 70000", [], False),
        ("--api", ["--lisen"], False),
        ("", ["--api", "--port", "FREE"], True),
    ],
)
def test_the_line_for_webui_user_sh_lets_only_a_good_start_go_on(
    tmp_path: Path, flags: str, words: list[str], starts: bool
) -> None:
    line = sample("docs/commands/preflight.md", "$SCRIPT_DIR")
    free = str(free_port())
    flags, words = flags.replace("FREE", free), [word.replace("FREE", free) for word in words]
    forge = folder(tmp_path / "forge", user_sh=f'export COMMANDLINE_ARGS="{flags}"\n{line}')
    (forge / "webui.sh").write_text(WEBUI_SH, encoding="utf-8")
    program = tmp_path / "bin" / "forgedoctor"
    program.parent.mkdir()
    doctor = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m forgedoctor "$@"'
    program.write_text(f"#!/bin/sh\n{doctor}\n", encoding="utf-8")
    program.chmod(0o755)
    path = os.pathsep.join((str(program.parent), os.environ["PATH"]))
    done = run(["bash", str(forge / "webui.sh"), *words], cwd=tmp_path, env={**os.environ, "PATH": path})
    assert ("started with" in done.stdout) == starts, done.stdout
    assert done.returncode == (0 if starts else 1)
