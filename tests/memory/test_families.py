"""Sizes of the parts, names of families, precisions and cards."""

from __future__ import annotations

import pytest

from forgedoctor.memory.cards import card_named
from forgedoctor.memory.families import component, encoders_mib, family, family_named, table
from forgedoctor.memory.layers import denoiser_layers, encoder_layers, shapes
from forgedoctor.memory.lora import lora_mib
from forgedoctor.memory.precision import precision_named


@pytest.mark.parametrize(
    ("part", "precision", "printed"),
    [  # what Forge printed as "Model Require" in real runs
        ("sd15", "fp32", 3278.81), ("sd15", "fp16", 1639.41), ("vae_4ch", "fp32", 319.11), ("vae_4ch", "fp16", 159.56),
        ("sdxl", "fp16", 4897.09), ("flux_dev", "bf16", 22700.13), ("flux_dev", "fp8", 11350.07),
        ("flux_dev", "Q8_0", 12119.55), ("flux_schnell", "nf4", 6241.47), ("chroma", "bf16", 16975.37),
    ],
)  # fmt: skip
def test_a_part_is_as_large_as_forge_prints(part: str, precision: str, printed: float) -> None:
    assert component(part).mib(precision) == pytest.approx(printed, abs=0.1)


@pytest.mark.parametrize(
    ("name", "precision", "later", "printed"),
    [
        ("sdxl", "fp16", False, 1559.68), ("sdxl", "fp16", True, 1752.98), ("flux_dev", "fp8", False, 5154.62),
        ("chroma", "fp16", False, 9334.77),
    ],
)  # fmt: skip
def test_text_encoders_are_as_large_as_forge_prints(name: str, precision: str, later: bool, printed: float) -> None:
    assert encoders_mib(family(name), precision, later=later) == pytest.approx(printed, abs=0.1)


@pytest.mark.parametrize("key", [key for key, one in table().families.items() if shapes(one.denoiser)])
def test_the_layers_add_up_to_the_network(key: str) -> None:
    part = component(family(key).denoiser)
    found = shapes(family(key).denoiser)
    assert sum(one.times * (one.weight + one.bias) for one in found) == part.params
    assert sum(one.times * one.weight for one in found if one.linear) == part.linear
    assert sum(one.times * one.weight for one in found if one.block and one.linear) == part.block_linear


@pytest.mark.parametrize("precision", ["fp32", "fp16", "fp8", "nf4", "Q8_0", "Q4_K"])
def test_the_layers_are_as_large_as_the_whole(precision: str) -> None:
    layers = denoiser_layers("flux_dev", precision)
    assert layers is not None
    total = layers.fixed + sum(one.weight + one.extra for one in layers.movable)
    assert total == pytest.approx(component("flux_dev").mib(precision), rel=1e-6)


@pytest.mark.parametrize("name", ["sd15", "sdxl", "flux_dev", "sd3_medium", "chroma"])
@pytest.mark.parametrize("precision", ["fp16", "fp8"])
def test_the_layers_of_the_text_encoders_are_as_large(name: str, precision: str) -> None:
    layers = encoder_layers(family(name), precision)
    total = layers.fixed + sum(one.weight + one.extra for one in layers.movable)
    assert total == pytest.approx(encoders_mib(family(name), precision), abs=0.05)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("FLUX.1-dev", "flux_dev"), ("flux-schnell", "flux_schnell"), ("black-forest-labs/FLUX.1-schnell", "flux_schnell"),
        ("sd15", "sd15"), ("SD 1.5", "sd15"), ("stable-diffusion-v1-5", "sd15"), ("SDXL base 1.0", "sdxl"),
        ("stable-diffusion-xl-refiner-1.0", "sdxl_refiner"), ("sdxl-refiner", "sdxl_refiner"),
        ("sd3-medium", "sd3_medium"), ("SD3.5 Large", "sd35_large"), ("stable-diffusion-3.5-medium", "sd35_medium"),
        ("Chroma", "chroma"), ("Pony", "sdxl"), ("SSD-1B", "ssd1b"), ("qwen-image", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_family_is_known_by_many_names(said: str, meant: str) -> None:
    assert family_named(said) == meant


@pytest.mark.parametrize(
    ("said", "weights", "encoders"),
    [
        ("bf16", "bf16", "bf16"), ("FP16", "fp16", "fp16"), ("float8_e4m3fn", "fp8", "fp16"), ("nf4", "nf4", "fp16"),
        ("bnb-nf4", "nf4", "fp16"), ("Q8_0", "Q8_0", "fp16"), ("Q4_K_M", "Q4_K", "fp16"), ("q5_k_s", "Q5_K", "fp16"),
        ("int8wo transformer+T5 (torchao)", "int8", "int8"), ("GGUF Q4_1 transformer, bf16 rest", "Q4_1", "fp16"),
    ],
)  # fmt: skip
def test_a_precision_is_known_by_many_names(said: str, weights: str, encoders: str) -> None:
    found = precision_named(said)
    assert found is not None and (found.weights, found.encoders) == (weights, encoders)


@pytest.mark.parametrize("said", ["", "gold", "q9_k", "Q4_7"])
def test_what_is_no_precision_is_none(said: str) -> None:
    assert precision_named(said) is None


def test_cards_by_name() -> None:
    found = card_named("NVIDIA GeForce RTX 4070 Ti SUPER")
    assert found is not None and found[0].total_mib == 16384 and found[0].capability == (8, 9)
    either = card_named("RTX 3060")
    assert either is not None and len(either[1]) > 1 and either[0].total_mib == min(either[1])
    named = card_named("RTX 3060 12GB")
    assert named is not None and named[0].total_mib == 12288
    radeon = card_named("RX 6800 XT 16GB")
    assert radeon is not None and (radeon[0].vendor, radeon[0].total_mib) == ("amd", 16384)
    assert card_named("RX 6800 XT") is None  # its size is not in the table, and a guess is worse than a question
    assert card_named("toaster 16GB") is None


def test_a_lora_grows_with_its_rank() -> None:
    size = lora_mib(family("sdxl"), 64)
    assert size is not None and size == pytest.approx(324.7, abs=0.1)
    assert lora_mib(family("vega"), 64) is None
