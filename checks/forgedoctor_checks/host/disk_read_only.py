from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Finding, Fix, check, shell, t
from forgedoctor.facts import Disks, Host, Place
from forgedoctor_checks.host import _disk


@check("disk-read-only", severity=ERROR, group="host")
def disk_read_only(disks: Disks, host: Host | None) -> Iterator[Finding]:
    """Forge cannot write where it must: the file system is mounted read-only.

    What happens: "Errno 30 Read-only file system"; images and settings are not saved, extensions and models are not
    downloaded. Models alone may well lie on a read-only disk.
    Why: a volume of the container with ":ro", a mount option, or a file system that Linux has set so after an error of
    the disk.
    Fix: mount it writable; look at the kernel's messages first where nobody set it so.
    Source: mount(8), proc_pid_mountinfo(5).
    """
    closed = [one for one in disks.of("forge", "outputs", "temp", "cache") if one.read_only]
    for group in _disk.by_mount(closed):
        needed = [one for one in group if one.role != "cache"]
        yield Finding(
            t("{mount} is mounted read-only, and Forge must write there.", mount=group[0].mount or group[0].path),
            evidence=_disk.shown(group),
            fixes=_fixes(group[0], host),
            severity=ERROR if needed else WARNING,
            confidence=CERTAIN,
        )


def _fixes(one: Place, host: Host | None) -> list[Fix]:
    if host and host.container:
        return [fixes.advise(t("Start the container with that volume writable: without :ro (Kubernetes: readOnly: false)"))]  # fmt: skip
    if host and host.system == "linux" and "'" not in one.mount:
        return [
            Fix(
                title=t("See whether the kernel did it, after an error of the disk:"),
                steps=(shell("sudo dmesg -T | grep -iE 'remount|i/o error|ext4-fs error'"),),
                safety="safe",
                needs_admin=True,
            ),
            Fix(
                title=t("If the disk is sound, make it writable:"),
                steps=(shell(f"sudo mount -o remount,rw '{one.mount}'"),),
                needs_admin=True,
                undo=t("the same with ro in place of rw"),
            ),
        ]
    return [fixes.advise(t("Make that drive writable, or move the folder to another one"))]
