"""NVML through the real nvidia-ml-py and a library that answers as scripted: cards, errors, old drivers, hangs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forgedoctor.facts._gpu_types import GpuProcess, Link, Slice
from forgedoctor.gpu import nvml_errors
from tests.gpu.fake import GIB_24, RTX_3070, RTX_4090, ask, build, needs_gcc, only, run, script

pytestmark = [pytest.mark.real, needs_gcc]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml") / "new")


@pytest.fixture(scope="module")
def old_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml") / "old", "-DOLD")


def test_two_cards_are_told_in_the_order_of_the_bus(library: Path, tmp_path: Path) -> None:
    told = ask(library, tmp_path, script(RTX_4090, RTX_3070))
    assert (told.driver, told.cuda, told.count, told.error) == ("551.61", (12, 4), 2, None)
    first, second = told.cards
    assert (first.index, first.name, first.capability) == (0, "NVIDIA GeForce RTX 4090", (8, 9))
    assert (first.total_mib, first.free_mib, first.used_mib) == (GIB_24, 23000, GIB_24 - 23000)
    assert (first.temperature, first.power, first.power_limit, first.utilisation) == (61, 84.2, 450.0, 12)
    assert first.link == Link(width=16, max_width=16, generation=1, max_generation=4)
    assert (second.index, second.bus_id, second.capability) == (1, "0000:05:00.0", (8, 6))
    assert told.library == str(library / "libnvidia-ml.so.1")


def test_what_a_card_does_not_support_is_not_known_and_no_error(library: Path, tmp_path: Path) -> None:
    card = only(ask(library, tmp_path, script({"name": "NVIDIA Something"})))
    assert card.error is None and card.name == "NVIDIA Something"
    assert (card.total_mib, card.ecc, card.mig, card.reasons, card.processes, card.display) == (None,) * 6


def test_programs_on_the_card(library: Path, tmp_path: Path) -> None:
    card = only(ask(library, tmp_path, script(RTX_4090 | {"compute": "42:9100,77:300", "graphics": "77:310,99:20"})))
    assert card.processes == (
        GpuProcess(pid=42, used_mib=9100, kind="compute"),
        GpuProcess(pid=77, used_mib=310, kind="both"),
        GpuProcess(pid=99, used_mib=20, kind="graphics"),
    )


def test_windows_does_not_tell_how_much_a_program_holds(library: Path, tmp_path: Path) -> None:
    card = only(ask(library, tmp_path, script(RTX_4090 | {"compute": "42:-,77:-"})))
    assert card.processes == (GpuProcess(pid=42), GpuProcess(pid=77))


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("0x0", ()),
        ("0x60", ("software-thermal", "hardware-thermal")),
        ("0x88", ("hardware-slowdown", "power-brake")),
        ("!3", None),
    ],
)
def test_why_it_slows_down(library: Path, tmp_path: Path, bits: str, expected: tuple[str, ...] | None) -> None:
    assert only(ask(library, tmp_path, script(RTX_4090 | {"reasons": bits}))).reasons == expected


def test_an_old_driver_answers_the_older_questions(old_library: Path, tmp_path: Path) -> None:
    says = script(RTX_4090 | {"compute": "42:9100", "reasons": "0x40", "mig": "1"}, driver="470.82.01", cuda="11040")
    told = ask(old_library, tmp_path, says)
    card = only(told)
    assert (told.driver, told.cuda, told.error, card.error) == ("470.82.01", (11, 4), None, None)
    assert (card.total_mib, card.free_mib, card.mig) == (GIB_24, 23000, None)
    assert card.reasons == ("hardware-thermal",)
    assert card.processes == (GpuProcess(pid=42, used_mib=9100),)


def test_mig_instances_are_told_with_their_gaps(library: Path, tmp_path: Path) -> None:
    parts = {"0.name": "NVIDIA H100 MIG 1g.10gb", "0.uuid": "MIG-a", "0.memory": "9856 9700", "3.name": "second"}
    card = only(ask(library, tmp_path, script(RTX_4090 | {"mig": "1"} | parts)))
    assert card.mig is True
    assert card.slices == (
        Slice(index=0, uuid="MIG-a", name="NVIDIA H100 MIG 1g.10gb", total_mib=9856, free_mib=9700),
        Slice(index=3, name="second"),
    )


def test_memory_errors_are_asked_for_where_ecc_is_on(library: Path, tmp_path: Path) -> None:
    card = only(ask(library, tmp_path, script(RTX_4090 | {"ecc": "1", "uncorrected": "3", "remap-pending": "1"})))
    assert (card.ecc, card.uncorrected, card.remap_pending, card.remap_failed) == (True, 3, True, False)


@pytest.mark.parametrize("code", [2, 4, 8, 9, 11, 14, 15, 16, 17, 18, 19, 20, 999])
def test_an_error_at_the_start_is_told_and_named(library: Path, tmp_path: Path, code: int) -> None:
    error = ask(library, tmp_path, script(RTX_4090, init=f"!{code}")).error
    assert error is not None and (error.code, error.at) == (code, "nvmlInit")
    assert not error.name.startswith("Error ")


def test_an_error_that_is_not_known_here_is_told_in_the_drivers_words(library: Path, tmp_path: Path) -> None:
    error = ask(library, tmp_path, script(init="!77")).error
    assert error is not None and (error.code, error.name, error.said) == (77, "Error 77", "A reason of tomorrow")
    assert "A reason of tomorrow" in str(error.meaning)


def test_no_library_is_an_error_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "libnvidia-ml.so.1").write_text("no library", encoding="utf-8")
    error = ask(tmp_path / "empty", tmp_path, "").error
    assert error is not None and error.code == nvml_errors.NO_LIBRARY


@pytest.mark.parametrize("where", ["handle", "memory", "temperature"])
@pytest.mark.parametrize("code", [8, 11, 15, 16])
def test_a_broken_card_does_not_hide_the_others(library: Path, tmp_path: Path, where: str, code: int) -> None:
    told = ask(library, tmp_path, script(RTX_4090 | {where: f"!{code}"}, RTX_3070))
    broken, sound = told.cards
    assert told.error is None and broken.error is not None and broken.error.code == code
    assert sound.error is None and sound.total_mib == 8188


def test_a_card_that_may_not_be_used(library: Path, tmp_path: Path) -> None:
    card = only(ask(library, tmp_path, script(RTX_4090 | {"handle": "!4"})))
    assert card.error is not None and card.error.name == "NoPermission"


def test_a_hanging_card_is_left_behind_with_what_was_told_before(library: Path, tmp_path: Path) -> None:
    told = ask(library, tmp_path, script(RTX_4090, RTX_3070 | {"temperature": "hang"}), patience=1.0)
    assert told.error is not None and told.error.code == nvml_errors.HANGS
    assert told.error.at == "nvmlDeviceGetTemperature(1)"
    assert [one.name for one in told.cards] == ["NVIDIA GeForce RTX 4090"] and told.count == 2


def test_a_second_question_to_a_hanging_driver_comes_back(library: Path, tmp_path: Path) -> None:
    code = """
import json, threading
from forgedoctor.facts import _nvml
answers = [_nvml.ask(1.0), _nvml.ask(1.0)]
threads = [threading.Thread(target=lambda: answers.append(_nvml.ask(1.0)), daemon=True) for _ in range(4)]
[one.start() for one in threads]
[one.join(30) for one in threads]
started = sum(one.name == "nvml" for one in threading.enumerate())
print(json.dumps([[one.error.code for one in answers], started]), flush=True)
"""
    codes, started = json.loads(run(library, tmp_path, script(init="hang"), code))
    assert codes == [nvml_errors.HANGS] * 6
    assert started == 1


def test_it_can_be_asked_again(library: Path, tmp_path: Path) -> None:
    code = "from forgedoctor.facts import _nvml; print(_nvml.ask(20).count, _nvml.ask(20).cards[0].total_mib)"
    assert run(library, tmp_path, script(RTX_4090), code).split() == ["1", str(GIB_24)]


def test_a_strangers_module_of_that_name_is_no_crash(library: Path, tmp_path: Path) -> None:
    (tmp_path / "pynvml.py").write_text("raise RuntimeError('an old fork')", encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from forgedoctor.facts import _nvml\n"
        "error = _nvml.ask(20).error; print(error.code, error.said)"
    )
    assert run(library, tmp_path, script(RTX_4090), code).strip() == f"{nvml_errors.NO_BINDING} an old fork"


def test_the_fact_names_the_programs_and_knows_its_cards(library: Path, tmp_path: Path) -> None:
    code = """
import os, msgspec
from forgedoctor.facts import Host
from forgedoctor.facts.gpu import collect
from forgedoctor.target import Target
here = collect(Target(scope="live"), Host(system="linux"), None)
boxed = collect(Target(scope="live"), Host(system="linux", container="docker"), None)
mine = [one for one in here.cards[0].processes if one.pid == os.getpid()][0]
print(mine.used_mib, "python" in mine.name, mine.parent == os.getppid(), boxed.foreign_pids,
      [one.name for one in boxed.cards[0].processes])
"""
    says = script(RTX_4090 | {"compute": "PID:700"})
    code = (
        "import os; p = os.environ['FAKE_NVML']; s = open(p).read().replace('PID', str(os.getpid())); open(p, 'w').write(s)\n"
        + code
    )
    assert run(library, tmp_path, says, code).strip() == "700 True True True ['']"
