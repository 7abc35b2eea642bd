from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, LIKELY, POSSIBLE, WARNING, Evidence, Finding, Message, check, t
from forgedoctor.facts import Disks, Host, Models, Place
from forgedoctor_checks.host import _disk
from forgedoctor_checks.host._memory import gib

_TURNING = 150 * 10**6  # bytes a second that a disk with platters reads in a row, about
_WIRE = 110 * 10**6  # of a network of 1 Gbit/s, at best


@check("models-on-slow-disk", severity=INFO, group="host")
def models_on_slow_disk(disks: Disks, host: Host | None, models: Models | None) -> Iterator[Finding]:
    """The models lie on a slow disk: each first load takes long.

    What happens: "Loading Model" stands for a minute or more; the first request after a start or a change of model
    runs into the client's or the proxy's time limit.
    Why: a checkpoint is read whole, 2 to 24 GB: a turning disk reads about 150 MB a second, a network of 1 Gbit/s 110,
    Windows' drives seen from WSL (/mnt/c) less than they could.
    Fix: keep the models in use on an SSD of this machine; set longer time limits for the first request.
    Source: Linux, queue/rotational; Windows, StorageDeviceSeekPenaltyProperty; learn.microsoft.com, WSL file systems.
    """
    place = next((one for one in disks.of("models") if one.exists and one.answers), None)
    size = models.checkpoint.size if models and models.checkpoint else 0
    if place is None:
        return
    if place.network:
        summary = t("The models lie on a network disk ({kind}): each load goes over the wire.", kind=place.kind or "?")
        yield _finding(place, summary, _time(size, _WIRE), WARNING)
    elif place.host and host and host.wsl:
        summary = t(
            "The models lie on a Windows drive seen from WSL ({mount}): reading them is slow.", mount=place.mount
        )
        yield _finding(place, summary, [], WARNING)
    elif place.rotational:
        yield _finding(
            place, t("The models lie on a turning disk: each first load is slow."), _time(size, _TURNING), INFO
        )


def _time(size: int, rate: int) -> list[Evidence]:
    if not size:
        return []
    said = t("the chosen checkpoint is {size}: about {seconds} s to read", size=gib(size), seconds=round(size / rate))
    return [Evidence(said)]


def _finding(place: Place, summary: Message, more: list[Evidence], severity: object) -> Finding:
    move = t("Move the checkpoints in use to an SSD of this machine, and name that folder with --ckpt-dir")
    if place.host:
        move = t("Move them into WSL's own disk, such as ~/models, and name that folder with --ckpt-dir")
    return Finding(
        summary,
        evidence=[*_disk.shown([place]), *more],
        fixes=[fixes.advise(move)],
        severity=WARNING if severity is WARNING else INFO,
        confidence=POSSIBLE if place.host else LIKELY,
    )
