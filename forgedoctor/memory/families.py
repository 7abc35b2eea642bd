"""The model families that Forge can load, their parts and how large these are.

Source: ``data/footprint.json``; its ``source`` says how the numbers were had.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec

from forgedoctor.memory.arithmetic import MIB
from forgedoctor.memory.precision import GGUF_BITS, OTHER_BITS

DATA = Path(__file__).parent / "data" / "footprint.json"
NF4_BYTES = 0.55  # a weight in 4 bits with its share of scales, as Forge counts it


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a model, in parameters.

    ``linear``: of them in weights of linear layers (what NF4 quantises); ``block_linear``: in those within transformer
    blocks (what GGUF files quantise). ``buffers``: tables in the file that Forge does not count. ``kept_fp32``: held in
    32 bits whatever is asked for (T5). ``embedding``: CLIP's, 32 bits wide from the first prompt on. ``projection``:
    CLIP's text projection, which SDXL does without.
    """

    role: str
    params: int
    linear: int = 0
    block_linear: int = 0
    buffers: int = 0
    kept_fp32: int = 0
    embedding: int = 0
    projection: int = 0

    def mib(self, precision: str) -> float:
        """MiB in memory in that precision, as Forge's "Model Require" counts it."""
        if precision in ("nf4", "fp4"):
            return (self.linear * NF4_BYTES + (self.params - self.linear) * 2) / MIB
        bits = GGUF_BITS.get(precision) or OTHER_BITS.get(precision)
        if bits and self.kept_fp32:
            return (self.kept_fp32 * 4 + (self.params - self.kept_fp32) * bits / 8) / MIB
        if bits:
            quantised = self.block_linear or self.linear
            return (quantised * bits / 8 + (self.params - quantised) * 2) / MIB
        each = {"fp32": 4, "fp8": 1}.get(precision, 2)
        return (self.kept_fp32 * 4 + (self.params - self.kept_fp32) * each) / MIB


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A model family. ``size``: its usual edge in pixels. ``passes``: denoiser runs per step (2: prompt and negative
    prompt). ``compute``: the precision it is computed in where the card can. ``vae_unsafe_in_fp16``: its stock VAE
    gives black images in fp16."""

    name: str
    denoiser: str
    encoders: tuple[str, ...]
    vae: str
    size: int
    passes: int
    compute: str
    vae_unsafe_in_fp16: bool = False
    projection: bool = True
    controlnet: str = ""
    lora_per_rank: int = 0


class _Table(msgspec.Struct, frozen=True):
    components: dict[str, Component]
    families: dict[str, Family]


@cache
def table() -> _Table:
    """The package's table."""
    return msgspec.json.decode(DATA.read_bytes(), type=_Table)


def component(name: str) -> Component:
    """A part by its name in the table."""
    return table().components[name]


def family(key: str) -> Family:
    """A family by its key in the table."""
    return table().families[key]


def encoders_mib(one: Family, precision: str = "fp16", *, later: bool = False) -> float:
    """MiB of a family's text encoders together (JointTextEncoder).

    ``precision``: of T5, and of CLIP where that is no quantised file's (fp8 T5 comes with fp16 CLIP). ``later``: after
    the first prompt, when CLIP's embeddings have become 32 bits wide.
    """
    total = 0.0
    for name in one.encoders:
        part = component(name)
        asked = precision if part.kept_fp32 or precision in ("fp32", "fp16", "bf16") else "fp16"
        total += part.mib(asked)
        if name == "clip_l" and not one.projection:
            total -= part.projection * (4 if asked == "fp32" else 2) / MIB
        if later and asked != "fp32":
            total += part.embedding * 2 / MIB
    return total


_SPELLINGS = (
    # More telling patterns first; matched against the name in lower case without blanks, dots, dashes, underscores.
    (r"chroma", "chroma"),
    (r"flux.*schnell|schnell", "flux_schnell"),
    (r"flux", "flux_dev"),
    (r"(sd|stablediffusion)35large", "sd35_large"),
    (r"(sd|stablediffusion)35", "sd35_medium"),
    (r"(sd|stablediffusion)3", "sd3_medium"),
    (r"ssd1b", "ssd1b"),
    (r"vega", "vega"),
    (r"koala700", "koala_700m"),
    (r"koala", "koala_1b"),
    (r"(sd|stablediffusion)?xl.*refiner", "sdxl_refiner"),
    (r"(sd|stablediffusion)?xl.*inpaint", "sdxl_inpaint"),
    (r"(sd|stablediffusion)?xl|pony|illustrious|noobai|playground25|animagine", "sdxl"),
    (r"(sd|stablediffusion)(v)?2\d?.*inpaint", "sd2_inpaint"),
    (r"(sd|stablediffusion)(v)?2\d?.*depth", "sd2_depth"),
    (r"(sd|stablediffusion)(v)?2", "sd21"),
    (r"instructpix2pix|ip2p", "sd15_ip2p"),
    (r"(sd|stablediffusion)(v)?1.*inpaint", "sd15_inpaint"),
    (r"(sd|stablediffusion)(v)?1|^sd$|^stablediffusion$", "sd15"),
)


def family_named(name: str) -> str:
    """The key of the family that a name means (``FLUX.1-dev`` is ``flux_dev``); empty where none is meant."""
    keys = table().families
    plain = re.sub(r"[^a-z0-9]", "", name.lower()[:200])
    for key in keys:
        if plain in (key.replace("_", ""), re.sub(r"[^a-z0-9]", "", keys[key].name.lower())):
            return key
    return next((key for pattern, key in _SPELLINGS if re.search(pattern, plain)), "")
