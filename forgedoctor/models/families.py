"""Which family a denoiser is of, by the rules that Forge itself goes by, from names and shapes alone.

Forge adds "model.diffusion_model." to every name where no name begins so, then asks huggingface_guess, which derives a
configuration from a few tensors and takes the first class that it fits. The classes are data (data/families.json).
Weights in 4 bits are packed and have lost their shape; their columns are counted from a norm or bias beside them.

Source: huggingface_guess detection.py and model_list.py at the commit that Forge pins; backend/loader.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from forgedoctor.models.headers import Tensor

DATA = Path(__file__).parent / "data" / "families.json"
PREFIX = "model.diffusion_model."
_PREFIXES = (PREFIX, "", "net.", "model.")
_PACKED = (".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map")
Tensors = Mapping[str, Tensor]


class Denoiser(NamedTuple):
    """What was recognised. ``family``: a key of the families. ``prefix``: of its tensors' names; empty if bare."""

    family: str
    prefix: str


@cache
def rules() -> dict[str, Any]:
    """The recognition rules and families, as in data/families.json."""
    loaded: dict[str, Any] = msgspec.json.decode(DATA.read_bytes())
    return loaded


def name_of(family: str) -> str:
    """A family's or part's name for people; the id itself where none is known."""
    data = rules()
    found = data["families"].get(family)
    return str(found["name"] if found else data["parts"].get(family, family))


def loads(family: str, fork: str) -> bool | None:
    """Whether a fork has an engine for a family; None where that is not known."""
    known: bool | None = rules()["families"].get(family, {}).get("loads", {}).get(fork)
    return known


def needs(family: str) -> tuple[tuple[str, ...], str]:
    """(text encoders, VAE) that a family needs; both empty where that is not known."""
    found = rules()["families"].get(family, {})
    return tuple(found.get("text_encoders", ())), str(found.get("vae", ""))


def usual_files(family: str, parts: Sequence[str]) -> list[str]:
    """The names under which such parts are published for a family, where there are usual ones."""
    data = rules()
    names: dict[str, str] = data["usual"].get(data["families"].get(family, {}).get("bundle", ""), {})
    return [names[part] for part in parts if part in names]


def bundle_of(family: str) -> dict[str, list[str]]:
    """Under which prefixes a checkpoint of this family holds its text encoders and VAE."""
    data = rules()
    prefixes: dict[str, list[str]] = data["bundled"][data["families"].get(family, {}).get("bundle", "other")]
    return prefixes


def params(name: str, tensor: Tensor) -> int:
    """Weights in a tensor: two to a byte where it is packed in 4 bits. Tables beside a packed weight hold none."""
    return 0 if is_side(name) else elements(tensor.dtype, tensor.shape)


def elements(dtype: str, shape: tuple[int, ...]) -> int:
    """Weights in a tensor of this type and shape."""
    packed = dtype == "U8" and len(shape) == 2 and shape[1] == 1
    return prod(shape) * (2 if packed else 1)


def is_side(name: str) -> bool:
    """Whether a tensor belongs to the storage of a weight and is none itself (scales, tables of bitsandbytes)."""
    if ".weight." in name:
        return name.endswith(_PACKED) or ".quant_state." in name
    return name.endswith(("scale_weight", "scale_input", "weight_scale", "input_scale", "scaled_fp8"))


def denoiser(tensors: Tensors) -> Denoiser | None:
    """The denoiser in a file, if there is one."""
    for prefix in _PREFIXES:
        family = _family(tensors, prefix)
        if family:
            return Denoiser(family, prefix)
    return None


def _family(tensors: Tensors, prefix: str) -> str:
    for one in rules()["newer"]:
        tensor = tensors.get(prefix + one["key"])
        if tensor and _fits(one, tensor) and ("also" not in one or prefix + one["also"] in tensors):
            return str(one["family"])
    layout = next((one["layout"] for one in rules()["layouts"] if prefix + one["key"] in tensors), "")
    readers = {"mmdit": _mmdit, "flux": _flux, "unet": _unet}
    plain = {"cascade": "cascade", "audio": "stable_audio", "aura": "auraflow", "hydit": "hunyuan_dit"}
    return readers[layout](tensors, prefix) if layout in readers else plain.get(layout, "")


def _fits(rule: dict[str, Any], tensor: Tensor) -> bool:
    return "rows" not in rule or tensor.shape[:1] == (rule["rows"],)


def _mmdit(tensors: Tensors, prefix: str) -> str:
    """SD3 and SD3.5; Forge's class asks for 16 channels and nothing else."""
    patch = tensors.get(f"{prefix}x_embedder.proj.weight")
    if patch is None or len(patch.shape) < 2 or patch.shape[1] != 16:
        return "unknown_mmdit"
    if patch.shape[0] // 64 == 38:
        return "sd35_large"
    double = f"{prefix}joint_blocks.0.x_block.attn2.qkv.weight" in tensors
    return "sd35_medium" if double else "sd3_medium"


def _flux(tensors: Tensors, prefix: str) -> str:
    """Forge takes 64 input columns for granted; more of them are masks or control pictures."""
    if f"{prefix}distilled_guidance_layer.layers.0.in_layer.bias" in tensors:
        return "chroma"
    columns = columns_of(tensors, f"{prefix}img_in")
    if columns not in (None, 64):
        return "flux_channels"
    return "flux_dev" if f"{prefix}guidance_in.in_layer.weight" in tensors else "flux_schnell"


def _unet(tensors: Tensors, prefix: str) -> str:
    config = unet_config(tensors, prefix)
    for one in rules()["guesses"]:
        fits = all(config.get(key, "?") == value for key, value in one["match"].items())
        if fits and all(key in tensors for key in one.get("requires", ())):
            return str(one.get("by_channels", {}).get(str(config["in_channels"]), one["family"]))
    return "unknown_unet"


def unet_config(tensors: Tensors, prefix: str) -> dict[str, Any]:
    """What huggingface_guess derives of a UNet, as far as its classes ask for it."""
    first = tensors[f"{prefix}input_blocks.0.0.weight"].shape
    label = f"{prefix}label_emb.0.0"
    depths: list[int] = []
    context, linear, temporal = None, False, False
    block = 0
    while block < 64 and (block == 0 or _has_block(tensors, f"{prefix}input_blocks.{block}.")):
        at = f"{prefix}input_blocks.{block}."
        if f"{at}0.op.weight" not in tensors and f"{at}0.in_layers.0.weight" in tensors:
            depth = _depth(tensors, f"{at}1.transformer_blocks.")
            depths.append(depth)
            if depth and context is None:
                context = _context(tensors, f"{at}1.transformer_blocks.0.")
                project = tensors.get(f"{at}1.proj_in.weight")
                linear = project is not None and len(project.shape) == 2
                temporal = any(
                    f"{at}1.{one}.0.attn1.to_q.weight" in tensors for one in ("time_stack", "time_mix_blocks")
                )
        block += 1
    return {
        "model_channels": first[0] if first else 0,
        "in_channels": first[1] if len(first) > 1 else 0,
        "adm": columns_of(tensors, label) if f"{label}.weight" in tensors else None,
        "depth": depths,
        "context_dim": context,
        "linear": linear,
        "temporal": temporal,
    }


def _has_block(tensors: Tensors, at: str) -> bool:
    return f"{at}0.op.weight" in tensors or f"{at}0.in_layers.0.weight" in tensors


def _depth(tensors: Tensors, at: str) -> int:
    depth = 0
    while depth < 64 and (f"{at}{depth}.norm1.weight" in tensors or f"{at}{depth}.attn2.to_k.weight" in tensors):
        depth += 1
    return depth


def _context(tensors: Tensors, at: str) -> int | None:
    """Columns of the cross-attention's key: where packed, by the rows, which are those of the norm."""
    key, norm = tensors.get(f"{at}attn2.to_k.weight"), tensors.get(f"{at}norm1.weight")
    if key is None:
        return None
    if key.dtype == "U8" and norm is not None and norm.shape[:1] > (0,):
        return params(f"{at}attn2.to_k.weight", key) // norm.shape[0]
    return key.shape[1] if len(key.shape) > 1 else None


def columns_of(tensors: Tensors, at: str) -> int | None:
    """Columns of a linear layer; where packed, by the rows of its bias. None where neither tells."""
    weight, bias = tensors.get(f"{at}.weight"), tensors.get(f"{at}.bias")
    if weight is None:
        return None
    if weight.dtype == "U8":
        return params(f"{at}.weight", weight) // bias.shape[0] if bias is not None and bias.shape[:1] > (0,) else None
    return weight.shape[1] if len(weight.shape) > 1 else None
