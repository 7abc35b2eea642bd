"""On which file system a path lies on Linux, and what kind of disk that is, from /proc/self/mountinfo and /sys."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from forgedoctor.facts._cgroup import unescaped
from forgedoctor.facts._host import read

# File systems whose files are another machine's, or (9p, drvfs, virtiofs, vboxsf) the host's of a virtual machine.
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "davfs", "glusterfs", "lustre", "beegfs", "ceph", "gpfs"}
    | {"fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.davfs", "fuse.juicefs"}
    | {"fuse.google-drive-ocamlfuse", "fuse.goofys", "fuse.curlftpfs", "fuse.mfs", "fuse.seaweedfs", "afpfs", "webdav"}
)
HOST = frozenset(
    {"9p", "drvfs", "virtiofs", "vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs"}
    | {"fakeowner", "osxfs", "fuse.grpcfuse"}
)
MEMORY = frozenset({"tmpfs", "ramfs"})
# Disks of virtual machines say that they turn, whatever lies below.
_VIRTUAL_NAME = re.compile(r"(vd|xvd|loop|nbd|rbd|zram|ram|sr|dm-|md|mmcblk|pmem)")
_VIRTUAL_MODEL = re.compile(r"virtual|qemu|vbox|vmware|msft|persistentdisk|msazure|bhyve|xen", re.IGNORECASE)


class Mount(NamedTuple):
    """One line of mountinfo."""

    device: str
    point: str
    kind: str
    source: str
    read_only: bool


def mounts(mountinfo: str) -> list[Mount]:
    """All mounts, in the order in which they were made."""
    found = []
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if dash and len(fields) > 5 and len(tail) > 1:
            read_only = "ro" in fields[5].split(",") or (len(tail) > 2 and "ro" in tail[2].split(","))
            found.append(Mount(fields[2], unescaped(fields[4]), tail[0], unescaped(tail[1]), read_only))
    return found


def mount_of(path: str, known: list[Mount]) -> Mount | None:
    """The mount that an absolute path without links lies on: the longest point, of equal ones the last."""
    best = None
    for one in known:
        point = one.point.rstrip("/")
        if (path == one.point or path.startswith(point + "/")) and (not best or len(one.point) >= len(best.point)):
            best = one
    return best


def rotational(root: Path, mount: Mount) -> bool | None:
    """Whether the disk turns; None where that is not told, or not to be believed."""
    folder = root / "sys/dev/block" / mount.device
    if mount.device.startswith("0:"):  # btrfs and zfs have no device number of their own
        folder = root / "sys/class/block" / os.path.basename(mount.source)
        if not mount.source.startswith("/dev/"):
            return None
    try:
        disk = Path(os.path.realpath(folder))
    except OSError:
        return None
    if (disk / "partition").exists():
        disk = disk.parent
    if disk.name.startswith("dm-") or disk.name.startswith("md"):
        return _below(disk)
    return _told(disk)


def _below(disk: Path) -> bool | None:
    """A volume of LVM, LUKS or RAID turns if one of the disks below does, and does not if none does."""
    told = []
    try:
        slaves = sorted((disk / "slaves").iterdir())
    except OSError:
        return None
    for one in slaves[:32]:
        lower = Path(os.path.realpath(one))
        told.append(_told(lower.parent if (lower / "partition").exists() else lower))
    if True in told:
        return True
    return False if told and None not in told else None


def _told(disk: Path) -> bool | None:
    told = read(disk / "queue/rotational", 10).strip()
    words = read(disk / "device/vendor", 100) + read(disk / "device/model", 100)
    if told not in ("0", "1") or _VIRTUAL_NAME.match(disk.name) or _VIRTUAL_MODEL.search(words):
        return None
    return told == "1"
