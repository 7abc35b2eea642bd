"""How long one job takes at a server: it makes images, one after the other, and is asked only when somebody agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgedoctor.facts._probe import Generated
from forgedoctor.facts._url import Url

if TYPE_CHECKING:
    from forgedoctor.facts._http import Client


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The job to measure."""

    width: int = 512
    height: int = 512
    steps: int = 20
    batch_size: int = 1


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """``first``: with whatever had to be loaded before it; ``warm``: the jobs after it, shortest first. ``detail``: why
    there is no image, empty where all came. ``reached`` is false where no connection was had."""

    first: float = 0.0
    warm: tuple[float, ...] = ()
    reached: bool = True
    detail: str = ""

    @property
    def seconds(self) -> float:
        """The job's length: the median of the warm ones."""
        import statistics

        return statistics.median(self.warm) if self.warm else self.first


def measure(url: Url, credentials: str, picture: Picture, *, times: int, connect: float, longest: float) -> Measured:
    """Make ``times`` + 1 images, the first to warm up. ``connect``, ``longest``: seconds for a connection, an image.

    Images are not saved by the server and not kept here. Whatever waits in the queue before them counts.
    """
    from forgedoctor.facts._connect import Reached
    from forgedoctor.facts._http import Client
    from forgedoctor.facts._probe import Deadline

    reached = Reached(url, Deadline(connect))
    if not reached.peer:
        said = next((one.detail or one.outcome for one in reached.probes() if one.outcome != "answered"), "")
        return Measured(reached=False, detail=said)
    client = Client(url, reached.peer, credentials)
    seconds: list[float] = []
    try:
        for _ in range(times + 1):
            one = _image(client, url, picture, longest)
            if not one.ok:
                return Measured(detail=one.detail or "?")
            seconds.append(one.seconds)
    finally:
        client.close()
    return Measured(first=seconds[0], warm=tuple(sorted(seconds[1:])))


def _image(client: Client, url: Url, picture: Picture, longest: float) -> Generated:
    """One image, asked for as ``forgedoctor api --generate`` does, but of the size that is wanted."""
    from forgedoctor.facts._http import LARGE
    from forgedoctor.facts._questions import generate

    body = {"prompt": "a lighthouse on a cliff", "seed": 1, "save_images": False, **msgspec.to_builtins(picture)}
    return generate(client, url, body, seconds=longest, cap=LARGE * 4 * picture.batch_size)
