"""The UNets of Stable Diffusion and its kin, as their published configurations say."""

from __future__ import annotations

from itertools import pairwise

from tests.models.shapes import Shapes, conv, linear, norm


def _res(at: str, rows_in: int, rows: int, emb: int) -> Shapes:
    made = norm(f"{at}in_layers.0", rows_in) | conv(f"{at}in_layers.2", rows, rows_in)
    made |= (
        linear(f"{at}emb_layers.1", rows, emb) | norm(f"{at}out_layers.0", rows) | conv(f"{at}out_layers.3", rows, rows)
    )
    return made | (conv(f"{at}skip_connection", rows, rows_in, 1) if rows_in != rows else {})


def _attention(at: str, width: int, depth: int, context: int, by_matrix: bool) -> Shapes:
    project = linear if by_matrix else lambda name, rows, columns: conv(name, rows, columns, 1)
    made = norm(f"{at}norm", width) | project(f"{at}proj_in", width, width)
    for number in range(depth):
        block = f"{at}transformer_blocks.{number}."
        for name, source in (("attn1", width), ("attn2", context)):
            made |= linear(f"{block}{name}.to_q", width, width, bias=False)
            made |= linear(f"{block}{name}.to_k", width, source, bias=False)
            made |= linear(f"{block}{name}.to_v", width, source, bias=False)
            made |= linear(f"{block}{name}.to_out.0", width, width)
        made |= linear(f"{block}ff.net.0.proj", 8 * width, width) | linear(f"{block}ff.net.2", width, 4 * width)
        for name in ("norm1", "norm2", "norm3"):
            made |= norm(f"{block}{name}", width)
    return made | project(f"{at}proj_out", width, width)


def unet(
    *, channels: int = 320, inputs: int = 4, mult: tuple[int, ...] = (1, 2, 4, 4), blocks: int = 2, depth: tuple[int, ...],
    depth_out: tuple[int, ...] | None = None, middle: int = 1, context: int, by_matrix: bool, adm: int = 0,
) -> Shapes:  # fmt: skip
    """``depth``: transformer blocks by level. ``depth_out``: by output block. ``middle``: -1 without attention, -2 none."""
    emb = 4 * channels
    made = linear("time_embed.0", emb, channels) | linear("time_embed.2", emb, emb)
    if adm:
        made |= linear("label_emb.0.0", emb, adm) | linear("label_emb.0.2", emb, emb)
    made |= conv("input_blocks.0.0", channels, inputs)
    width, widths, number = channels, [channels], 1
    for level, times in enumerate(mult):
        for _ in range(blocks):
            made |= _res(f"input_blocks.{number}.0.", width, times * channels, emb)
            width = times * channels
            if depth[level]:
                made |= _attention(f"input_blocks.{number}.1.", width, depth[level], context, by_matrix)
            widths.append(width)
            number += 1
        if level < len(mult) - 1:
            made |= conv(f"input_blocks.{number}.0.op", width, width)
            widths.append(width)
            number += 1
    if middle > -2:
        made |= _res("middle_block.0.", width, width, emb)
    if middle > -1:
        made |= _attention("middle_block.1.", width, middle, context, by_matrix) | _res(
            "middle_block.2.", width, width, emb
        )
    outputs = depth_out or tuple(one for one in reversed(depth) for _ in range(blocks + 1))
    made |= _outputs(channels, mult, blocks, outputs, widths, width, emb, context, by_matrix)
    return made | norm("out.0", channels) | conv("out.2", 4, channels)


def _outputs(
    channels: int, mult: tuple[int, ...], blocks: int, depths: tuple[int, ...], widths: list[int], width: int, emb: int,
    context: int, by_matrix: bool,
) -> Shapes:  # fmt: skip
    made: Shapes = {}
    number = 0
    for level, times in reversed(list(enumerate(mult))):
        for block in range(blocks + 1):
            at = f"output_blocks.{number}."
            made |= _res(f"{at}0.", width + widths.pop(), times * channels, emb)
            width = times * channels
            if depths[number]:
                made |= _attention(f"{at}1.", width, depths[number], context, by_matrix)
            if level and block == blocks:
                made |= conv(f"{at}{2 if depths[number] else 1}.conv", width, width)
            number += 1
    return made


def sd15(inputs: int = 4) -> Shapes:
    return unet(inputs=inputs, depth=(1, 1, 1, 0), context=768, by_matrix=False)


def sd21(inputs: int = 4) -> Shapes:
    return unet(inputs=inputs, depth=(1, 1, 1, 0), context=1024, by_matrix=True)


def _xl(depth: tuple[int, ...], **more: object) -> Shapes:
    return unet(mult=(1, 2, 4), depth=depth, context=2048, by_matrix=True, adm=2816, **more)  # type: ignore[arg-type]


def sdxl(inputs: int = 4) -> Shapes:
    return _xl((0, 2, 10), inputs=inputs, middle=10)


def ssd1b() -> Shapes:
    return _xl((0, 2, 4), depth_out=(4, 4, 10, 2, 1, 1, 0, 0, 0), middle=-1)


def vega() -> Shapes:
    return _xl((0, 1, 2), middle=-1)


def koala_700m() -> Shapes:
    """With the middle block that Forge makes and the published file lacks."""
    return _xl((0, 2, 5), blocks=1, middle=-1)


def koala_1b() -> Shapes:
    return _xl((0, 2, 6), blocks=1, middle=6)


def refiner() -> Shapes:
    return unet(channels=384, depth=(0, 4, 4, 0), middle=4, context=1280, by_matrix=True, adm=2560)


def controlnet(base: Shapes) -> Shapes:
    """The half of a UNet that a ControlNet copies, with its own additions."""
    made = {name: shape for name, shape in base.items() if not name.startswith(("output_blocks.", "out."))}
    widths = [320] * 4 + [640] * 3 + [1280] * 5
    if "label_emb.0.0.weight" in base:
        widths = [320] * 4 + [640] * 3 + [1280] * 2
    for number, width in enumerate(widths):
        made |= conv(f"zero_convs.{number}.0", width, width, 1)
    made |= conv("middle_block_out.0", 1280, 1280, 1)
    hints = (3, 16, 16, 32, 32, 96, 96, 256, 320)
    for number, (before, after) in enumerate(pairwise(hints)):
        made |= conv(f"input_hint_block.{2 * number}", after, before)
    return made


def lora(base: Shapes, rank: int) -> Shapes:
    """As kohya's trainer names it: the matrices in the transformer blocks, and the projections around them."""
    made: Shapes = {}
    for name, shape in base.items():
        projection = "proj_in" in name or "proj_out" in name
        if not name.endswith(".weight") or not ("transformer_blocks" in name or projection) or len(shape) < 2:
            continue
        module = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
        made[f"{module}.alpha"] = ()
        made[f"{module}.lora_down.weight"] = (rank, *shape[1:])
        made[f"{module}.lora_up.weight"] = (shape[0], rank, *(1 for _ in shape[2:]))
    return made
