"""The plan that the memory checks judge: the chosen checkpoint, at its usual size, on the card that Forge gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from forgedoctor import fixes
from forgedoctor.check import Evidence, Fix, NotApplicable, Undecided, manual, plain, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, MemorySettings, Models
from forgedoctor.memory.activations import CONTEXT
from forgedoctor.memory.advice import Advice, advice
from forgedoctor.memory.arithmetic import RESERVE
from forgedoctor.memory.asking import DESKTOP
from forgedoctor.memory.dtypes import Card
from forgedoctor.memory.plan import Ask, Plan, plan
from forgedoctor.memory.subjects import of_seen
from forgedoctor.memory.typed import Asked

OWN_MANAGER = ("forge",)  # whose memory manager this arithmetic is


class Planned(NamedTuple):
    """The plan, the model's file name, and where the reserve comes from."""

    made: Plan
    model: str
    stored: float | None


def planned(
    launch: Launch,
    models: Models,
    gpus: Gpus,
    choice: GpuChoice | None,
    host: Host | None,
    stored: MemorySettings | None,
) -> Planned:
    """Raises NotApplicable where no model is chosen or the fork manages memory otherwise, Undecided where the card is
    not known."""
    if launch.effective.fork not in OWN_MANAGER:
        raise NotApplicable(t("this fork has another memory manager"))
    if launch.effective.exit is not None:
        raise NotApplicable(t("nothing is about to be started"))
    seen = models.checkpoint
    if seen is None:
        raise NotApplicable(t("no checkpoint is chosen in the settings, or it was not looked into"))
    subject = of_seen(seen, Asked())
    if not isinstance(subject, tuple):
        raise NotApplicable(subject)
    reserve = _reserve(launch, stored)
    card, free = _card(gpus, choice, launch, host)
    ask = msgspec.structs.replace(
        _in_low_bits(_with_modules(subject[1], models), stored),
        card=card,
        free=free,
        flags=dict(launch.effective.options),
        reserve=reserve,
        windows=bool(host and host.system == "windows"),
    )
    return Planned(plan(ask), seen.name, stored.reserve_mib if stored else None)


def _reserve(launch: Launch, stored: MemorySettings | None) -> float:
    """With --nowebui nothing puts the stored value into force; the page does when it is opened."""
    if launch.effective.mode == "api-only" or stored is None or stored.reserve_mib is None:
        return RESERVE
    return stored.reserve_mib


def _with_modules(ask: Ask, models: Models) -> Ask:
    """The precision of a T5 file that is chosen beside the checkpoint."""
    from forgedoctor.memory.precision import precision_named

    for one in models.chosen_modules:
        found = precision_named(one.precision) if one.family == "t5xxl" else None
        if found:
            precision = msgspec.structs.replace(ask.precision, encoders=found.weights)
            return msgspec.structs.replace(ask, precision=precision)
    return ask


def _in_low_bits(ask: Ask, stored: MemorySettings | None) -> Ask:
    """Diffusion in Low Bits, which counts for files in 16 or 32 bits."""
    from forgedoctor.memory.precision import precision_named

    wanted = precision_named(stored.low_bits) if stored and stored.low_bits else None
    if wanted is None or ask.precision.weights not in ("fp32", "fp16", "bf16"):
        return ask
    precision = msgspec.structs.replace(ask.precision, weights=wanted.weights)
    return msgspec.structs.replace(ask, precision=precision, measured={})


def _card(gpus: Gpus, choice: GpuChoice | None, launch: Launch, host: Host | None) -> tuple[Card | None, float | None]:
    if launch.given("always_cpu"):
        return None, None
    alive = gpus.alive
    if not alive:
        raise NotApplicable(t("there is no NVIDIA card that can be asked"))
    index = choice.index if choice else None
    if index is None and len(alive) > 1 and len({(one.name, one.total_mib) for one in alive}) > 1:
        raise Undecided(t("which of the cards Forge gets is not known"), t("choose one with --gpu-device-id N"))
    found = next((one for one in alive if one.index == index), alive[0])
    if not found.total_mib:
        raise Undecided(t("the card does not tell how much memory it has"))
    card = Card(name=found.name, total_mib=float(found.total_mib), capability=found.capability)
    # A Forge that runs already holds memory of its own, which it can give back.
    desktop = DESKTOP["windows" if host and host.system == "windows" else "linux"]
    usual = found.total_mib - CONTEXT - desktop
    now = found.free_mib - CONTEXT if found.free_mib is not None and not launch.running else usual
    return card, max(0.0, min(now, found.total_mib - CONTEXT))


def evidence(of: Planned) -> list[Evidence]:
    """The model, the card, and the line that Forge will print."""
    made = of.made
    card = made.ask.card.name if made.ask.card else ""
    found = [
        Evidence(
            t("{model} at {width}x{height} on {card}, with about {free} MiB free for Forge",
              model=of.model, width=made.ask.width, height=made.ask.height, card=card, free=f"{made.ask.free or 0:.0f}"),
        )
    ]  # fmt: skip
    if made.fit:
        it = made.fit
        line = (
            f"Model Require: {it.model_mib:.2f} MB, Inference Require: {it.reserve_mib:.2f} MB, "
            f"Remaining: {it.remaining_mib:.2f} MB"
        )
        found.append(Evidence(plain(line), source="forgedoctor fit"))
    return found


def remedies(of: Planned, launch: Launch, only: Sequence[str] = ()) -> list[Fix]:
    """What helps, by planning again with each change; at most three."""
    found = [one for one in advice(of.made) if not only or one.change.id in only]
    return [_fix(one, launch) for one in found[:3]]


def _fix(one: Advice, launch: Launch) -> Fix:
    change = one.change
    if change.flags:
        return fixes.change_flags(launch, add=list(change.flags))
    if change.id == "state":
        return fixes.change_flags(launch, drop=["--" + flag.replace("_", "-") for flag in ("always_high_vram", "always_gpu", "always_no_vram", "always_low_vram", "always_cpu")])  # fmt: skip
    if change.id == "gpu-weights":
        return weights_fix(change.ask.reserve, change.ask.card)
    return Fix(title=t("Or {change}:", change=change.said), steps=(manual(change.said),))


def weights_fix(reserve: float, card: Card | None) -> Fix:
    """Set what is kept for computing, in the page or through the API."""
    weights = int(card.total_mib) - int(reserve) if card else 0
    steps = (
        manual(t("in the page: set GPU Weights (MB) at the top to {weights}", weights=weights)),
        manual(
            t('through the API: POST {{"forge_inference_memory": {reserve}}} to /sdapi/v1/options; if that value is stored already, post another one first', reserve=int(reserve))
        ),
    )  # fmt: skip
    return Fix(title=t("Keep {reserve} MB for computing:", reserve=int(reserve)), steps=steps)
