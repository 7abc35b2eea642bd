from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Disks, Host, Place
from forgedoctor_checks.host import _disk
from forgedoctor_checks.host._memory import GIB, MIB, gib

_FULL = 200 * MIB  # a few images, and the next write fails
_LOW = 2 * GIB
_FEW = 100  # files


@check("disk-full", severity=ERROR, group="host")
def disk_full(disks: Disks, host: Host | None) -> Iterator[Finding]:
    """There is no room left where Forge writes.

    What happens: "No space left on device", "Errno 28", images that are not saved, settings that come back empty,
    downloads and installations that break off.
    Why: images, temporary files, pip's cache and downloaded models fill the disk. A disk may also be out of files
    (inodes) while it has bytes.
    Fix: make room, or put outputs or temporary files on another disk.
    Source: labelled reports; modules/images.py, modules/ui_tempdir.py; statvfs(3).
    """
    written = [one for one in disks.of("forge", "outputs", "temp", "cache") if one.answers and not one.read_only]
    for group in _disk.by_mount(written):
        one = group[0]
        evidence = _disk.shown(group)
        if one.inodes is not None and one.inodes < _FEW:
            yield Finding(
                t("No more files can be made on {mount}: only {count} inodes are left.", mount=one.mount or one.path, count=one.inodes),
                evidence=evidence,
                fixes=[fixes.advise(t("Delete folders with very many small files (caches, old temporary files)"))],
                confidence=CERTAIN,
            )  # fmt: skip
        elif one.free is not None and one.free < _LOW:
            full = one.free < _FULL
            yield Finding(
                t("The disk is full: {free} are left on {mount}.", free=gib(one.free), mount=one.mount or one.path)
                if full
                else t("The disk is nearly full: {free} are left on {mount}.", free=gib(one.free), mount=one.mount or one.path),
                evidence=[*evidence, *_size(one)],
                fixes=_fixes(group, host),
                severity=ERROR if full else WARNING,
                confidence=CERTAIN if full else LIKELY,
            )  # fmt: skip


def _size(one: Place) -> list[Evidence]:
    if one.memory:
        return [Evidence(t("it lies in RAM ({size} at most): a larger one is set where it is mounted", size=gib(one.total or 0)))]  # fmt: skip
    return [Evidence(t("it holds {size} in all", size=gib(one.total)))] if one.total else []


def _fixes(group: Sequence[Place], host: Host | None) -> list[Fix]:
    path, temp = group[0].path, next((one for one in group if one.role == "temp"), None)
    if host and host.system == "windows":
        made = [Fix(title=t("Let Windows clean up:"), steps=(shell("cleanmgr", "cmd"),), safety="needs-person")]
        if temp:
            made.append(fixes.paste(t("Or put temporary files on another drive, before Forge starts in that window:"), "set TEMP=D:\\temp& set TMP=D:\\temp", host))  # fmt: skip
        return made
    made = [
        Fix(
            title=t("See what takes the room:"),
            steps=(shell(f"du -xh --max-depth=2 '{path}' | sort -h | tail -20" if "'" not in path else "df -h"),),
            safety="safe",
        )
    ]
    if temp:
        made.append(
            fixes.paste(
                t("Or put temporary files on another disk, before Forge starts:"), "export TMPDIR=/path/with/room", host
            )
        )
    if any(one.role == "outputs" for one in group):
        made.append(fixes.advise(t("Or move old images away, and set another output folder in the settings")))
    return made
