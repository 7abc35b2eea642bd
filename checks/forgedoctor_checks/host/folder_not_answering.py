from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, WARNING, Finding, check, t
from forgedoctor.facts import Disks
from forgedoctor_checks.host import _disk


@check("folder-not-answering", severity=ERROR, group="host")
def folder_not_answering(disks: Disks) -> Iterator[Finding]:
    """A folder that Forge uses does not answer: its server or disk is gone.

    What happens: Forge hangs at its start or when it lists models, and cannot even be ended; so does whatever else
    looks into the folder.
    Why: a network folder whose server is off or behind another network, or a disk that fails. The system waits.
    Fix: bring the server back, or unmount the folder; then start Forge again.
    Source: nfs(5), option hard; measured with a file system that never answers.
    """
    silent = [one for one in disks.places if not one.answers]
    for group in _disk.by_mount(silent):
        away = any(one.network for one in group)
        summary = t("{path} does not answer: what looks into it hangs, Forge too.", path=group[0].path)
        if away:
            summary = t(
                "The server of the network folder {path} does not answer: Forge hangs with it.", path=group[0].path
            )
        yield Finding(
            summary,
            evidence=_disk.shown(group),
            fixes=[
                fixes.advise(t("Bring back the server or disk that it lies on, or take it out of Forge's settings"))
            ],
            severity=ERROR if away else WARNING,
            confidence=LIKELY,
        )
