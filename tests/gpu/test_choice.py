"""Which card CUDA gives to a program: its numbers, UUIDs, order, and what leaves none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.gpu.choice import Seen, pick

BIG = Seen(0, "RTX 4090", "GPU-1a2b3c4d-0000")
SMALL = Seen(1, "RTX 3070", "GPU-99887766-5544", ("MIG-aa-0",))
TWIN = Seen(1, "RTX 4090", "GPU-1a2b9999-0000")


@pytest.mark.parametrize(
    ("cards", "visible", "pci", "expected"),
    [
        ([BIG], None, False, ("card", "only", 0)),
        ([BIG], "0", False, ("card", "only", 0)),
        ([BIG, SMALL], None, False, ("unknown", "by-speed", None)),
        ([BIG, SMALL], "1", False, ("unknown", "by-speed", None)),
        ([BIG, SMALL], "1", True, ("card", "pci-order", 1)),
        ([BIG, SMALL], None, True, ("card", "pci-order", 0)),
        ([BIG, SMALL], " 1 , 0", True, ("card", "pci-order", 1)),
        ([BIG, TWIN], "1", False, ("alike", "alike", None)),
        ([BIG, SMALL], "GPU-9988", False, ("card", "uuid", 1)),
        ([BIG, SMALL], "gpu-9988", False, ("card", "uuid", 1)),
        ([BIG, SMALL], "MIG-aa", False, ("card", "uuid", 1)),
        ([BIG, SMALL], "0,7", True, ("card", "pci-order", 0)),
    ],
)
def test_a_card_is_left(
    cards: list[Seen], visible: str | None, pci: bool, expected: tuple[str, str, int | None]
) -> None:
    found = pick(cards, visible, pci)
    assert (found.outcome, found.why, found.index) == expected


@pytest.mark.parametrize(
    ("visible", "why"),
    [
        ("2", "no-such-number"),
        ("7,0", "no-such-number"),
        ("", "hidden"),
        ("-1", "hidden"),
        ("0,0", "repeated"),
        ("cuda:0", "not-a-number"),
        ("all", "not-a-number"),
        ("GPU-dead", "no-such-uuid"),
        ("GPU-", "ambiguous"),
    ],
)
def test_no_card_is_left(visible: str, why: str) -> None:
    found = pick([BIG, SMALL], visible, True)
    assert (found.outcome, found.why) == ("none", why)


def test_the_second_of_the_visible_ones() -> None:
    assert pick([BIG, SMALL], "1,0", True, 1).index == 0
    assert pick([BIG, SMALL], "1", True, 1).outcome == "none"


@given(st.text(max_size=40), st.integers(0, 4), st.booleans())
def test_any_value_gives_an_answer_and_never_a_card_that_is_not_there(visible: str, ordinal: int, pci: bool) -> None:
    found = pick([BIG, SMALL], visible, pci, ordinal)
    assert found.index in (None, 0, 1)
    assert (found.outcome == "card") == (found.index is not None)
