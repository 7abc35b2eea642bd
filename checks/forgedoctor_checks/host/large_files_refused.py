from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Finding, check, t
from forgedoctor.facts import Disks
from forgedoctor_checks.host import _disk

_FAT = ("vfat", "msdos", "fat", "fat32")


@check("large-files-refused", severity=INFO, group="host")
def large_files_refused(disks: Disks) -> Iterator[Finding]:
    """The models' disk is formatted as FAT32, which holds no file of 4 GiB or more.

    What happens: a download or copy of a checkpoint breaks off at 4 GB; the file that stays is damaged ("Error while
    deserializing header").
    Why: FAT32 keeps a file's size in 32 bits. USB disks often come with it.
    Fix: format the disk as exFAT or NTFS (that deletes what is on it), or use another one.
    Source: learn.microsoft.com, file system functionality comparison.
    """
    small = [one for one in disks.of("models", "cache") if one.kind in _FAT]
    for group in _disk.by_mount(small):
        yield Finding(
            t("{mount} is formatted as FAT32: no model of 4 GiB or more can be put there.", mount=group[0].mount or group[0].path),
            evidence=_disk.shown(group),
            fixes=[fixes.advise(t("Put models on a disk with exFAT, NTFS or ext4; formatting deletes what is on it"))],
            confidence=CERTAIN,
        )  # fmt: skip
