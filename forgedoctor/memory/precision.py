"""The names of precisions, as people and files write them, and what they mean in memory."""

from __future__ import annotations

import re

import msgspec

# Bits a weight takes, scales included. Source: the block layouts of the gguf package.
GGUF_BITS = {
    "Q2_K": 2.625, "Q3_K": 3.4375, "Q4_0": 4.5, "Q4_K": 4.5, "Q4_1": 5.0, "Q5_0": 5.5, "Q5_K": 5.5, "Q5_1": 6.0,
    "Q6_K": 6.5625, "Q8_0": 8.5,
}  # fmt: skip
# Forge unpacks the scales of Q4_K when it loads, after the fit test: 144 bytes become 160 for 256 weights.
GROWS_TO = {"Q4_K": 5.0}
# What other programs make of a model. Source: published sizes after loading (FLUX.1 with T5, diffusers).
OTHER_BITS = {"int8": 8.5, "int4": 5.5}
PLAIN = ("fp32", "fp16", "bf16", "fp8", "nf4", "fp4")
NAMES = (*PLAIN, *OTHER_BITS, *GGUF_BITS)


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """``weights``: of the denoiser; ``encoders``: of the text encoders; ``everything`` is false where the name speaks
    of the denoiser alone, as that of a quantised file does. ``in_place``: quantised on the card, after all of it was
    loaded there in 16 bits (other programs do so: "fp8wo", "int8wo")."""

    weights: str
    encoders: str
    everything: bool
    in_place: bool = False


_PATTERNS = (
    (r"(?<![a-z0-9])i?q([2-8])_?(k|0|1)", ""),
    (r"nf4|bnb.?4|4bit", "nf4"),
    (r"(?<![nm])fp4", "fp4"),
    (r"float8|fp8|f8|e4m3|e5m2", "fp8"),
    (r"q?int8", "int8"),
    (r"q?int4", "int4"),
    (r"bf16|bfloat16", "bf16"),
    (r"fp16|float16|f16|half", "fp16"),
    (r"fp32|float32|f32|full|float$", "fp32"),
)


def precision_named(text: str) -> Precision | None:
    """What a precision's name means (``bf16``, ``FP8``, ``Q4_K_M``, ``int8wo transformer+T5``); None where nothing."""
    word = text.lower().strip()[:200]
    for pattern, name in _PATTERNS:
        found = re.search(pattern, word)
        if found is None:
            continue
        weights = name or _gguf(found[1], found[2])
        if not weights:
            return None
        both = "t5" in word or "text encoder" in word or re.search(r"\bte\d?\b", word) is not None
        # "quanto" quantises each component while it is loaded; so does "+T5".
        everything = weights in ("fp32", "fp16", "bf16")
        encoders = weights if everything or both or "quanto" in word else "fp16"
        in_place = bool(re.search(r"(fp8|int8|int4)wo", word)) and not both
        return Precision(weights=weights, encoders=encoders, everything=everything, in_place=in_place)
    return None


def _gguf(bits: str, kind: str) -> str:
    """The type's name in the table; a K type of that many bits where that very one is not in it."""
    name = f"Q{bits}_{kind.upper()}"
    return name if name in GGUF_BITS else ("Q8_0" if bits == "8" else "")


def bytes_of(precision: str) -> float:
    """Bytes of a number that is computed in this precision (what is only a way to store counts as 2)."""
    return 4.0 if precision == "fp32" else 2.0
