"""Forge's fit test: does a model go onto the card whole, and if not, how much of it stays in RAM.

All sizes are MiB, which Forge's log calls MB. Source: ``load_models_gpu``, ``free_memory``,
``compute_model_gpu_memory_when_using_cpu_swap`` and ``build_module_profile`` of backend/memory_management.py in Forge;
the numbers that real runs printed come out of it exactly.
"""

from __future__ import annotations

import msgspec

MIB = 1024 * 1024
RESERVE = 1024.0  # what is kept free for computing unless "GPU Weights" says otherwise
WARNED_BELOW = 1536.0  # less than this free at a sampling step prints "[Low GPU VRAM Warning]"
UNLOAD_FACTOR = 1.3
KEPT_OFF = 1280.0  # at least so much is left to computing when a model is swapped (1.25 GiB)


class Layer(msgspec.Struct, frozen=True):
    """One layer that Forge can leave in RAM: MiB of its weight, and of the rest (the bias)."""

    weight: float
    extra: float = 0.0


class Layers(msgspec.Struct, frozen=True):
    """A model by layers: those that can be swapped, and MiB of those that are always on the card."""

    movable: tuple[Layer, ...]
    fixed: float = 0.0

    @property
    def largest(self) -> float:
        """MiB of the largest layer: so much is copied at a time where layers are swapped or cast."""
        return max((one.weight + one.extra for one in self.movable), default=0.0)


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What Forge does with one model. MiB throughout.

    ``decision``: ``full``, or ``swap``: ``swap_mib`` of it stay in RAM and are copied at every pass. ``model_mib``:
    what is still to be moved (Model Require), ``loaded_mib`` what is on the card already (Previously Loaded),
    ``reserve_mib`` what is kept for computing (Inference Require), ``remaining_mib`` = free - model - reserve.
    ``to_free_mib``: other models are unloaded until more than this is free. ``budget_mib``: the most of this model that
    may be on the card; None where it is loaded whole. ``gpu_mib``: what is on the card in the end.
    """

    decision: str
    model_mib: float
    loaded_mib: float
    reserve_mib: float
    free_mib: float
    to_free_mib: float
    remaining_mib: float
    budget_mib: float | None
    swap_mib: float
    gpu_mib: float


def to_free(model: float, loaded: float, reserve: float, *, estimate: float = 0.0, extra: float = 0.0) -> float:
    """MiB that Forge wants free before it loads: other models go until there is more."""
    return UNLOAD_FACTOR * (model + 0.25 * loaded) + max(reserve, estimate) + extra


def budget(free: float, reserve: float) -> float:
    """MiB of weights that may be on the card when the model does not fit; never negative, in whole bytes."""
    room = free - reserve
    return int(max(0.0, room / UNLOAD_FACTOR, room - KEPT_OFF) * MIB) / MIB


def fit(
    model: float,
    free: float,
    *,
    loaded: float = 0.0,
    reserve: float = RESERVE,
    extra: float = 0.0,
    estimate: float = 0.0,
    layers: Layers | None = None,
    tested: bool = True,
    nothing_on_card: bool = False,
) -> Fit:
    """Forge's decision for one model of ``model`` MiB to be moved, with ``free`` MiB free.

    ``loaded``: MiB of it that are on the card already. ``reserve``: MiB kept for computing; ``extra``: what is kept
    beside (LoRA that are applied on the fly, control models). ``estimate``: what Forge expects computing to take; it
    only decides what is unloaded first. ``layers``: lets the swapped part be exact to the layer. ``tested`` is false
    with --always-high-vram and --always-gpu: loaded whole, come what may. ``nothing_on_card``: --always-no-vram.
    """
    held = reserve + extra
    remaining = free - model - held
    allowed: float | None = None
    if nothing_on_card:
        allowed = 0.0
    elif tested and remaining < 0:
        allowed = loaded if loaded > 0 else budget(free, held)
    total = model + loaded
    on_card = total if allowed is None else placed(total, allowed, layers)
    return Fit(
        decision="full" if allowed is None else "swap",
        model_mib=model,
        loaded_mib=loaded,
        reserve_mib=held,
        free_mib=free,
        to_free_mib=to_free(model, loaded, reserve, estimate=estimate, extra=extra),
        remaining_mib=remaining,
        budget_mib=allowed,
        swap_mib=total - on_card,
        gpu_mib=on_card,
    )


def placed(total: float, allowed: float, layers: Layers | None) -> float:
    """MiB of a model that are on the card under a budget: smallest first, whole layers only where these are known."""
    if layers is None:
        return min(total, allowed)
    on_card = layers.fixed
    with_extra: list[Layer] = []
    for layer in sorted(layers.movable, key=lambda one: one.extra):
        if on_card + layer.extra < allowed:
            on_card += layer.extra
            with_extra.append(layer)
    for layer in sorted(with_extra, key=lambda one: one.weight):
        if on_card + layer.weight < allowed:
            on_card += layer.weight
    return min(on_card, total)
