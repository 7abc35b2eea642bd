"""The card through a run: what is loaded, what is unloaded for it, what is free.

Source: ``load_models_gpu`` and ``free_memory`` of backend/memory_management.py in Forge.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from forgedoctor.memory.arithmetic import RESERVE, Fit, Layers, fit, to_free

UNBOUNDED = 1e9  # MiB: no card is given, everything fits


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One model to be brought onto the card. ``uncounted``: MiB that come along and that Forge's sum leaves out."""

    name: str
    mib: float
    layers: Layers | None = None
    uncounted: float = 0.0


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A model on the card, with how it got there."""

    load: Load
    fit: Fit

    @property
    def mib(self) -> float:
        """MiB on the card."""
        share = self.fit.gpu_mib / self.load.mib if self.load.mib else 1.0
        return self.fit.gpu_mib + self.load.uncounted * min(1.0, share)


class Board:
    """A card and what Forge has on it, in MiB. ``free``: what is free before Forge loads anything."""

    def __init__(self, free: float, state: str = "normal", reserve: float = RESERVE, *, offload: bool = False) -> None:
        self.total, self.state, self.reserve, self.offload = free, state, reserve, offload
        self.models: list[Loaded] = []  # the latest used first

    @property
    def free(self) -> float:
        """MiB free now."""
        return self.total - self.resident

    @property
    def resident(self) -> float:
        """MiB of weights on the card."""
        return sum(one.mib for one in self.models)

    def make_room(self, needed: float) -> tuple[str, ...]:
        """Unload whole models, the least recently used first, until more than that is free. Returns their names."""
        gone = []
        for one in reversed(self.models):
            if not (self.offload or self.state == "no") and self.free > needed:
                break
            if self.state == "gpu" or (self.state == "high" and one.load.name == "denoiser"):
                continue  # its place to rest is the card itself
            self.models = [other for other in self.models if other is not one]
            gone.append(one.load.name)
        return tuple(gone)

    def load(self, loads: Sequence[Load], *, estimate: float = 0.0, extra: float = 0.0) -> tuple[Loaded, ...]:
        """Load these together, as the denoiser with its ControlNets. Returns them as they came to lie."""
        sizes = sum(one.mib for one in loads)
        self.make_room(to_free(sizes, 0.0, self.reserve, estimate=estimate, extra=extra))
        placed = []
        for one in loads:
            judged = fit(
                one.mib, self.free, reserve=self.reserve, extra=extra, estimate=estimate, layers=one.layers,
                tested=self.state in ("normal", "low"), nothing_on_card=self.state == "no",
            )  # fmt: skip
            placed.append(Loaded(load=one, fit=judged))
            self.models.insert(0, placed[-1])
        return tuple(placed)
