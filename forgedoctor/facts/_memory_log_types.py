"""What a log tells of memory: the records that :class:`~forgedoctor.facts.memory_log.MemoryLog` is made of.

All sizes are MiB, which Forge prints as "MB". None stands for a number that the text does not have.
"""

from __future__ import annotations

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One fit test and what came of it.

    ``target``: the class that Forge names (KModel is the denoiser). ``outcome``: full, swap, or empty where the text
    breaks off before it (an error follows on the same line). ``swap`` is copied again in every step, ``resident`` stays
    on the card. ``unloaded``: models that were moved away for it. ``seconds``: how long the move took.
    """

    target: str = ""
    layout: str = ""
    free: float | None = None
    require: float | None = None
    previously: float = 0.0
    inference: float | None = None
    remaining: float | None = None
    outcome: str = ""
    swap: float | None = None
    resident: float | None = None
    shared: bool = False
    unloaded: tuple[str, ...] = ()
    seconds: float | None = None
    number: int = 0
    where: str = ""


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """ "[Unload] Trying to free": what was ``wanted`` (None: everything), what was ``free`` last, what had to go."""

    wanted: float | None = None
    free: float | None = None
    unloaded: tuple[str, ...] = ()
    number: int = 0
    where: str = ""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How the card is split: ``weights`` for models, ``reserve`` for computing; ``pinned`` and ``stream`` as logged."""

    weights: float | None = None
    reserve: float | None = None
    pinned: bool | None = None
    stream: bool | None = None
    number: int = 0
    where: str = ""


class LowMemory(msgspec.Struct, frozen=True, kw_only=True):
    """ "[Low GPU VRAM Warning]": what was free before one step; None where the number was not pasted."""

    free: float | None = None
    number: int = 0
    where: str = ""


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True):
    """An allocation that failed, in the allocator's own numbers.

    ``kind``: cuda, hip, xpu, mps, directml, a1111 (its own estimate), driver (the bare CUDA error), ram (main memory).
    ``wanted``: what was asked for. ``total``: the card. ``free``: free on the card. ``own``: held by this process, and
    ``others`` is true where the sentence tells it apart from other processes. ``allocated``: by its tensors. ``idle``:
    reserved by the allocator and not in use.
    """

    kind: str
    text: str = ""
    wanted: float | None = None
    total: float | None = None
    free: float | None = None
    own: float | None = None
    others: bool = False
    allocated: float | None = None
    idle: float | None = None
    number: int = 0
    where: str = ""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """A progress bar's last state: ``seconds`` for one of ``steps`` steps."""

    seconds: float
    steps: int
    number: int = 0
    where: str = ""
