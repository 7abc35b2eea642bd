"""The catalogue: found through entry points, guarded, selected by id or group."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forgedoctor import catalogue


def plugin(folder: Path, name: str, body: str, dist: str = "") -> None:
    (folder / f"{name}.py").write_text(body, encoding="utf-8")
    info = folder / f"{dist or name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "entry_points.txt").write_text(
        f"[console_scripts]\nx = y:z\n\n[forgedoctor.checks]\n# a remark\n{name} = {name}\n", encoding="utf-8"
    )


CHECK = '''
from forgedoctor.check import INFO, Finding, check, t
@check("{id}", severity=INFO, group="other")
def judge():
    """A title.

    A page."""
    yield Finding(t("hello"))
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_a_plugin_is_found_and_its_page_is_its_docstring(site: Path) -> None:
    plugin(site, "my_plugin_a", CHECK.format(id="my-own-check"))
    one = catalogue.load().get("my-own-check")
    assert one and one.title == "A title." and one.page.endswith("A page.")


def test_a_plugin_that_cannot_be_imported_is_told_and_the_rest_is_there(site: Path) -> None:
    plugin(site, "my_plugin_b", "import does_not_exist_at_all")
    found = catalogue.load()
    assert len(found.checks) > 50
    assert any("my_plugin_b" in str(fault) and "does_not_exist_at_all" in str(fault) for fault in found.faults)


def test_a_stranger_cannot_take_over_a_built_in_id(site: Path) -> None:
    plugin(site, "my_plugin_c", CHECK.format(id="port-in-use"))
    found = catalogue.load()
    one = found.get("port-in-use")
    assert one and one.origin.startswith("forgedoctor_checks.")
    assert any("port-in-use" in str(fault) for fault in found.faults)


def test_unreadable_folders_on_the_path_do_no_harm(site: Path) -> None:
    assert list(catalogue.entry_points(catalogue.CHECKS, ["/no/such/folder", str(site / "nothing")])) == []


def test_select_takes_ids_and_groups_and_refuses_what_it_does_not_know() -> None:
    checks = catalogue.load().checks
    assert [one.id for one in catalogue.select(checks, ["port-in-use"])] == ["port-in-use"]
    assert {one.group for one in catalogue.select(checks, ["port"], ["port-walked"])} == {"port"}
    with pytest.raises(catalogue.UnknownName) as error:
        catalogue.select(checks, ["port-in-us"])
    assert "port-in-use" in error.value.nearest


def test_every_built_in_check_has_a_page_with_its_parts() -> None:
    for one in catalogue.load().checks:
        for part in ("What happens:", "Why:", "Fix:", "Source:"):
            assert part in one.page, f"{one.id} says nothing under {part!r}"


def test_what_is_explained_exists() -> None:
    checks = catalogue.load().checks
    known = {one.id for one in checks}
    assert {name for one in checks for name in one.explains} <= known
