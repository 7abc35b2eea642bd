"""The package as it is installed, and the limits that the code keeps to."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forgedoctor import __version__, catalogue, plugins

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((*(ROOT / "forgedoctor").rglob("*.py"), *(ROOT / "checks").rglob("*.py")))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
LINES, FUNCTION = 300, 50
HEAVY = ("httpx", "rich", "pynvml", "psutil")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python(code: str, cwd: Path) -> str:
    """What a program prints in an interpreter of its own, away from the checkout."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_built_in_checks_are_found_through_their_entry_point(tmp_path: Path) -> None:
    code = "from forgedoctor import catalogue as c; found = c.load(); print(len(found.checks), *map(str, found.faults))"
    count, *faults = python(code, tmp_path).split()
    assert int(count) > 60 and faults == []


@pytest.mark.parametrize("group", [plugins.CHECKS, plugins.FACTS, "console_scripts"])
def test_entry_points_are_read_as_importlib_metadata_reads_them(group: str) -> None:
    expected = {(one.name, one.value) for one in importlib.metadata.entry_points(group=group)}
    assert {(one.name, one.value) for one in plugins.entry_points(group)} == expected


def test_the_checks_are_a_package_of_their_own(tmp_path: Path) -> None:
    assert python("import forgedoctor_checks; print(forgedoctor_checks.__name__)", tmp_path) == "forgedoctor_checks"
    assert python("import importlib.util as u; print(u.find_spec('checks'))", tmp_path) == "None"


def test_the_version_is_said_once() -> None:
    assert importlib.metadata.version("forgedoctor") == __version__


def test_it_asks_for_nothing_newer_than_forge_pins() -> None:
    from forgedoctor.forge.releases import pins

    needed = importlib.metadata.requires("forgedoctor") or []
    lowest = {name: low for name, sign, low in (one.partition(">=") for one in needed if "extra" not in one) if sign}
    assert {"httpx", "psutil"} <= set(lowest)
    for fork in ("forge", "reforge", "classic", "neo"):
        for name in set(lowest) & set(pins(fork)):
            assert version(lowest[name]) <= version(pins(fork)[name]), f"{fork} pins {name}"


def version(text: str) -> tuple[int, ...]:
    """A plain version as numbers."""
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("line", ["--help", "--version", "checks", "explain port-in-use", "triage --help"])
def test_what_needs_no_examination_imports_nothing_heavy(line: str, tmp_path: Path) -> None:
    code = f"""
import sys
from forgedoctor.cli import main
try:
    main({line.split()!r})
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    assert python(code, tmp_path).splitlines()[-1] == "loaded:"


def test_the_list_of_checks_is_kept_and_made_anew_when_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forgedoctor import listing

    monkeypatch.setattr(listing, "cache_file", lambda: str(tmp_path / "kept" / "checks.json"))
    first = listing.listing()
    assert [one.id for one in first.checks] == [one.id for one in catalogue.load().checks]
    made: list[int] = []
    monkeypatch.setattr(listing, "made", lambda: made.append(1) or first)
    assert listing.listing() == first and not made
    monkeypatch.setattr(listing, "_files", lambda place: iter([[place, 0, 0]]))
    assert listing.listing() == first and made == [1]
    (tmp_path / "kept" / "checks.json").write_text("not what was written", encoding="utf-8")
    assert listing.listing() == first and made == [1, 1]


def test_without_a_place_for_it_the_list_is_made_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from forgedoctor import listing

    monkeypatch.setenv("FORGEDOCTOR_NO_CACHE", "1")
    assert listing.cache_file() == ""
    assert len(listing.listing().checks) > 60


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
    long = [f"{one.name}: {size(one)} lines" for one in functions(TREES[path]) if size(one) > FUNCTION]
    assert long == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_are_documented(path: Path) -> None:
    tree = TREES[path]
    assert ast.get_docstring(tree) or is_one_check(tree), "the module has no docstring"
    named = [one for one in tree.body if isinstance(one, ast.ClassDef | Function)]
    public = [one for one in named if not one.name.startswith("_")]
    assert [one.name for one in public if not ast.get_docstring(one)] == []


def is_one_check(tree: ast.Module) -> bool:
    """Whether a module holds one check, whose docstring then says it all."""
    plain = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    return sum("check" in map(name_of_decorator, one.decorator_list) for one in plain) == 1


def name_of_decorator(node: ast.expr) -> str:
    """``check`` of ``@check(...)``."""
    inner = node.func if isinstance(node, ast.Call) else node
    return inner.id if isinstance(inner, ast.Name) else ""


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method."""
    return (one for one in ast.walk(tree) if isinstance(one, Function))


def size(one: Function) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    document = one.body[0] if ast.get_docstring(one) else None
    said = (document.end_lineno or 0) - document.lineno + 1 if document else 0
    return (one.end_lineno or 0) - one.lineno + 1 - said
