"""Every family and part is known by its header, in every form that such files come in; nothing is known by its name."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest

from forgedoctor.models import families, footprint, headers, kinds
from forgedoctor.models.headers import Header
from tests.models import encoders, make, unets
from tests.models.shapes import prefixed

# (tensors, weights) as published, positions of SD3 included: the shapes in make.py are the real ones.
PUBLISHED = {
    "sd15": (686, 859_520_964), "sd15_inpaint": (686, 859_535_364), "sd21": (686, 865_910_724),
    "sdxl": (1680, 2_567_463_684), "ssd1b": (944, 1_331_334_404), "vega": (564, 745_225_604),
    "koala_700m": (594, 813_961_284), "koala_1b": (790, 1_161_184_324), "sdxl_refiner": (1220, 2_259_526_660),
    "sd3_medium": (491, 2_084_951_104), "sd35_medium": (665, 2_469_663_936), "sd35_large": (923, 8_146_280_768),
    "flux_dev": (780, 11_901_408_320), "flux_schnell": (776, 11_891_178_560), "chroma": (643, 8_899_983_424),
    "clip_l": (196, 123_060_480), "clip_g": (517, 694_659_840), "t5xxl": (219, 4_762_310_656),
    "vae_4ch": (248, 83_653_863), "vae_16ch": (244, 83_819_683), "controlnet_sd15": (340, 361_279_120),
    "controlnet_sdxl": (844, 1_251_014_160),
}  # fmt: skip
EVERY = {**make.DENOISERS, **make.PARTS, **make.ADAPTERS}


def header(tensors: dict[str, tuple[str, tuple[int, ...]]]) -> Header:
    found, problem = headers.parsed(*make.header(tensors))
    assert found and problem is None, problem
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shapes_here_are_the_published_ones(name: str) -> None:
    shapes = EVERY[name]()
    assert (len(shapes), sum(map(prod, shapes.values()))) == PUBLISHED[name]


@pytest.mark.parametrize("form", ["bare", "prefixed", "fp8", "nf4", "nf4-double"])
@pytest.mark.parametrize("name", make.DENOISERS)
def test_a_denoiser_is_known_in_every_form(name: str, form: str) -> None:
    shapes = make.DENOISERS[name]()
    tensors = {
        "bare": lambda: make.typed(shapes),
        "prefixed": lambda: make.typed(prefixed(make.PREFIX, shapes)),
        "fp8": lambda: make.typed(shapes, "F8_E4M3"),
        "nf4": lambda: make.nf4(shapes),
        "nf4-double": lambda: make.nf4(prefixed(make.PREFIX, shapes), double=True),
    }[form]()
    kind = kinds.kind_of(header(tensors))
    assert (kind.kind, kind.family) == (kinds.CHECKPOINT, name)
    part = footprint.footprint(header(tensors))[0]
    assert part.name == "denoiser" and part.params == sum(map(prod, shapes.values()))
    assert part.precision == {"fp8": "fp8", "nf4": "nf4", "nf4-double": "nf4"}.get(form, "fp16")


@pytest.mark.parametrize("name", make.DENOISERS)
def test_a_denoiser_is_known_as_gguf(name: str, tmp_path: Path) -> None:
    shapes = make.DENOISERS[name]()
    seen = headers.read(str(make.write_gguf(tmp_path / "any.gguf", make.quantised(shapes, "Q4_K"))))
    assert seen.problem is None and seen.header
    assert kinds.kind_of(seen.header).family == name
    part = footprint.footprint(seen.header)[0]
    assert part.params == sum(map(prod, shapes.values()))
    assert 4 < 8 * part.dtypes["Q4_K"] / (part.params - part.dtypes["F32"] // 4) < 4.6


@pytest.mark.parametrize("name", make.PARTS)
def test_a_part_is_known_by_itself(name: str) -> None:
    kind = kinds.kind_of(header(make.typed(make.PARTS[name](), "BF16")))
    assert (kind.kind, kind.family) == (kinds.VAE if name.startswith("vae") else kinds.ENCODER, name)


def test_an_encoder_as_other_programs_save_it_is_known_too(tmp_path: Path) -> None:
    assert kinds.kind_of(header(make.typed(encoders.clip_g()))).family == "clip_g"
    inside = prefixed("text_encoders.clip_l.transformer.", encoders.clip_l())
    assert kinds.kind_of(header(make.typed(inside))).family == "clip_l"
    words = {"attn_k": "layer.0.SelfAttention.k", "attn_norm": "layer.0.layer_norm"}
    gguf = {f"enc.blk.0.{one}.weight": ("F32", (4096, 4096)[: 1 + ("norm" not in one)]) for one in words}
    seen = headers.read(str(make.write_gguf(tmp_path / "t5.gguf", gguf, architecture="t5encoder")))
    assert seen.header and kinds.kind_of(seen.header).family == "t5xxl" and seen.header.architecture == "t5encoder"


@pytest.mark.parametrize("name", make.ADAPTERS)
def test_an_adapter_is_known_with_its_family(name: str) -> None:
    kind = kinds.kind_of(header(make.typed(make.ADAPTERS[name]())))
    assert f"{kind.kind}_{kind.family}" == name


@pytest.mark.parametrize(("name", "bundled"), [
    ("sd15", ["clip_l", "vae"]), ("sd21", ["clip_h", "vae"]), ("sdxl", ["clip_l", "clip_g", "vae"]),
    ("sdxl_refiner", ["clip_g", "vae"]), ("sd3_medium", ["clip_l", "clip_g", "t5xxl", "vae"]),
    ("flux_dev", ["clip_l", "t5xxl", "vae"]), ("chroma", ["t5xxl", "vae"]),
])  # fmt: skip
def test_what_a_full_checkpoint_holds(name: str, bundled: list[str]) -> None:
    parts = {one.name: one for one in footprint.footprint(header(make.typed(make.FULL[name]())))}
    assert list(parts) == ["denoiser", *bundled]
    assert parts["denoiser"].params == PUBLISHED[name][1]


def test_linear_layers_are_counted_for_who_reckons_with_them() -> None:
    sdxl = footprint.footprint(header(make.typed(unets.sdxl())))[0]
    assert sdxl.linear_params == 2_232_647_680
    t5 = footprint.footprint(header(make.typed(encoders.t5xxl(), "F32")))[0]
    assert (t5.linears, t5.linear_params) == (24 * 7, 4_762_310_656 - 131_596_288 - 200_704 - 2048)


def test_the_precision_is_the_one_that_most_tensors_have() -> None:
    few_large = make.typed(unets.sd15(), "BF16") | {"model_ema.decay": ("F32", ())}
    assert footprint.footprint(header(few_large))[0].precision == "bf16"


@pytest.mark.parametrize(("family", "key", "shape"), [
    ("flux2", "double_stream_modulation_img.lin.weight", (1, 1)), ("wan", "head.modulation", (1, 2, 5120)),
    ("lumina2", "cap_embedder.1.weight", (2304, 2304)), ("zimage", "cap_embedder.1.weight", (3840, 2560)),
])  # fmt: skip
def test_newer_families_are_named_though_forge_cannot_load_them(family: str, key: str, shape: tuple[int, ...]) -> None:
    tensors = {key: ("BF16", shape), "noise_refiner.0.attention.k_norm.weight": ("BF16", (1,))}
    assert kinds.kind_of(header(tensors)).family == family
    assert families.loads(family, "forge") is False


def test_a_unet_that_no_class_fits_is_not_taken_for_another() -> None:
    odd = unets.unet(mult=(1, 2, 4), depth=(0, 3, 7), middle=7, context=2048, by_matrix=True, adm=2816)
    kind = kinds.kind_of(header(make.typed(odd)))
    assert kind.family == "unknown_unet" and families.loads(kind.family, "forge") is False


def test_files_of_other_layouts_are_told_apart() -> None:
    diffusers = {f"{side}_blocks.0.resnets.0.norm1.weight": ("F16", (320,)) for side in ("up", "down")}
    assert kinds.kind_of(header(diffusers)).kind == kinds.DIFFUSERS
    assert kinds.kind_of(header({"emb_params": ("F32", (4, 1024))})) == kinds.Kind(kinds.EMBEDDING, "sd21")
    assert (
        kinds.kind_of(header({"conv_first.weight": ("F32", (64, 3, 3, 3)), "a": ("F32", (2,))})).kind == kinds.UNKNOWN
    )
    lora = {"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": ("BF16", (16, 3072))}
    assert kinds.kind_of(header(lora)) == kinds.Kind(kinds.LORA, "flux_dev")
