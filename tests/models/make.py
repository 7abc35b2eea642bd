"""Model files as they really are, without their weights: the names and shapes of every family, and sparse bodies.

    python -m tests.models.make FOLDER [NAME …]     writes NAME.safetensors, or all that are known

The counts of tensors and weights that these come to are compared with the published ones in test_families.py.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from forgedoctor.models.gguf import TYPES
from forgedoctor.models.headers import BITS
from tests.models import dits, encoders, unets
from tests.models.shapes import Shapes, prefixed

PREFIX = "model.diffusion_model."


def checkpoint(denoiser: Shapes, **parts: Shapes) -> Shapes:
    """A checkpoint; ``parts`` by the kind of bundle: cond, sdxl_l, first, …"""
    at = {
        "cond_l": "cond_stage_model.transformer.", "cond_h": "cond_stage_model.model.",
        "sdxl_l": "conditioner.embedders.0.transformer.", "sdxl_g": "conditioner.embedders.1.model.",
        "refiner_g": "conditioner.embedders.0.model.", "first": "first_stage_model.", "vae": "vae.",
        "te_l": "text_encoders.clip_l.transformer.", "te_g": "text_encoders.clip_g.transformer.",
        "te_t5": "text_encoders.t5xxl.transformer.",
    }  # fmt: skip
    whole = prefixed(PREFIX, denoiser)
    for name, part in parts.items():
        whole |= prefixed(at[name], part)
    return whole


DENOISERS: dict[str, Callable[[], Shapes]] = {
    "sd15": unets.sd15, "sd15_inpaint": lambda: unets.sd15(9), "sd15_ip2p": lambda: unets.sd15(8), "sd21": unets.sd21,
    "sd2_inpaint": lambda: unets.sd21(9), "sd2_depth": lambda: unets.sd21(5), "sdxl": unets.sdxl,
    "sdxl_inpaint": lambda: unets.sdxl(9), "sdxl_ip2p": lambda: unets.sdxl(8), "ssd1b": unets.ssd1b, "vega": unets.vega,
    "koala_700m": unets.koala_700m, "koala_1b": unets.koala_1b, "sdxl_refiner": unets.refiner,
    "sd3_medium": dits.sd3_medium, "sd35_medium": dits.sd35_medium, "sd35_large": dits.sd35_large,
    "flux_dev": dits.flux, "flux_schnell": lambda: dits.flux(guidance=False), "chroma": dits.chroma,
    "flux_channels": lambda: dits.flux(channels=384),
}  # fmt: skip
PARTS: dict[str, Callable[[], Shapes]] = {
    "clip_l": encoders.clip_l, "clip_g": encoders.clip_g_hf, "clip_h": lambda: prefixed("cond_stage_model.model.", encoders.clip_h()),
    "t5xxl": encoders.t5xxl, "vae_4ch": encoders.vae, "vae_16ch": lambda: encoders.vae(16),
}  # fmt: skip
ADAPTERS: dict[str, Callable[[], Shapes]] = {
    "controlnet_sd15": lambda: prefixed("control_model.", unets.controlnet(unets.sd15())),
    "controlnet_sd21": lambda: prefixed("control_model.", unets.controlnet(unets.sd21())),
    "controlnet_sdxl": lambda: prefixed("control_model.", unets.controlnet(unets.sdxl())),
    "lora_sd15": lambda: unets.lora(unets.sd15(), 16), "lora_sd21": lambda: unets.lora(unets.sd21(), 16),
    "lora_sdxl": lambda: unets.lora(unets.sdxl(), 32), "lora_flux_dev": lambda: dits.lora(dits.flux(), 16),
    "lora_sd3_medium": lambda: dits.lora(dits.sd3_medium(), 16),
}  # fmt: skip
FULL: dict[str, Callable[[], Shapes]] = {
    "sd15": lambda: checkpoint(unets.sd15(), cond_l=encoders.clip_l(), first=encoders.vae()),
    "sd21": lambda: checkpoint(unets.sd21(), cond_h=encoders.clip_h(), first=encoders.vae()),
    "sdxl": lambda: checkpoint(unets.sdxl(), sdxl_l=encoders.clip_l(), sdxl_g=encoders.clip_g(), first=encoders.vae()),
    "sdxl_refiner": lambda: checkpoint(unets.refiner(), refiner_g=encoders.clip_g(), first=encoders.vae()),
    "sd3_medium": lambda: checkpoint(
        dits.sd3_medium(), te_l=encoders.clip_l(), te_g=encoders.clip_g_hf(), te_t5=encoders.t5xxl(), first=encoders.vae(16)
    ),
    "flux_dev": lambda: checkpoint(
        dits.flux(), te_l=encoders.clip_l(), te_t5=encoders.t5xxl(), vae=encoders.vae(16)
    ),
    "chroma": lambda: checkpoint(dits.chroma(), te_t5=encoders.t5xxl(), vae=encoders.vae(16)),
}  # fmt: skip


def nf4(shapes: Shapes, *, double: bool = False) -> dict[str, tuple[str, tuple[int, ...]]]:
    """A denoiser in 4 bits, as bitsandbytes saves it: packed weights, with tables beside them."""
    made: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        if len(shape) != 2 or not name.endswith(".weight"):
            made[name] = ("BF16", shape)
            continue
        count = shape[0] * shape[1]
        made[name] = ("U8", (count // 2, 1))
        made[f"{name}.absmax"] = ("U8" if double else "F32", (count // 64,))
        made[f"{name}.quant_map"] = ("F32", (16,))
        made[f"{name}.quant_state.bitsandbytes__nf4"] = ("U8", (120,))
        if double:
            made[f"{name}.nested_absmax"] = ("F32", (count // 64 // 256 + 1,))
            made[f"{name}.nested_quant_map"] = ("F32", (256,))
    return made


def typed(shapes: Shapes, dtype: str = "F16") -> dict[str, tuple[str, tuple[int, ...]]]:
    """All tensors in one type."""
    return {name: (dtype, shape) for name, shape in shapes.items()}


def header(
    tensors: dict[str, tuple[str, tuple[int, ...]]], metadata: dict[str, str] | None = None
) -> tuple[bytes, int]:
    """(the JSON of a safetensors header, bytes of the data)."""
    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, (dtype, shape) in tensors.items():
        count = 1
        for one in shape:
            count *= one
        end = at + count * BITS[dtype] // 8
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8), at


def write(
    path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]], *, cut: int = 0, metadata: dict[str, str] | None = None
) -> Path:
    """A safetensors file with a sparse body; ``cut``: bytes that are missing at its end."""
    text, size = header(tensors, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + size - cut)
    return path


def write_gguf(
    path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]], *, architecture: str = "flux", cut: int = 0
) -> Path:
    """A GGUF file with a sparse body."""
    numbers = {name: (number, block, size) for number, (name, block, size) in TYPES.items()}

    def text(one: str) -> bytes:
        return struct.pack("<Q", len(one.encode())) + one.encode()

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 3)
    out += text("general.architecture") + struct.pack("<I", 8) + text(architecture)
    out += text("general.file_type") + struct.pack("<II", 4, 2)
    out += text("tokenizer.words") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b" * 70_000)
    at, rows = 0, b""
    for name, (dtype, shape) in tensors.items():
        number, block, size = numbers[dtype]
        rows += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", one) for one in shape[::-1])
        rows += struct.pack("<IQ", number, at)
        count = 1
        for one in shape:
            count *= one
        end = at + count * size // block
        at = -(-end // 32) * 32
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(out + rows)
        file.truncate(-(-len(out + rows) // 32) * 32 + (end if tensors else 0) - cut)
    return path


def quantised(shapes: Shapes, dtype: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    """A denoiser as converters write it to GGUF: matrices in that type, the rest in fp32."""
    return {
        name: (dtype if len(shape) == 2 and shape[1] % 256 == 0 else "F32", shape) for name, shape in shapes.items()
    }


def main(folder: str, names: list[str]) -> None:
    """Write the files that are asked for."""
    every = {**DENOISERS, **PARTS, **ADAPTERS, **{f"full_{name}": make for name, make in FULL.items()}}
    for name in names or sorted(every):
        print(write(Path(folder) / f"{name}.safetensors", typed(every[name]())))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
