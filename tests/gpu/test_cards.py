"""Cards by name: as NVML, torch and people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.gpu import cards


@pytest.mark.parametrize(
    ("name", "model", "capability", "gib"),
    [
        ("NVIDIA GeForce RTX 4090", "RTX 4090", (8, 9), (24,)),
        ("rtx4090", "RTX 4090", (8, 9), (24,)),
        ("4090", "RTX 4090", (8, 9), (24,)),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop", (8, 9), (16,)),
        ("NVIDIA GeForce RTX 4060 Ti 16GB", "RTX 4060 Ti", (8, 9), (16,)),
        ("NVIDIA GeForce RTX 4060 Ti", "RTX 4060 Ti", (8, 9), (8, 16)),
        ("NVIDIA GeForce GTX 1080 with Max-Q Design", "GTX 1080", (6, 1), (8,)),
        ("GeForce GTX 1060 6GB", "GTX 1060", (6, 1), (6,)),
        ("NVIDIA GeForce GTX 1660 SUPER", "GTX 1660 SUPER", (7, 5), (6,)),
        ("Tesla V100-SXM2-16GB", "Tesla V100", (7, 0), (16,)),
        ("NVIDIA A100-SXM4-80GB", "A100", (8, 0), (80,)),
        ("NVIDIA H100 80GB HBM3", "H100", (9, 0), (80,)),
        ("NVIDIA GH200 480GB", "GH200", (9, 0), (96, 144)),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", (8, 9), (48,)),
        ("Quadro RTX 6000", "Quadro RTX 6000", (7, 5), (24,)),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 Blackwell", (12, 0), (96,)),
        ("NVIDIA TITAN X (Pascal)", "TITAN X", (6, 1), (12,)),
        ("NVIDIA GeForce GTX TITAN X", "GTX TITAN X", (5, 2), (12,)),
    ],
)
def test_a_name_tells_the_model(name: str, model: str, capability: tuple[int, int], gib: tuple[int, ...]) -> None:
    found = cards.find(name)
    assert found is not None
    assert (found.name, found.capability, found.gib) == (model, capability, gib)
    assert cards.capability(name) == capability
    assert cards.memory_mib(name) == tuple(one * 1024 for one in gib)


@pytest.mark.parametrize(
    "name", ["", "Radeon RX 7900 XTX", "Intel Arc A770", "RTX", "GTX 9999", "Laptop", "\x00\ud800"]
)
def test_what_is_not_known_is_not_guessed(name: str) -> None:
    assert cards.find(name) is None
    assert cards.memory_mib(name) == ()


def test_every_model_is_found_by_its_own_name_and_by_the_drivers() -> None:
    for one in cards.models():
        assert cards.find(one.name) == one
        assert cards.find(f"NVIDIA GeForce {one.name}") == one
        assert one.gib and one.capability >= (3, 0)


def test_what_the_generations_compute_fast() -> None:
    by_name = {one.name: one for one in cards.models()}
    assert not by_name["GTX 1080 Ti"].fast_half and not by_name["GTX 1660"].fast_half
    assert by_name["RTX 2080 Ti"].fast_half and not by_name["RTX 2080 Ti"].bf16
    assert by_name["RTX 3090"].bf16 and not by_name["RTX 3090"].fp8
    assert by_name["RTX 4090"].fp8 and by_name["RTX 5090"].fp4


@given(st.text(max_size=80))
def test_any_text_is_read(name: str) -> None:
    cards.find(name)
