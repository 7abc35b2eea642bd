"""What the plan says yes and no to, and what it says to do."""

from __future__ import annotations

import pytest

from forgedoctor.capacity import Ask, plan
from forgedoctor.capacity.advice import advice, starts, upstream
from forgedoctor.capacity.paper import as_text, headline


@pytest.mark.parametrize(
    ("more", "verdict", "needed"),
    [
        ({"rate": 0.1}, "ok", 1),
        ({"rate": 0.15}, "tight", 2),
        ({"rate": 1 / 6}, "over", 2),
        ({"rate": 0.3}, "over", 3),
        ({"rate": 0.1, "target": 30.0}, "ok", 1),
        ({"rate": 0.1, "target": 15.0}, "over", 2),
        ({"rate": 0.1, "target": 5.0}, "over", 0),
        ({"rate": 0.3, "processes": 4}, "ok", 3),
        ({"clients": 4}, "ok", 1),
        ({"clients": 4, "target": 24.0}, "ok", 1),
        ({"clients": 5, "target": 24.0}, "over", 2),
        ({"clients": 35}, "tight", 2),
        ({"clients": 41}, "over", 2),
        ({"clients": 80, "processes": 2}, "tight", 3),
        ({"target": 3.0}, "over", None),
        ({}, "", None),
    ],
)
def test_the_verdict_and_how_many_processes_it_takes(more: dict[str, float], verdict: str, needed: int | None) -> None:
    made = plan(Ask(job_seconds=6.0, **more))  # type: ignore[arg-type]
    assert (made.verdict, made.processes_needed) == (verdict, needed)
    assert str(headline(made)).startswith({"ok": "Yes", "tight": "Just so", "over": "No"}.get(verdict, "Up to"))


def test_what_a_target_leaves_in_flight() -> None:
    # 3 jobs of 0.1 s fit into 0.3 s although 0.3 / 0.1 is a little less than 3; never more than 8 a process
    wish = plan(Ask(job_seconds=0.1, target=0.3)).wish
    assert wish and wish.in_flight == 3
    assert plan(Ask(job_seconds=0.1, target=60.0)).in_flight == 8
    assert plan(Ask(job_seconds=6.0, target=20.0, processes=2)).in_flight == 6


def test_forty_one_requests_hang_the_server_and_forty_do_not() -> None:
    assert not plan(Ask(job_seconds=1.0, clients=40)).closed.hangs  # type: ignore[union-attr]
    made = plan(Ask(job_seconds=1.0, clients=41))
    assert made.closed and made.closed.hangs
    assert any("/sdapi/v1/progress" in str(one) for one in advice(made))


def test_each_process_has_its_card_its_port_and_its_settings() -> None:
    lines = starts(3)
    assert len(lines) == 3
    for column in ("--gpu-device-id", "--port", "--ui-settings-file", "--ui-config-file"):
        assert len({line.split(column)[1].split()[0] for line in lines}) == 3
    for index, line in enumerate(lines):
        assert f"--gpu-device-id {index} " in line and f"--port {7861 + index} " in line


def test_nginx_waits_long_enough_and_never_repeats_a_job() -> None:
    made = plan(Ask(job_seconds=400.0, processes=2))
    block = "\n".join(upstream(made, 2))
    timeout = int(block.split("proxy_read_timeout ")[1].split("s")[0])
    assert timeout >= 400 * 2 and "proxy_next_upstream off;" in block and block.count("server 127") == 2


def test_a_second_process_on_the_same_card_is_advised_against() -> None:
    said = as_text(plan(Ask(job_seconds=6.0, rate=0.3)), None)
    assert "each with a GPU of its own" in said and "--gpu-device-id 2" in said and "x RAM" not in said


@pytest.mark.parametrize("more", [{}, {"rate": 0.1}, {"clients": 50}, {"rate": 0.3, "target": 20.0}])
def test_the_text_is_80_columns_of_ascii(more: dict[str, float]) -> None:
    said = as_text(plan(Ask(job_seconds=6.0, **more)), None)  # type: ignore[arg-type]
    assert said.isascii()
    prose = [line for line in said.splitlines() if "--gpu-device-id" not in line]
    assert max(map(len, prose)) <= 96 and max(len(line) for line in prose[1:]) <= 80
