"""The fit test, on numbers worked out by hand from Forge's rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.memory.arithmetic import Layer, Layers, budget, fit, placed, to_free

SIZES = st.floats(0, 60_000)


def test_a_model_that_fits_is_loaded_whole() -> None:
    made = fit(4897.0, 9000.0)
    assert (made.decision, made.remaining_mib, made.swap_mib, made.gpu_mib) == ("full", 3079.0, 0.0, 4897.0)


def test_nothing_left_over_still_fits_and_a_byte_less_does_not() -> None:
    assert fit(1000.0, 2024.0).decision == "full"
    assert fit(1000.0, 2023.999).decision == "swap"


@pytest.mark.parametrize(
    ("free", "allowed"),
    [
        (4024.0, 3000 / 1.3),  # below 5547 MiB of room the share counts
        (11024.0, 10000 - 1280),  # above it the fixed 1280
        (500.0, 0.0),
    ],
)
def test_the_weights_that_a_full_card_may_hold(free: float, allowed: float) -> None:
    assert budget(free, 1024.0) == pytest.approx(allowed, abs=1e-5)


def test_what_is_on_the_card_already_is_the_budget_of_a_second_load() -> None:
    made = fit(3000.0, 3500.0, loaded=2500.0)
    assert (made.decision, made.budget_mib, made.swap_mib, made.gpu_mib) == ("swap", 2500.0, 3000.0, 2500.0)


def test_what_is_loaded_already_counts_a_quarter_of_what_is_freed_for_it() -> None:
    assert to_free(1000.0, 400.0, 1024.0) == pytest.approx(1.3 * 1100 + 1024)
    assert to_free(1000.0, 0.0, 1024.0, estimate=1311.0, extra=100.0) == pytest.approx(1300 + 1311 + 100)


def test_the_estimate_is_no_part_of_the_fit_test_and_online_lora_are() -> None:
    assert fit(1000.0, 2100.0, estimate=5000.0).decision == "full"
    assert fit(1000.0, 2100.0, extra=100.0).remaining_mib == pytest.approx(-24.0)


def test_whole_layers_go_onto_the_card_the_smallest_first() -> None:
    layers = Layers((Layer(100.0, 1.0), Layer(10.0, 1.0), Layer(50.0, 0.0)), fixed=5.0)
    assert placed(167.0, 80.0, layers) == 5 + 2 + 10 + 50  # the layer of 100 would go over
    assert placed(167.0, 66.0, layers) == 5 + 2 + 10


def test_without_a_test_everything_is_loaded_and_with_no_vram_nothing_is() -> None:
    assert fit(9000.0, 4000.0, tested=False).decision == "full"
    made = fit(1000.0, 9000.0, nothing_on_card=True)
    assert (made.decision, made.gpu_mib, made.swap_mib) == ("swap", 0.0, 1000.0)


@given(SIZES, SIZES, SIZES, SIZES)
def test_every_byte_is_somewhere(model: float, loaded: float, reserve: float, free: float) -> None:
    made = fit(model, free, loaded=loaded, reserve=reserve)
    assert made.swap_mib + made.gpu_mib == pytest.approx(model + loaded)
    assert made.swap_mib >= 0 and made.gpu_mib >= 0
    assert (made.decision == "full") == (made.remaining_mib >= 0)


@given(SIZES, SIZES, st.floats(0, 5000))
def test_more_memory_never_swaps_more(model: float, free: float, more: float) -> None:
    assert fit(model, free + more).swap_mib <= fit(model, free).swap_mib + 1e-6
