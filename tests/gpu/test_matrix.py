"""Which torch runs on which card and driver, and which one to install instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.gpu import matrix, torch_builds

CARDS = {
    "K80": (3, 7), "GTX 780": (3, 5), "GTX 970": (5, 2), "GTX 1080": (6, 1), "P100": (6, 0), "V100": (7, 0),
    "RTX 2080": (7, 5), "RTX 3090": (8, 6), "RTX 4090": (8, 9), "H100": (9, 0), "B200": (10, 0), "RTX 5090": (12, 0),
    "GB10": (12, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("torch", "tag", "system", "card", "verdict", "why"),
    [
        ("2.3.1", "cu121", "windows", "RTX 5090", "no", "card-too-new"),
        ("2.3.1", "cu121", "linux", "RTX 4090", "yes", ""),  # 8.9 runs the code for 8.6
        ("2.3.1", "cu121", "linux", "GTX 1080", "yes", ""),  # 6.1 runs the code for 6.0
        ("2.3.1", "cu121", "linux", "GTX 780", "no", "card-too-old"),
        ("2.3.1", "cu118", "linux", "K80", "yes", ""),
        ("2.7.1", "cu118", "linux", "K80", "unknown", ""),
        ("2.6.0", "cu126", "linux", "RTX 5090", "no", "card-too-new"),
        ("2.7.1", "cu128", "linux", "RTX 5090", "yes", ""),
        ("2.7.1", "cu128", "linux", "V100", "no", "card-too-old"),  # reported: 2.7.1+cu128 has no sm_70
        ("2.7.1", "cu128", "windows", "GTX 970", "yes", ""),  # the Windows wheels kept all of them
        ("2.8.0", "cu128", "linux", "V100", "yes", ""),
        ("2.8.0", "cu128", "linux", "GTX 1080", "no", "card-too-old"),
        ("2.8.0", "cu128", "windows", "GTX 1080", "yes", ""),
        ("2.8.0", "cu126", "windows", "GTX 970", "no", "card-too-old"),
        ("2.8.0", "cu126", "linux", "GTX 970", "yes", ""),
        ("2.9.1", "cu126", "windows", "GTX 970", "yes", ""),
        ("2.10.0", "cu128", "linux", "V100", "yes", ""),
        ("2.11.0", "cu128", "linux", "V100", "no", "card-too-old"),
        ("2.11.0", "cu126", "windows", "V100", "yes", ""),
        ("2.11.0", "cu130", "windows", "GTX 1080", "no", "card-too-old"),
        ("2.14.0", "cu132", "linux", "GB10", "yes", ""),
        ("2.9.1", "cu128", "windows", "GTX 1080", "unknown", ""),
        ("2.5.1", "cu130", "linux", "RTX 3090", "unknown", ""),  # never published
        ("2.8.0.dev20250401", "cu128", "linux", "RTX 5090", "unknown", ""),
        ("3.0.0", "cu140", "linux", "RTX 5090", "unknown", ""),
    ],
)
def test_runs_on(torch: str, tag: str, system: str, card: str, verdict: str, why: str) -> None:
    answer = matrix.runs_on(torch, tag, CARDS[card], system)
    assert (answer.verdict, answer.why) == (verdict, why), str(answer.reason)
    assert bool(answer.architectures) == (verdict != "unknown" or matrix.wheels(torch, tag, system) is not None)


def test_a_card_newer_than_everything_is_not_judged_where_the_driver_can_compile() -> None:
    assert matrix.runs_on("2.9.1", "cu130", (13, 0), "linux").verdict == "unknown"
    assert matrix.runs_on("2.9.1", "cu130", (13, 0), "windows").why == "card-too-new"


def test_machines_differ() -> None:
    assert matrix.runs_on("2.9.1", "cu130", (11, 0), "linux", "aarch64").verdict == "yes"
    assert matrix.runs_on("2.9.1", "cu130", (7, 5), "linux", "aarch64").verdict == "no"
    assert matrix.runs_on("2.3.1", "cu121", (8, 0), "linux", "aarch64").verdict == "unknown"
    assert matrix.runs_on("2.3.1", "cu121", (8, 0), "macos", "arm64").verdict == "unknown"


@pytest.mark.parametrize(
    ("tag", "driver", "system", "verdict"),
    [
        ("cu121", "525.60.13", "linux", "yes"),
        ("cu121", "525.60.11", "linux", "no"),
        ("cu128", "535.183.01", "linux", "yes"),  # any CUDA 12 runs from 525 on
        ("cu121", "528.33", "windows", "yes"),
        ("cu121", "527.56", "windows", "unknown"),  # NVIDIA's pages name 527.41 and 528.33
        ("cu121", "512.95", "windows", "no"),
        ("cu118", "470.256.02", "linux", "yes"),
        ("cu118", "450.51", "linux", "no"),
        ("cu130", "580.65.06", "linux", "yes"),
        ("cu130", "575.57.08", "linux", "no"),
        ("cu130", "581.29", "windows", "yes"),
        ("cu121", "", "linux", "unknown"),
        ("cu121", "N/A", "linux", "unknown"),
        ("cu140", "600.10", "linux", "unknown"),
        ("cpu", "535.0", "linux", "unknown"),
        ("cu121", "535.0", "macos", "unknown"),
    ],
)
def test_driver_allows(tag: str, driver: str, system: str, verdict: str) -> None:
    answer = matrix.driver_allows(tag, driver, system)
    assert answer.verdict == verdict
    assert bool(answer.least) == (verdict != "unknown" or driver == "527.56")


def test_strict_driver_is_that_of_the_toolkit() -> None:
    assert matrix.strict_driver("cu128", "windows") == "570.65"
    assert matrix.strict_driver("cu130", "windows") == ""
    assert matrix.strict_driver("cpu", "linux") == ""


@pytest.mark.parametrize(
    ("torch", "vision"),
    [
        ("2.0.0", "0.15.1"), ("2.0.1", "0.15.2"), ("2.1.2+cu121", "0.16.2"), ("2.3.0", "0.18.0"), ("2.3.1", "0.18.1"),
        ("2.7.0", "0.22.0"), ("2.9.1+cu130", "0.24.1"), ("2.11.0", "0.26.0"), ("9.9.0", ""),
    ],
)  # fmt: skip
def test_torchvision_for(torch: str, vision: str) -> None:
    assert matrix.torchvision_for(torch) == vision


def test_xformers_for() -> None:
    assert matrix.xformers_for("2.3.1+cu121") == "0.0.27"  # what Forge itself installs beside it
    assert matrix.xformers_for("2.13.0") == matrix.xformers_for("2.10.0") != ""
    assert matrix.xformers_for("1.9.0") == ""


@pytest.mark.parametrize(
    ("card", "system", "preferred", "least", "python", "build"),
    [
        ("RTX 3090", "windows", "2.3.1+cu121", "2.3.1", (3, 10), "2.3.1+cu121"),
        ("RTX 5090", "windows", "2.3.1+cu121", "2.3.1", (3, 10), "2.7.1+cu128"),
        ("GTX 1080", "linux", "2.11.0+cu130", "2.11.0", (3, 13), "2.11.0+cu126"),
        ("V100", "linux", "2.9.0+cu128", "2.1.2", (3, 11), "2.9.0+cu128"),
        ("GTX 970", "windows", "2.9.1+cu130", "2.1.2", (3, 11), "2.9.1+cu126"),
        ("RTX 3090", "linux", "2.3.1+cu121", "2.3.1", (3, 13), "2.6.0+cu126"),
        ("GTX 780", "linux", "2.3.1+cu121", "2.3.1", (3, 10), ""),
        ("GTX 970", "linux", "2.11.0+cu130", "2.11.0", (3, 8), ""),
    ],
)
def test_best(card: str, system: str, preferred: str, least: str, python: tuple[int, int], build: str) -> None:
    found = torch_builds.best(CARDS[card], system, preferred=preferred, least=least, python=python)
    assert (found.name if found else "") == build


def test_best_minds_the_driver() -> None:
    found = torch_builds.best((8, 6), "linux", preferred="2.11.0+cu130", least="2.11.0", driver="550.54.14")
    assert found and found.name == "2.11.0+cu128"
    assert torch_builds.best((12, 0), "linux", preferred="2.3.1+cu121", least="2.3.1", driver="470.10") is None


def test_under_wsl_the_driver_counts_as_windows_does() -> None:
    found = torch_builds.best((8, 6), "linux", preferred="2.3.1+cu121", driver="526.86", driver_system="windows")
    assert found and found.name == "2.3.1+cu118"


def test_packages_name_the_build() -> None:
    build = torch_builds.Build("2.7.1", "cu128", "0.22.1")
    assert build.packages(audio=True) == "torch==2.7.1+cu128 torchvision==0.22.1+cu128 torchaudio==2.7.1+cu128"
    assert build.index.endswith("/cu128")


def test_the_table_is_whole() -> None:
    """Each published build has architectures for Linux and Windows, each only once, and a least driver."""
    for one in matrix.releases():
        for tag in one.cuda:
            for system in ("linux", "windows"):
                assert matrix.wheels(one.torch, tag, system), f"{one.torch}+{tag} on {system}"
                assert matrix.driver_allows(tag, "999.99", system).verdict == "yes"


@given(
    st.text(max_size=30), st.text(max_size=10), st.tuples(st.integers(0, 20), st.integers(0, 9)), st.text(max_size=10)
)
def test_nonsense_is_unknown_and_no_traceback(torch: str, tag: str, card: tuple[int, int], driver: str) -> None:
    assert matrix.runs_on(torch, tag, card, "linux").verdict in ("yes", "no", "unknown")
    assert matrix.driver_allows(tag, driver, "linux").verdict in ("yes", "no", "unknown")
    matrix.torchvision_for(torch), matrix.xformers_for(torch), matrix.strict_driver(tag, "linux")
