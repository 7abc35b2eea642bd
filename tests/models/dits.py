"""The transformers of FLUX.1, Chroma and Stable Diffusion 3, as their published configurations say."""

from __future__ import annotations

from tests.models.shapes import Shapes, conv, linear


def _embedder(name: str, width: int, columns: int) -> Shapes:
    return linear(f"{name}.in_layer", width, columns) | linear(f"{name}.out_layer", width, width)


def _flux_blocks(*, modulated: bool) -> Shapes:
    made: Shapes = {}
    width, mlp, head = 3072, 12288, 128
    for number in range(19):
        for side in ("img", "txt"):
            at = f"double_blocks.{number}.{side}"
            made |= linear(f"{at}_mod.lin", 6 * width, width) if modulated else {}
            made |= linear(f"{at}_attn.qkv", 3 * width, width) | linear(f"{at}_attn.proj", width, width)
            made |= {f"{at}_attn.norm.query_norm.scale": (head,), f"{at}_attn.norm.key_norm.scale": (head,)}
            made |= linear(f"{at}_mlp.0", mlp, width) | linear(f"{at}_mlp.2", width, mlp)
    for number in range(38):
        at = f"single_blocks.{number}"
        made |= linear(f"{at}.linear1", 3 * width + mlp, width) | linear(f"{at}.linear2", width, width + mlp)
        made |= {f"{at}.norm.query_norm.scale": (head,), f"{at}.norm.key_norm.scale": (head,)}
        made |= linear(f"{at}.modulation.lin", 3 * width, width) if modulated else {}
    return made


def flux(*, guidance: bool = True, channels: int = 64) -> Shapes:
    made = linear("img_in", 3072, channels) | linear("txt_in", 3072, 4096)
    made |= _embedder("time_in", 3072, 256) | _embedder("vector_in", 3072, 768)
    made |= _embedder("guidance_in", 3072, 256) if guidance else {}
    made |= _flux_blocks(modulated=True)
    return made | linear("final_layer.linear", 64, 3072) | linear("final_layer.adaLN_modulation.1", 6144, 3072)


def chroma() -> Shapes:
    made = linear("img_in", 3072, 64) | linear("txt_in", 3072, 4096) | linear("final_layer.linear", 64, 3072)
    at = "distilled_guidance_layer"
    made |= linear(f"{at}.in_proj", 5120, 64) | linear(f"{at}.out_proj", 3072, 5120)
    for number in range(5):
        made |= linear(f"{at}.layers.{number}.in_layer", 5120, 5120) | linear(
            f"{at}.layers.{number}.out_layer", 5120, 5120
        )
        made |= {f"{at}.norms.{number}.scale": (5120,)}
    return made | _flux_blocks(modulated=False)


def mmdit(depth: int, positions: int, *, normed: bool, doubled: int = 0) -> Shapes:
    width = 64 * depth
    made = conv("x_embedder.proj", width, 16, 2) | {"pos_embed": (1, positions, width)}
    made |= linear("context_embedder", width, 4096)
    for name, columns in (("t_embedder", 256), ("y_embedder", 2048)):
        made |= linear(f"{name}.mlp.0", width, columns) | linear(f"{name}.mlp.2", width, width)
    for number in range(depth):
        at, last = f"joint_blocks.{number}", number == depth - 1
        made |= _side(f"{at}.context_block", width, 2 if last else 6, normed=normed, whole=not last)
        twice = number < doubled
        made |= _side(f"{at}.x_block", width, 9 if twice else 6, normed=normed, whole=True)
        made |= _attention(f"{at}.x_block.attn2", width, normed=normed, whole=True) if twice else {}
    return made | linear("final_layer.linear", 64, width) | linear("final_layer.adaLN_modulation.1", 2 * width, width)


def _attention(at: str, width: int, *, normed: bool, whole: bool) -> Shapes:
    made = linear(f"{at}.qkv", 3 * width, width) | (linear(f"{at}.proj", width, width) if whole else {})
    return made | ({f"{at}.ln_q.weight": (64,), f"{at}.ln_k.weight": (64,)} if normed else {})


def _side(at: str, width: int, parts: int, *, normed: bool, whole: bool) -> Shapes:
    made = linear(f"{at}.adaLN_modulation.1", parts * width, width)
    made |= _attention(f"{at}.attn", width, normed=normed, whole=whole)
    if whole:
        made |= linear(f"{at}.mlp.fc1", 4 * width, width) | linear(f"{at}.mlp.fc2", width, 4 * width)
    return made


def sd3_medium() -> Shapes:
    return mmdit(24, 36864, normed=False)


def sd35_medium() -> Shapes:
    return mmdit(24, 147456, normed=True, doubled=13)


def sd35_large() -> Shapes:
    return mmdit(38, 36864, normed=True)


def lora(base: Shapes, rank: int) -> Shapes:
    """As kohya's trainer names it: the matrices in the blocks."""
    made: Shapes = {}
    for name, shape in base.items():
        if name.endswith(".weight") and "_blocks." in name and len(shape) == 2:
            module = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
            made[f"{module}.alpha"] = ()
            made[f"{module}.lora_down.weight"] = (rank, shape[1])
            made[f"{module}.lora_up.weight"] = (shape[0], rank)
    return made
