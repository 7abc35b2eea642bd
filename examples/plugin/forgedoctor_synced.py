"""A check of one's own for forgedoctor."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, Fix, check, plain, t
from forgedoctor.facts import Install

DRIVES = ("onedrive", "dropbox", "google drive", "googledrive", "icloud drive", "com~apple~clouddocs")


@check("forge-in-synced-folder", severity=WARNING, group="install")
def forge_in_synced_folder(install: Install) -> Iterator[Finding]:
    """Forge is kept in a folder that a cloud drive synchronises.

    What happens: starts that take minutes, "file is being used by another process", a model that is suddenly 0 bytes.
    Why: the drive reads and locks every file that changes, and may replace a large one by a placeholder.
    Fix: move the whole folder to a place of its own, such as C:\\Forge or ~/forge, and start it from there.
    Source: the drives' own documentation on files kept online only.
    """
    folders = re.split(r"[\\/]", install.root)
    synced = [name for name in folders if name.lower().startswith(DRIVES)]
    if synced:
        yield Finding(
            t("{drive} synchronises the folder that Forge runs from.", drive=synced[0]),
            evidence=[Evidence(plain(install.root), "the Forge folder")],
            fixes=[
                Fix(
                    title=t("Move the folder out of {drive}, and start Forge from there", drive=synced[0]),
                    safety="needs-person",
                    undo=t("move it back"),
                )
            ],
            confidence=LIKELY,
        )
