"""The check does what the names of its case files say. Run: python -m pytest"""

from __future__ import annotations

from pathlib import Path

import pytest
from forgedoctor_synced import forge_in_synced_folder

from forgedoctor.testing import problem

CASES = sorted((Path(__file__).parent / "cases" / forge_in_synced_folder.id).glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    assert problem(forge_in_synced_folder, path) == ""
