"""The phases of a run - text encoders, denoiser, VAE - and what each has on the card at its worst. All MiB."""

from __future__ import annotations

import msgspec

from forgedoctor.memory import activations
from forgedoctor.memory.arithmetic import WARNED_BELOW, Fit
from forgedoctor.memory.placement import UNBOUNDED, Board, Load, Loaded


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase.

    ``name``: text encoders, loading, denoiser, vae. ``outcome``: ``ok``; ``tight`` (what is needed fits, the cache of
    the allocator may not); ``tiled`` (the VAE runs out of memory and goes on in tiles); ``slow`` (Windows spills into
    RAM); ``oom``; ``cpu`` (not on the card). ``model_mib``: this phase's own weights. ``weights_mib``: all weights on
    the card. ``computing_mib``: tensors beside them. ``peak_mib``: both; ``reserved_mib``: with work space and cache.
    ``free_mib``: free while it computes, before its tensors; None without a card. ``together``: images at once;
    ``passes``: runs of the denoiser at once.
    """

    name: str
    outcome: str
    model_mib: float
    weights_mib: float = 0.0
    computing_mib: float = 0.0
    estimate_mib: float = 0.0
    peak_mib: float = 0.0
    reserved_mib: float = 0.0
    free_mib: float | None = None
    together: int = 1
    passes: int = 1
    warns: bool = False
    fit: Fit | None = None
    unloaded: tuple[str, ...] = ()


def on_cpu(name: str, mib: float) -> Phase:
    """A phase that takes nothing of the card."""
    return Phase(name=name, outcome="cpu", model_mib=mib)


def encoders_phase(board: Board, load: Load) -> Phase:
    """The prompt is encoded."""
    placed = board.load([load])[0]
    live = activations.ENCODERS_LIVE + _copied(placed)
    return _made(board, "text encoders", placed, live, live)


def denoiser_phase(
    board: Board, loads: tuple[Load, ...], *, width: int, height: int, batch: int, passes: int, precision: str,
    factor: float, cast: float, extra: float,
) -> Phase:  # fmt: skip
    """The steps. ``cast``: MiB of the largest layer in the precision of computing, where it is stored in another.
    ``extra``: MiB that LoRA take on the card."""
    size = (width, height, batch)
    room = activations.denoiser_estimate(*size, precision=precision, passes=2, factor=factor)
    placed = board.load(loads, estimate=room, extra=extra)[0]
    estimate = activations.denoiser_estimate(*size, precision=precision, passes=passes, factor=factor)
    together = passes
    if passes > 1 and estimate >= board.free:  # prompt and negative prompt one after the other
        together, estimate = 1, estimate / passes
    live = activations.denoiser_live(estimate) + max(cast, _copied(placed)) + extra
    reserved = estimate + max(cast, _copied(placed)) + extra
    return _made(board, "denoiser", placed, live, reserved, passes=together)


def vae_phase(
    board: Board, load: Load, *, width: int, height: int, batch: int, precision: str, tiled: bool, windows: bool
) -> Phase:
    """The decoding of the images. ``tiled``: always in tiles."""
    estimate = activations.vae_estimate(width, height, precision=precision)
    placed = board.load([load], estimate=estimate)[0]
    images = activations.images_at_once(board.free, estimate, batch)
    live = activations.vae_live(width, height, images, precision=precision)
    phase = _made(board, "vae", placed, live, max(live, images * estimate), together=images)
    if not tiled and (phase.outcome != "oom" or windows):
        return phase
    edge = activations.TILE
    live = activations.vae_live(min(width, edge), min(height, edge), precision=precision)
    estimate = activations.vae_estimate(min(width, edge), min(height, edge), precision=precision)
    in_tiles = _made(board, "vae", placed, live, max(live, estimate))
    return in_tiles if in_tiles.outcome == "oom" else msgspec.structs.replace(in_tiles, outcome="tiled")


def _copied(placed: Loaded) -> float:
    """MiB of the one layer that is copied to the card while a swapped model computes."""
    return placed.load.layers.largest if placed.fit.swap_mib and placed.load.layers else 0.0


def _made(
    board: Board, name: str, placed: Loaded, live: float, reserved: float, *, together: int = 1, passes: int = 1
) -> Phase:
    bounded = board.total < UNBOUNDED
    peak = board.resident + live
    outcome = "ok"
    if bounded and peak > board.total:
        outcome = "oom"
    elif bounded and board.resident + reserved > board.total:
        outcome = "tight"
    return Phase(
        name=name,
        outcome=outcome,
        model_mib=placed.load.mib,
        weights_mib=board.resident,
        computing_mib=live,
        estimate_mib=reserved,
        peak_mib=peak,
        reserved_mib=board.resident + max(live, reserved),
        free_mib=board.free if bounded else None,
        together=together,
        passes=passes,
        warns=bounded and name == "denoiser" and board.free < WARNED_BELOW,
        fit=placed.fit,
    )
