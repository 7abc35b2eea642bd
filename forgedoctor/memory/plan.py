"""A run of Forge, planned: the model, the card, the job and the flags in; decision, phases and peak out."""

from __future__ import annotations

from typing import Any

import msgspec

from forgedoctor.memory import activations, peak
from forgedoctor.memory.arithmetic import MIB, RESERVE, Fit
from forgedoctor.memory.dtypes import Card, Dtypes, choose, state_of
from forgedoctor.memory.families import Family, component, encoders_mib, family
from forgedoctor.memory.layers import denoiser_layers, encoder_layers
from forgedoctor.memory.placement import UNBOUNDED, Board, Load
from forgedoctor.memory.precision import GROWS_TO, Precision

PROCESS_RAM = 4096.0  # MiB of RAM that the process takes beside its models: 3 to 4 GB


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. Sizes are MiB.

    ``family``: a key of the table. ``free``: free on the card before Forge loads anything; None: no card. ``flags``:
    Forge's options by argparse's names. ``reserve``: what "GPU Weights" leaves for computing. ``resident``: everything
    stays on the card, as other programs do it. ``others``: further models on the card with the denoiser (ControlNet,
    adapters). ``online_lora``: LoRA kept on the card. ``measured``: sizes read from the file itself, by part (denoiser,
    encoders, vae), which count before the table's.
    """

    family: str
    precision: Precision
    width: int = 0
    height: int = 0
    batch: int = 1
    free: float | None = None
    card: Card | None = None
    flags: dict[str, Any] = {}
    reserve: float = RESERVE
    resident: bool = False
    others: float = 0.0
    online_lora: float = 0.0
    passes: int = 0
    tiled_vae: bool = False
    windows: bool = False
    measured: dict[str, float] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. ``decision``: full, swap, cpu, oom, or unknown without a card. ``peak_mib``: of all phases.

    ``reserved_mib``: with the allocator's cache and cuDNN's work space where there is room for these. ``ram_mib``: main
    memory that the process needs at least.
    """

    ask: Ask
    decision: str
    state: str
    dtypes: Dtypes
    fit: Fit | None
    phases: tuple[peak.Phase, ...]
    peak_mib: float
    reserved_mib: float
    ram_mib: float

    def phase(self, name: str) -> peak.Phase | None:
        """A phase by its name."""
        return next((one for one in self.phases if one.name == name), None)


def plan(ask: Ask) -> Plan:
    """What Forge will do with this model, job and card."""
    about = family(ask.family)
    width, height = ask.width or about.size, ask.height or about.size
    ask = msgspec.structs.replace(ask, width=width, height=height)
    dtypes = choose(about, ask.precision, ask.card, ask.flags, free=ask.free, reserve=ask.reserve)
    state = state_of(ask.flags, ask.card)
    phases = tuple(_cpu(ask, about, dtypes) if state == "cpu" else _phases(ask, about, dtypes, state))
    main = next(one for one in phases if one.name == "denoiser")
    return Plan(
        ask=ask,
        decision=_decision(ask, state, phases),
        state=state,
        dtypes=dtypes,
        fit=main.fit,
        phases=phases,
        peak_mib=max(one.peak_mib for one in phases),
        reserved_mib=max(one.reserved_mib for one in phases),
        ram_mib=sum(_sizes(ask, about, dtypes)) + PROCESS_RAM,
    )


def _decision(ask: Ask, state: str, phases: tuple[peak.Phase, ...]) -> str:
    if state == "cpu":
        return "cpu"
    if ask.free is None:
        return "unknown"
    if any(one.outcome == "oom" for one in phases):
        return "oom"
    swapped = any(one.fit and one.fit.decision == "swap" for one in phases if one.name == "denoiser")
    return "swap" if swapped else "full"


def _sizes(ask: Ask, about: Family, dtypes: Dtypes) -> tuple[float, float, float]:
    """MiB of the denoiser, the text encoders, the VAE."""
    return (
        ask.measured.get("denoiser") or component(about.denoiser).mib(dtypes.store),
        ask.measured.get("encoders") or encoders_mib(about, dtypes.encoders),
        ask.measured.get("vae") or component(about.vae).mib(dtypes.vae),
    )


def _cpu(ask: Ask, about: Family, dtypes: Dtypes) -> list[peak.Phase]:
    names = ("denoiser", "text encoders", "vae")
    sized = dict(zip(names, _sizes(ask, about, dtypes), strict=True))
    return [peak.on_cpu(name, sized[name]) for name in ("text encoders", "denoiser", "vae")]


def _phases(ask: Ask, about: Family, dtypes: Dtypes, state: str) -> list[peak.Phase]:
    denoiser, encoders, vae = _sizes(ask, about, dtypes)
    board = Board(
        UNBOUNDED if ask.free is None or ask.resident else ask.free,
        "gpu" if ask.resident else state,
        ask.reserve,
        offload=bool(ask.flags.get("always_offload_from_vram")),
    )
    made = []
    if dtypes.encoders_on_gpu:
        layers = None if "encoders" in ask.measured else encoder_layers(about, dtypes.encoders)
        made.append(peak.encoders_phase(board, Load(name="text encoders", mib=encoders, layers=layers)))
    else:
        made.append(peak.on_cpu("text encoders", encoders))
    made.append(_denoise(ask, about, dtypes, board, denoiser))
    if dtypes.vae_on_gpu:
        windows, size = ask.windows, (ask.width, ask.height, ask.batch)
        made.append(
            peak.vae_phase(
                board, Load(name="vae", mib=vae), width=size[0], height=size[1], batch=size[2],
                precision=dtypes.vae, tiled=ask.tiled_vae, windows=windows,
            )
        )  # fmt: skip
    else:
        made.append(peak.on_cpu("vae", vae))
    if ask.precision.in_place:
        made.insert(1, _in_place(ask, about, vae))
    if ask.card is not None and ask.card.vendor == "directml":
        return [
            msgspec.structs.replace(one, outcome="ok", warns=False) for one in made
        ]  # how much there is, is not known
    return [_on_windows(one) for one in made] if ask.windows else _bounded(made, ask)


def _denoise(ask: Ask, about: Family, dtypes: Dtypes, board: Board, mib: float) -> peak.Phase:
    part = component(about.denoiser)
    layers = denoiser_layers(about.denoiser, dtypes.store)
    known = layers if layers and "denoiser" not in ask.measured else None
    loads = [Load(name="denoiser", mib=mib, layers=known, uncounted=_uncounted(ask, about, dtypes))]
    if ask.others:
        loads.append(Load(name="others", mib=ask.others))
    cast = 0.0
    if dtypes.store != dtypes.compute and layers:
        wide = denoiser_layers(about.denoiser, dtypes.compute)
        cast = wide.largest if wide else 0.0
    elif dtypes.store != dtypes.compute:
        cast = 0.01 * part.params * 2 / MIB
    split = ask.flags.get("attention_split") or ask.flags.get("attention_quad")
    return peak.denoiser_phase(
        board, tuple(loads), width=ask.width, height=ask.height, batch=ask.batch, passes=ask.passes or about.passes,
        precision=dtypes.compute, factor=activations.SPLIT_FACTOR if split else activations.FACTOR, cast=cast,
        extra=ask.online_lora,
    )  # fmt: skip


def _uncounted(ask: Ask, about: Family, dtypes: Dtypes) -> float:
    """MiB that come onto the card and are not in "Model Require": tables, and what Q4_K grows by."""
    part = component(about.denoiser)
    grown = 0.0
    if dtypes.store in GROWS_TO:
        grown = part.block_linear * (GROWS_TO[dtypes.store] - 4.5) / 8 / MIB
    return part.buffers * 2 / MIB + grown


def _in_place(ask: Ask, about: Family, vae: float) -> peak.Phase:
    """Other programs quantise on the card: for a moment all of it is there in 16 bits."""
    mib = component(about.denoiser).mib("bf16")
    peak_mib = mib + encoders_mib(about, "fp16") + vae
    return peak.Phase(
        name="loading", outcome="ok", model_mib=mib, weights_mib=peak_mib, peak_mib=peak_mib, reserved_mib=peak_mib
    )


def _on_windows(phase: peak.Phase) -> peak.Phase:
    """The driver moves what does not fit into main memory: no error, a crawl."""
    return msgspec.structs.replace(phase, outcome="slow") if phase.outcome == "oom" else phase


def _bounded(phases: list[peak.Phase], ask: Ask) -> list[peak.Phase]:
    """With ``resident`` nothing is moved, so the card's size only decides whether it runs."""
    if not ask.resident or ask.free is None:
        return phases
    return [msgspec.structs.replace(one, outcome="oom" if one.peak_mib > ask.free else one.outcome) for one in phases]
