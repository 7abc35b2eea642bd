"""What would help: the plan is made again with one thing changed, for each thing that can be changed.

No table of advice: a change is told only where the plan with it is better, and with what it makes of the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from forgedoctor.memory import activations
from forgedoctor.memory.arithmetic import WARNED_BELOW
from forgedoctor.memory.dtypes import fp16_computes
from forgedoctor.memory.families import family
from forgedoctor.memory.plan import Ask, Plan, plan
from forgedoctor.memory.precision import PLAIN, Precision
from forgedoctor.message import Message, t

WORTH = 50.0  # cost below which a difference is not worth a word
_NORMAL_FLAGS = ("always_high_vram", "always_gpu", "always_no_vram", "always_low_vram", "always_cpu")


class Change(NamedTuple):
    """One change. ``id``: gpu-weights, precision, vae-dtype, text-encoders, resolution, batch, offload, state.
    ``penalty``: what it costs in quality or comfort, in the unit of :func:`cost`."""

    id: str
    said: Message
    ask: Ask
    penalty: float = 0.0
    flags: tuple[str, ...] = ()


class Advice(NamedTuple):
    """A change that helps, and the plan with it."""

    change: Change
    plan: Plan


def cost(made: Plan) -> float:
    """How bad a plan is, in MiB copied for each pass; 0 where all is well."""
    total = 0.0
    for one in made.phases:
        total += {"oom": 1e7, "slow": 1e6, "tiled": 300.0, "tight": 150.0}.get(one.outcome, 0.0)
        if one.outcome in ("oom", "slow"):
            total += one.peak_mib
        if one.outcome == "cpu" and one.name != "denoiser":
            total += 500.0 if one.name == "text encoders" else 3000.0
        if one.outcome == "cpu" and one.name == "denoiser":
            total += 1e6
        if one.fit:
            total += one.fit.swap_mib * (1.0 if one.name == "denoiser" else 0.1)
        total += 200.0 if one.warns else 0.0
    return total


def advice(made: Plan) -> tuple[Advice, ...]:
    """The changes that help, the best first; empty where all is well or no card is known."""
    if made.decision == "unknown" or cost(made) < WORTH:
        return ()
    bad = cost(made)
    best: dict[str, tuple[float, Advice]] = {}
    for change in changes(made):
        changed = plan(change.ask)
        worth = cost(changed)
        if bad - worth < WORTH or changed.decision == "oom":
            continue
        rank = worth + change.penalty
        if change.id not in best or rank < best[change.id][0]:
            best[change.id] = (rank, Advice(change, changed))
    return tuple(one for _, one in sorted(best.values(), key=lambda pair: pair[0]))


def changes(made: Plan) -> Iterator[Change]:
    """Every single change that is possible here."""
    ask = made.ask
    yield from _states(ask)
    if made.state != "cpu":
        yield from _reserves(made)
        yield from _precisions(made)
        yield from _vae(made)
        yield from _sizes(ask)
        if not ask.flags.get("always_offload_from_vram"):
            changed = _with(ask, always_offload_from_vram=True)
            said = t("start with --always-offload-from-vram, which unloads all else before each load")
            yield Change("offload", said, changed, 30.0, ("--always-offload-from-vram",))


def _states(ask: Ask) -> Iterator[Change]:
    given = [flag for flag in _NORMAL_FLAGS if ask.flags.get(flag)]
    if given:
        flags = {name: value for name, value in ask.flags.items() if name not in given}
        names = ", ".join("--" + one.replace("_", "-") for one in given)
        yield Change("state", t("drop {flags}", flags=names), msgspec.structs.replace(ask, flags=flags))


def _reserves(made: Plan) -> Iterator[Change]:
    ask = made.ask
    about = family(ask.family)
    estimate = activations.denoiser_estimate(
        ask.width, ask.height, ask.batch, precision=made.dtypes.compute, passes=ask.passes or about.passes
    )
    for value in sorted({WARNED_BELOW, 768.0, 512.0, 2048.0, 3072.0, 4096.0, float(int(estimate + 512))}):
        if value == ask.reserve:
            continue
        changed = msgspec.structs.replace(ask, reserve=value)
        if ask.card and ask.card.total_mib > value:
            weights = int(ask.card.total_mib) - int(value)
            said = t(
                "set GPU Weights to {weights} MB (forge_inference_memory {reserve})",
                weights=weights,
                reserve=int(value),
            )
        else:
            said = t("set forge_inference_memory to {reserve} (that much less for GPU Weights)", reserve=int(value))
        yield Change("gpu-weights", said, changed, 80.0 if value < 1024 else 0.0)


_SMALLER = (("fp8", 150.0), ("Q8_0", 140.0), ("nf4", 250.0), ("Q5_K", 260.0), ("Q4_K", 320.0))


def _precisions(made: Plan) -> Iterator[Change]:
    ask = made.ask
    about = family(ask.family)
    now = made.phase("denoiser")
    large = about.denoiser.startswith(("flux", "chroma", "sd35", "sd3"))
    for name, penalty in _SMALLER:
        if name == ask.precision.weights or (not large and name not in PLAIN):
            continue
        if name == "nf4" and not (ask.card is None or ask.card.vendor == "nvidia"):
            continue  # bitsandbytes needs CUDA
        asked = msgspec.structs.replace(ask.precision, weights=name, encoders=ask.precision.encoders, in_place=False)
        changed = msgspec.structs.replace(ask, precision=asked, measured={})
        if now and plan(changed).phases and _weights(changed) >= now.model_mib:
            continue
        yield Change("precision", t("use a {precision} file of this model", precision=name), changed, penalty)
    if "t5xxl" in about.encoders and ask.precision.encoders in ("fp16", "bf16", "fp32"):
        asked = Precision(weights=ask.precision.weights, encoders="fp8", everything=False)
        changed = msgspec.structs.replace(ask, precision=asked)
        yield Change("text-encoders", t("use the fp8 file of the T5 text encoder"), changed, 60.0)


def _weights(ask: Ask) -> float:
    phase = plan(ask).phase("denoiser")
    return phase.model_mib if phase else 0.0


def _vae(made: Plan) -> Iterator[Change]:
    if made.dtypes.vae != "fp32" or made.ask.card is None:
        return
    unsafe = family(made.ask.family).vae_unsafe_in_fp16
    flag = "vae_in_fp16" if fp16_computes(made.ask.card, made.ask.flags) else "vae_in_bf16"
    flags = {name: value for name, value in made.ask.flags.items() if name not in ("vae_in_fp32", "vae_in_cpu")}
    changed = msgspec.structs.replace(made.ask, flags={**flags, flag: True})
    name = "--" + flag.replace("_", "-")
    said = t("start with {flag}", flag=name)
    if unsafe and flag == "vae_in_fp16":
        said = t("start with {flag} and a VAE made for it: SDXL's own gives black images in fp16", flag=name)
    yield Change("vae-dtype", said, changed, 120.0 if unsafe else 20.0, (name,))


def _sizes(ask: Ask) -> Iterator[Change]:
    if ask.batch > 1:
        one = msgspec.structs.replace(ask, batch=1)
        yield Change("batch", t("make one image at a time (batch size 1)"), one, 50.0)
    for share in (0.75, 0.5, 0.375, 0.25):
        width, height = (max(64, int(edge * share) // 64 * 64) for edge in (ask.width, ask.height))
        if (width, height) != (ask.width, ask.height):
            smaller = msgspec.structs.replace(ask, width=width, height=height)
            said = t("make the images {width}x{height}", width=width, height=height)
            yield Change("resolution", said, smaller, 400.0 / share)


def _with(ask: Ask, **flags: Any) -> Ask:
    return msgspec.structs.replace(ask, flags={**ask.flags, **flags})
