"""What Forge computes and stores in on a given card, and where the text encoders run.

Source: ``should_use_fp16``, ``should_use_bf16``, ``unet_dtype``, ``vae_dtype``, ``text_encoder_device`` of
backend/memory_management.py in Forge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgedoctor.memory.arithmetic import MIB, RESERVE
from forgedoctor.memory.families import Family, component
from forgedoctor.memory.precision import Precision

# Names on which Forge refuses to compute in fp16, whatever their capability.
_PASCAL = (
    "1080", "1070", "titan x", "p3000", "p3200", "p4000", "p4200", "p5000", "p5200", "p6000", "1060", "1050", "p40",
    "p100", "p6", "p4",
)  # fmt: skip
_STORED_IN = (
    ("unet_in_bf16", "bf16"), ("unet_in_fp16", "fp16"), ("unet_in_fp8_e4m3fn", "fp8"), ("unet_in_fp8_e5m2", "fp8"),
)  # fmt: skip
_NO_FP16 = ("1660", "1650", "1630", "T500", "T550", "T600", "MX550", "MX450", "CMP 30HX", "T2000", "T1000", "T1200")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A graphics card. ``total_mib`` 0: not known. ``capability``: of NVIDIA cards. ``vendor``: nvidia, amd, intel,
    apple, directml."""

    name: str = ""
    total_mib: float = 0.0
    capability: tuple[int, int] | None = None
    vendor: str = "nvidia"


class Dtypes(msgspec.Struct, frozen=True, kw_only=True):
    """``compute`` and ``store`` of the denoiser, ``vae``, ``encoders`` (T5 mostly), and what of it is on the card."""

    compute: str
    store: str
    vae: str
    encoders: str
    encoders_on_gpu: bool = True
    vae_on_gpu: bool = True


def state_of(flags: Mapping[str, Any], card: Card | None = None) -> str:
    """Forge's memory state: normal, low, no, high, gpu (high, and nothing is ever moved off), cpu, shared (Apple)."""
    if card is not None and card.vendor == "apple" and not flags.get("always_cpu"):
        return "shared"  # set last in Forge, so no flag but --always-cpu changes it
    for flag, state in (
        ("always_cpu", "cpu"),
        ("always_low_vram", "low"),
        ("always_no_vram", "no"),
        ("always_gpu", "gpu"),
        ("always_high_vram", "high"),
    ):
        if flags.get(flag):
            return state
    return "normal"


def fp16_computes(card: Card | None, flags: Mapping[str, Any]) -> bool:
    """Whether Forge computes in fp16 there; a card that is not known is taken for a present-day one."""
    if flags.get("all_in_fp16"):
        return True
    if flags.get("all_in_fp32") or flags.get("always_cpu"):
        return False
    if card is None or card.vendor in ("amd", "intel", "apple"):
        return True
    if card.vendor == "directml":
        return False
    if card.capability is None or card.capability[0] >= 8:
        return True
    if card.capability[0] < 7 or any(word in card.name.lower() for word in _PASCAL):
        return False
    return not any(word in card.name for word in _NO_FP16)


def bf16_native(card: Card | None, flags: Mapping[str, Any]) -> bool:
    """Whether Forge takes bf16 for what prefers it."""
    if flags.get("all_in_fp32") or flags.get("always_cpu"):
        return False
    if card is None or card.vendor in ("intel", "apple"):
        return True
    return card.vendor == "nvidia" and (card.capability is None or card.capability[0] >= 8)


def choose(
    family: Family,
    asked: Precision,
    card: Card | None,
    flags: Mapping[str, Any],
    *,
    free: float | None = None,
    reserve: float = RESERVE,
) -> Dtypes:
    """What Forge makes of a model in that precision on that card, with these flags (argparse's names).

    Without a card the precision asked for is taken for everything, as other programs do it; SDXL's VAE alone is then
    computed in 32 bits, because it gives black images in fp16.
    """
    compute = _compute(family, asked, card, flags)
    return Dtypes(
        compute=compute,
        store=_store(family, asked, compute, card, flags, free, reserve),
        vae=_vae(family, asked, card, flags),
        encoders=_encoders(asked, flags),
        encoders_on_gpu=_encoders_on_gpu(card, flags),
        vae_on_gpu=not (flags.get("vae_in_cpu") or flags.get("always_cpu")),
    )


def _compute(family: Family, asked: Precision, card: Card | None, flags: Mapping[str, Any]) -> str:
    if card is None and not flags.get("always_cpu"):
        return asked.weights if asked.weights in ("fp32", "fp16", "bf16") else family.compute
    order = ("bf16", "fp16") if family.compute == "bf16" else ("fp16", "bf16")
    works = {"fp16": fp16_computes(card, flags), "bf16": bf16_native(card, flags)}
    return next((name for name in order if works[name]), "fp32")


def _store(
    family: Family, asked: Precision, compute: str, card: Card | None, flags: Mapping[str, Any],
    free: float | None, reserve: float,
) -> str:  # fmt: skip
    if asked.weights not in ("fp32", "fp16", "bf16"):
        return asked.weights  # such a file keeps its kind
    for flag, name in _STORED_IN:
        if flags.get(flag):
            return name
    if card is None and not flags.get("always_cpu"):
        return asked.weights
    if compute == "fp32" and free is not None and card is not None and card.vendor == "nvidia":
        wide = component(family.denoiser).params * 4 / MIB
        return "fp16" if wide > 0.9 * free - reserve else "fp32"
    return compute


def _vae(family: Family, asked: Precision, card: Card | None, flags: Mapping[str, Any]) -> str:
    for name in ("fp16", "bf16", "fp32"):
        if flags.get(f"vae_in_{name}"):
            return name
    if flags.get("vae_in_cpu") or flags.get("always_cpu"):
        return "fp32"
    if card is not None:
        return "bf16" if card.vendor in ("nvidia", "intel") and bf16_native(card, {}) else "fp32"
    if asked.weights in ("fp32", "fp16"):
        return "fp32" if asked.weights == "fp32" or family.vae_unsafe_in_fp16 else "fp16"
    return "bf16"


def _encoders(asked: Precision, flags: Mapping[str, Any]) -> str:
    if flags.get("clip_in_fp8_e4m3fn") or flags.get("clip_in_fp8_e5m2"):
        return "fp8"
    if flags.get("clip_in_fp32"):
        return "fp32"
    if flags.get("clip_in_fp16"):
        return "fp16"
    return asked.encoders


def _encoders_on_gpu(card: Card | None, flags: Mapping[str, Any]) -> bool:
    state = state_of(flags, card)
    if flags.get("always_gpu") and state != "cpu":
        return True
    return state in ("normal", "high") and fp16_computes(card, flags)
