"""Whole runs: what is decided, in which phase the peak is, and what the flags change."""

from __future__ import annotations

from typing import Any

import pytest

from forgedoctor.memory import Ask, Plan, plan
from forgedoctor.memory.activations import denoiser_estimate, images_at_once, vae_encode_estimate, vae_estimate
from forgedoctor.memory.advice import advice, cost
from forgedoctor.memory.cards import card_named
from forgedoctor.memory.dtypes import Card
from forgedoctor.memory.picture import bars
from forgedoctor.memory.precision import precision_named


def planned(family: str, precision: str, card: str = "", free: float | None = None, **more: Any) -> Plan:
    found = card_named(card) if card else None
    asked = precision_named(precision)
    assert asked is not None
    room = free if free is not None or found is None else found[0].total_mib - 1000
    return plan(Ask(family=family, precision=asked, card=found[0] if found else None, free=room, **more))


def outcome(made: Plan, name: str) -> str:
    phase = made.phase(name)
    assert phase is not None
    return phase.outcome


@pytest.mark.parametrize(
    ("edge", "step", "decode"), [(512, 328, 1089), (1024, 1311, 4356), (1536, 2949, 9801), (2048, 5243, 17424)]
)
def test_what_forge_expects_computing_to_take(edge: int, step: float, decode: float) -> None:
    assert denoiser_estimate(edge, edge, 1) == pytest.approx(step, abs=1)
    assert vae_estimate(edge, edge) == pytest.approx(decode, abs=1)
    assert vae_estimate(edge, edge, precision="fp32") == pytest.approx(2 * decode, abs=2)
    assert vae_encode_estimate(1024, 1024) == pytest.approx(3534, abs=1)


def test_a_batch_is_decoded_in_as_many_images_as_are_expected_to_fit() -> None:
    assert images_at_once(20_000.0, 4356.0, 8) == 4
    assert images_at_once(1000.0, 4356.0, 8) == 1
    assert images_at_once(1e9, 4356.0, 8) == 8


def test_a_small_model_fits_a_small_card() -> None:
    made = planned("sd15", "fp16", "RTX 3050 6GB")
    assert made.decision == "full" and all(one.outcome == "ok" for one in made.phases)
    assert advice(made) == ()


def test_a_large_model_is_swapped_and_its_text_encoders_give_way() -> None:
    made = planned("flux_dev", "fp8", "RTX 3060 12GB")
    assert made.decision == "swap" and made.fit is not None and 1000 < made.fit.swap_mib < 4000
    denoiser = made.phase("denoiser")
    assert denoiser is not None and denoiser.weights_mib == pytest.approx(made.fit.gpu_mib)


def test_on_a_card_without_limits_everything_stays() -> None:
    made = planned("sdxl", "bf16")
    vae = made.phase("vae")
    assert made.decision == "unknown" and vae is not None
    assert vae.weights_mib == pytest.approx(4897.05 + 1559.68 + 159.56, abs=1)
    assert made.peak_mib == vae.peak_mib


def test_the_vae_that_does_not_fit_is_tiled_on_linux_and_crawls_on_windows() -> None:
    large: dict[str, Any] = {"width": 1536, "height": 1536}
    assert outcome(planned("sdxl", "fp16", "RTX 2060 6GB", **large), "vae") == "tiled"
    assert outcome(planned("sdxl", "fp16", "RTX 2060 6GB", windows=True, **large), "vae") == "slow"


def test_a_step_that_does_not_fit_is_out_of_memory() -> None:
    made = planned("sdxl", "fp16", "RTX 2060 6GB", width=4096, height=4096)
    assert made.decision == "oom" and outcome(made, "denoiser") == "oom"
    assert planned("sdxl", "fp16", "RTX 2060 6GB", width=4096, height=4096, windows=True).decision == "swap"


def test_always_high_vram_runs_out_where_swapping_would_not() -> None:
    assert planned("flux_dev", "fp8", "RTX 3060 12GB", flags={"always_high_vram": True}).decision in ("full", "oom")
    made = planned("flux_dev", "bf16", "RTX 3060 12GB", flags={"always_high_vram": True})
    assert made.decision == "oom"
    assert advice(made)[0].change.id in ("state", "precision")
    assert "state" in {one.change.id for one in advice(made)}


def test_the_states_move_the_text_encoders() -> None:
    def encoders(**flags: bool) -> str:
        return outcome(planned("sdxl", "fp16", "RTX 3060 12GB", flags=flags), "text encoders")

    assert encoders() == "ok"
    assert encoders(always_low_vram=True) == encoders(always_no_vram=True) == encoders(always_cpu=True) == "cpu"
    assert encoders(always_gpu=True) == "ok"
    assert outcome(planned("sdxl", "fp16", "GTX 1660 6GB"), "text encoders") == "cpu"
    assert outcome(planned("sdxl", "fp16", "GTX 1080"), "text encoders") == "cpu"


def test_no_vram_leaves_all_weights_in_ram_and_cpu_takes_nothing() -> None:
    made = planned("sdxl", "fp16", "RTX 3060 12GB", flags={"always_no_vram": True})
    assert made.decision == "swap" and made.fit is not None and made.fit.gpu_mib == 0
    assert planned("sdxl", "fp16", "RTX 3060 12GB", flags={"always_cpu": True}).decision == "cpu"


@pytest.mark.parametrize(
    ("card", "compute", "vae"),
    [
        ("RTX 3060 12GB", "fp16", "bf16"), ("RTX 2060 6GB", "fp16", "fp32"), ("GTX 1660 6GB", "fp32", "fp32"),
        ("GTX 1080", "fp32", "fp32"), ("RX 6800 16GB", "fp16", "fp32"), ("Arc A770 16GB", "fp16", "bf16"),
    ],
)  # fmt: skip
def test_what_each_card_computes_in(card: str, compute: str, vae: str) -> None:
    made = planned("sdxl", "fp16", card)
    assert (made.dtypes.compute, made.dtypes.vae) == (compute, vae)


def test_a_mac_loads_everything_whole_and_encodes_on_the_processor() -> None:
    made = planned("flux_dev", "fp8", "Apple M2 16GB")
    assert made.state == "shared" and made.fit is not None and made.fit.decision == "full"
    assert outcome(made, "text encoders") == "cpu"


def test_flux_is_computed_in_fp16_where_bf16_is_emulated() -> None:
    assert planned("flux_dev", "bf16", "RTX 2060 12GB").dtypes.compute == "fp16"
    assert planned("flux_dev", "bf16", "RTX 3060 12GB").dtypes.compute == "bf16"


def test_an_old_card_stores_in_16_bits_only_what_is_too_large_in_32() -> None:
    assert planned("sd15", "fp16", "GTX 1080").dtypes.store == "fp32"
    assert planned("sdxl", "fp16", "GTX 1080").dtypes.store == "fp16"


def test_the_flags_of_precision_count_for_files_in_16_bits_only() -> None:
    flags = {"unet_in_fp8_e4m3fn": True}
    assert planned("sdxl", "fp16", "RTX 3060 12GB", flags=flags).dtypes.store == "fp8"
    assert planned("flux_dev", "nf4", "RTX 3060 12GB", flags=flags).dtypes.store == "nf4"
    assert planned("sdxl", "fp16", "RTX 2060 6GB", flags={"vae_in_fp16": True}).dtypes.vae == "fp16"
    assert planned("flux_dev", "fp8", "RTX 3060 12GB", flags={"clip_in_fp8_e4m3fn": True}).dtypes.encoders == "fp8"


def test_split_attention_takes_more() -> None:
    def step(**flags: bool) -> float:
        phase = planned("sdxl", "bf16", flags=flags).phase("denoiser")
        return phase.estimate_mib if phase else 0.0

    assert step(attention_split=True) == pytest.approx(step() * 1.65 / 1.28)


def test_prompt_and_negative_prompt_part_where_both_do_not_fit() -> None:
    roomy, narrow = planned("sdxl", "fp16", "4090"), planned("sdxl", "fp16", free=3000.0, width=1536)
    assert [one.passes for one in roomy.phases if one.name == "denoiser"] == [2]
    assert [one.passes for one in narrow.phases if one.name == "denoiser"] == [1]


def test_controlnets_and_lora_take_their_share() -> None:
    plain = planned("sdxl", "fp16", "4090")
    more = planned("sdxl", "fp16", "4090", others=2386.0, online_lora=300.0)
    first, second = plain.phase("denoiser"), more.phase("denoiser")
    assert first and second and second.peak_mib == pytest.approx(first.peak_mib + 2686.0)
    assert more.fit is not None and more.fit.reserve_mib == 1324.0


def test_q4_k_grows_after_the_fit_test() -> None:
    made = planned("flux_dev", "Q4_K", "RTX 3060 12GB")
    denoiser = made.phase("denoiser")
    assert made.fit and denoiser and denoiser.weights_mib == pytest.approx(made.fit.gpu_mib + 705, abs=2)


# -- advice --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "precision", "card"),
    [("flux_dev", "bf16", "RTX 3060 12GB"), ("sdxl", "fp16", "RTX 2060 6GB"), ("sd35_large", "fp16", "RTX 4060")],
)
def test_advice_is_told_only_where_the_plan_with_it_is_better(family: str, precision: str, card: str) -> None:
    made = planned(family, precision, card)
    found = advice(made)
    assert found
    for one in found:
        assert cost(plan(one.change.ask)) < cost(made)
    assert len({one.change.id for one in found}) == len(found)


def test_a_vae_in_32_bits_is_made_smaller_and_sdxl_is_warned_of() -> None:
    made = planned("sdxl", "fp16", "RTX 2060 6GB", width=1536, height=1536)
    found = {one.change.id: one.change for one in advice(made)}
    assert found["vae-dtype"].flags == ("--vae-in-fp16",)
    assert "black" in str(found["vae-dtype"].said)


def test_a_radeon_is_never_told_to_use_nf4() -> None:
    for one in advice(planned("flux_dev", "bf16", "RX 6800 16GB")):
        assert "nf4" not in str(one.change.said)


def test_too_little_kept_for_computing_is_found_out() -> None:
    made = planned("sdxl", "fp16", free=5200.0, reserve=100.0)
    assert made.decision == "oom"
    best = next(one for one in advice(made) if one.change.id == "gpu-weights")
    assert best.change.ask.reserve > 100 and best.plan.decision == "swap"


# -- the picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("free", [None, 100.0, 3000.0, 24000.0])
def test_the_picture_is_ascii_and_never_wider_than_asked(free: float | None) -> None:
    made = planned("flux_dev", "bf16", free=free)
    for width in (60, 80):
        lines = bars(made.phases, [one.name for one in made.phases], free, width)
        assert len(lines) == 3 and all(line.isascii() and len(line) <= width for line in lines)


def test_the_picture_shows_what_is_too_much() -> None:
    made = planned("sdxl", "fp16", free=2000.0, width=2048, height=2048)
    assert any("!" in line for line in bars(made.phases, ["a", "b", "c"], 2000.0))
    roomy = planned("sdxl", "fp16", free=40000.0)
    assert not any("!" in line for line in bars(roomy.phases, ["a", "b", "c"], 40000.0))


def test_a_card_of_unknown_capability_counts_as_a_present_day_one() -> None:
    asked = precision_named("fp16")
    assert asked is not None
    made = plan(Ask(family="sdxl", precision=asked, card=Card(name="X", total_mib=8192), free=7000.0))
    assert made.dtypes.vae == "bf16"
