"""The data about the forks, and its readers."""

from __future__ import annotations

import pytest

from forgedoctor.forge.flags import (
    DISPLAY_NAMES,
    FORKS,
    find,
    flags,
    instead_of,
    known_elsewhere,
    nearest,
    one_slip,
    provenance,
)
from forgedoctor.forge.releases import pins, release, releases

TYPES = {"str", "int", "float", "json", "lower", "path", "enum:PerformanceFeature"}
STAGES = {"backend", "early", "main", "late", "extension", "text", ""}
STATUSES = {"active", "accepted-but-ignored", "suppressed", "removed"}


@pytest.mark.parametrize("fork", FORKS)
def test_each_flag_is_told_in_full(fork: str) -> None:
    names = [flag.flag for flag in flags(fork)]
    assert len(names) == len(set(names)) > 120
    for flag in flags(fork):
        assert flag.dest == flag.flag.lstrip("-").replace("-", "_")
        assert flag.type in TYPES and flag.stage in STAGES and flag.status in STATUSES
        assert flag.effect.endswith(".")
        assert bool(flag.why) == (flag.status == "accepted-but-ignored")
        assert (flag.stage == "") == (flag.status == "removed")


@pytest.mark.parametrize("fork", FORKS)
def test_what_is_offered_instead_exists_and_works(fork: str) -> None:
    for flag in flags(fork):
        if flag.instead:
            target = find(fork, flag.instead.split()[0])
            assert target and target.known and target.status == "active", flag.flag


@pytest.mark.parametrize("fork", FORKS)
def test_where_the_flags_come_from(fork: str) -> None:
    known = provenance(fork)
    assert "/" in known.repository and len(known.commit) == 40 and known.date[:2] == "20"
    assert DISPLAY_NAMES[fork]


@pytest.mark.parametrize(
    ("token", "flags"),
    [
        ("--Listen", ("--listen",)),
        ("--server_name", ("--server-name",)),
        ("\u2014port=9999", ("--port",)),
        ("\u2013-api", ("--api",)),
        ("-api", ("--api",)),
        ("api", ("--api",)),
        ("--api\u200b", ("--api",)),
        ("--api,--listen", ("--api", "--listen")),
        ("--api--listen", ("--api", "--listen")),
        ("7860", ()),
        ("models", ()),
        ("", ()),
        ("--", ()),
        ("--zzzzzz", ()),
    ],
)
def test_nearest(token: str, flags: tuple[str, ...]) -> None:
    assert nearest("forge", token) == flags


def test_nearest_offers_slips_of_a_letter_first() -> None:
    assert nearest("forge", "--lsten")[0] == "--listen"
    assert nearest("forge", "--xfomers")[0] == "--xformers"
    assert nearest("neo", "--lowvrm")[0] == "--lowvram"


def test_known_elsewhere() -> None:
    assert known_elsewhere("--highvram", "forge") == ("neo",)
    assert known_elsewhere("--cuda-device=0", "forge") == ("reforge",)
    assert known_elsewhere("--api", "forge") == ("reforge", "classic", "neo", "a1111")
    assert known_elsewhere("--nonsense", "forge") == ()
    assert instead_of("--cuda-device", "forge") == "--gpu-device-id"
    assert instead_of("--nonsense", "forge") == ""


def test_which_python_starts_without_a_warning() -> None:
    assert release("forge").accepts_python((3, 10), windows=True)
    assert not release("forge").accepts_python((3, 11), windows=True)
    assert release("forge").accepts_python((3, 11), windows=False)
    assert not release("forge").accepts_python((3, 12), windows=False)
    assert release("neo").accepts_python((3, 13), windows=True)
    assert any(one.accepts_python((3, 11), windows=False) for one in releases("neo"))


@pytest.mark.parametrize("fork", FORKS)
def test_pins_agree_with_the_release(fork: str) -> None:
    assert pins(fork)["gradio"] == release(fork).gradio
    assert pins(fork)["fastapi"] == release(fork).fastapi
    assert all(name == name.lower() and version[0].isdigit() for name, version in pins(fork).items())


@pytest.mark.parametrize(
    ("word", "right"), [("prot", "port"), ("apy", "api"), ("prt", "port"), ("poort", "port"), ("lsten", "listen")]
)
def test_one_slip_of_the_pen_is_seen(word: str, right: str) -> None:
    assert one_slip(word, right)
    assert nearest("forge", f"--{word}")[0] == f"--{right}"


@pytest.mark.parametrize(("word", "right"), [("port", "port"), ("pxyt", "port"), ("api", "api-auth"), ("", "ab")])
def test_more_than_one_slip_is_another_word(word: str, right: str) -> None:
    assert not one_slip(word, right)
