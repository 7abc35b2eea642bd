"""Text encoders and VAEs, as their published configurations say."""

from __future__ import annotations

from tests.models.shapes import Shapes, conv, linear, norm


def _clip_hf(width: int, layers: int) -> Shapes:
    at = "text_model."
    made: Shapes = {
        f"{at}embeddings.token_embedding.weight": (49408, width),
        f"{at}embeddings.position_embedding.weight": (77, width),
    }
    for number in range(layers):
        layer = f"{at}encoder.layers.{number}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            made |= linear(f"{layer}.self_attn.{name}", width, width)
        made |= norm(f"{layer}.layer_norm1", width) | norm(f"{layer}.layer_norm2", width)
        made |= linear(f"{layer}.mlp.fc1", 4 * width, width) | linear(f"{layer}.mlp.fc2", width, 4 * width)
    return made | norm(f"{at}final_layer_norm", width)


def _clip_open(width: int, layers: int) -> Shapes:
    made: Shapes = {"positional_embedding": (77, width), "token_embedding.weight": (49408, width)}
    for number in range(layers):
        at = f"transformer.resblocks.{number}"
        made |= {f"{at}.attn.in_proj_weight": (3 * width, width), f"{at}.attn.in_proj_bias": (3 * width,)}
        made |= linear(f"{at}.attn.out_proj", width, width) | norm(f"{at}.ln_1", width) | norm(f"{at}.ln_2", width)
        made |= linear(f"{at}.mlp.c_fc", 4 * width, width) | linear(f"{at}.mlp.c_proj", width, 4 * width)
    return made | norm("ln_final", width) | {"text_projection": (width, width), "logit_scale": ()}


def clip_l() -> Shapes:
    return _clip_hf(768, 12)


def clip_g() -> Shapes:
    return _clip_open(1280, 32)


def clip_g_hf() -> Shapes:
    return _clip_hf(1280, 32) | {"text_projection.weight": (1280, 1280)}


def clip_h() -> Shapes:
    return _clip_open(1024, 24)


def t5xxl() -> Shapes:
    made: Shapes = {"shared.weight": (32128, 4096), "encoder.final_layer_norm.weight": (4096,)}
    for number in range(24):
        at = f"encoder.block.{number}.layer"
        for name in "qkvo":
            made[f"{at}.0.SelfAttention.{name}.weight"] = (4096, 4096)
        made |= {f"{at}.0.layer_norm.weight": (4096,), f"{at}.1.layer_norm.weight": (4096,)}
        made |= {f"{at}.1.DenseReluDense.{name}.weight": (10240, 4096) for name in ("wi_0", "wi_1")}
        made |= {f"{at}.1.DenseReluDense.wo.weight": (4096, 10240)}
    return made | {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": (32, 64)}


def _block(at: str, before: int, after: int) -> Shapes:
    made = norm(f"{at}.norm1", before) | conv(f"{at}.conv1", after, before) | norm(f"{at}.norm2", after)
    made |= conv(f"{at}.conv2", after, after)
    return made | (conv(f"{at}.nin_shortcut", after, before, 1) if before != after else {})


def _middle(at: str, width: int) -> Shapes:
    made = (
        _block(f"{at}.block_1", width, width) | _block(f"{at}.block_2", width, width) | norm(f"{at}.attn_1.norm", width)
    )
    for name in ("q", "k", "v", "proj_out"):
        made |= conv(f"{at}.attn_1.{name}", width, width, 1)
    return made


def vae(channels: int = 4) -> Shapes:
    """The one of SD (4 channels, with quant_conv) or of FLUX and SD3 (16, without)."""
    made = conv("encoder.conv_in", 128, 3) | conv("decoder.conv_in", 512, channels)
    before = 128
    for level, after in enumerate((128, 256, 512, 512)):
        for number in range(2):
            made |= _block(f"encoder.down.{level}.block.{number}", before, after)
            before = after
        made |= conv(f"encoder.down.{level}.downsample.conv", after, after) if level < 3 else {}
    before = 512
    for level, after in reversed(list(enumerate((128, 256, 512, 512)))):
        for number in range(3):
            made |= _block(f"decoder.up.{level}.block.{number}", before, after)
            before = after
        made |= conv(f"decoder.up.{level}.upsample.conv", after, after) if level else {}
    made |= _middle("encoder.mid", 512) | _middle("decoder.mid", 512)
    made |= norm("encoder.norm_out", 512) | conv("encoder.conv_out", 2 * channels, 512)
    made |= norm("decoder.norm_out", 128) | conv("decoder.conv_out", 3, 128)
    if channels == 4:
        made |= conv("quant_conv", 8, 8, 1) | conv("post_quant_conv", 4, 4, 1)
    return made
