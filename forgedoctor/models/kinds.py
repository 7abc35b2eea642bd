"""What a model file is: a checkpoint, a VAE, a text encoder, a LoRA, … and of which family. From its header alone.

Source: backend/loader.py replace_state_dict (how Forge knows VAEs and text encoders),
modules_forge/supported_controlnet.py, the names that trainers of LoRAs write.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, NamedTuple

from forgedoctor.models import families
from forgedoctor.models.families import Tensors, rules
from forgedoctor.models.headers import Header

CHECKPOINT, VAE, ENCODER, LORA, CONTROLNET, EMBEDDING, UPSCALER, DIFFUSERS, UNKNOWN = (
    "checkpoint", "vae", "text-encoder", "lora", "controlnet", "embedding", "upscaler", "diffusers", "",
)  # fmt: skip
_SAMPLE = 24  # names by which a LoRA is known: they are alike from first to last


class Kind(NamedTuple):
    """``kind``: one of the above, or an adapter's (t2i-adapter, ip-adapter, control-lora). ``family``: family or part;
    empty where it is not known. ``prefix``: of the denoiser's names in a checkpoint."""

    kind: str
    family: str = ""
    prefix: str = ""


def kind_of(header: Header) -> Kind:
    """What a file with this header is."""
    tensors = header.tensors
    for one in rules()["adapters"]:
        if one["key"] in tensors:
            return Kind(one["kind"], _controlnet_family(tensors))
    if _is_lora(tensors):
        return Kind(LORA, _lora_family(tensors))
    found = families.denoiser(tensors)
    if found:
        return Kind(CHECKPOINT, found.family, found.prefix)
    if any(one["key"] in tensors and one["also"] in tensors for one in rules()["diffusers"]):
        return Kind(DIFFUSERS)
    return _part(tensors) or _embedding(tensors) or Kind(UNKNOWN)


def _is_lora(tensors: Tensors) -> bool:
    data = rules()["lora"]
    marks, starts = tuple(data["marks"]), tuple(data["starts"])
    return any(name.endswith(marks) or name.startswith(starts) for name in islice(tensors, _SAMPLE))


def _lora_family(tensors: Tensors) -> str:
    """By the blocks that it names, else by the width of the text that its cross-attention takes in."""
    data = rules()["lora"]
    name = next((name for name in data["likely"] if name in tensors), "")
    if not name:
        names = list(tensors)
        sample = "\n".join(names[:: max(1, len(names) // 200)])
        told = next((str(one["family"]) for one in data["words"] if one["word"] in sample), "")
        if told or "attn2" not in sample:
            return told
        name = next(filter(re.compile(data["cross"]).search, names), "")
    shape = tensors[name].shape if name else ()
    return str(data["columns"].get(str(shape[1]), "")) if len(shape) > 1 else ""


def _controlnet_family(tensors: Tensors) -> str:
    data = rules()["controlnet_families"]
    shape = next((tensors[key].shape for key in data["keys"] if key in tensors), ())
    return str(data["columns"].get(str(shape[1]), "")) if len(shape) > 1 else ""


def _part(tensors: Tensors) -> Kind | None:
    """A VAE or text encoder on its own."""
    data = rules()
    for one in data["vaes"]:
        tensor = tensors.get(one["key"])
        if tensor and len(tensor.shape) == 4:
            return Kind(VAE, data["vae_by_channels"].get(str(tensor.shape[1]), "vae_other"))
    for one in data["vae_others"]:
        if one["key"] in tensors and ("also" not in one or one["also"] in tensors):
            return Kind(VAE, one["part"])
    for one in data["encoders"]:
        if _is_encoder(tensors, one):
            return Kind(ENCODER, one["part"])
    return None


def _is_encoder(tensors: Tensors, rule: dict[str, Any]) -> bool:
    for key in rule["keys"]:
        tensor = tensors.get(key)
        if tensor and ("rows" not in rule or tensor.shape[:1] == (rule["rows"],)):
            return "also" not in rule or any(one in tensors for one in rule["also"])
    return False


def _embedding(tensors: Tensors) -> Kind | None:
    data = rules()["embeddings"]
    if len(tensors) > 4:
        return None
    shape = next((tensors[key].shape for key in data["keys"] if key in tensors), None)
    if shape is None:
        alone = list(tensors.values()) if len(tensors) == 1 else []
        shape = alone[0].shape if alone and len(alone[0].shape) in (1, 2) else None
    if shape is None:
        return None
    both = "clip_l" in tensors and "clip_g" in tensors
    return Kind(EMBEDDING, "sdxl" if both else data["columns"].get(str(shape[-1]) if shape else "", ""))
