"""The formulas against a queue that is played through, and against what is known of them in closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.capacity import queueing as q
from tests.capacity.simulate import closed_queue, open_queue

JOB = 4.0  # seconds


def played(busy: float, servers: int, cv2: float) -> tuple[float, float, float]:
    """(rate, mean wait, wait that 95 % do not exceed) of a simulation."""
    rate = busy * servers / JOB
    waits = sorted(open_queue(rate, JOB, servers, cv2))
    return rate, sum(waits) / len(waits), waits[int(0.95 * len(waits))]


@pytest.mark.parametrize("cv2", [0.0, 0.5])
@pytest.mark.parametrize("servers", [1, 2, 4])
@pytest.mark.parametrize("busy", [0.3, 0.7, 0.85])
def test_waits_are_those_of_a_simulation(busy: float, servers: int, cv2: float) -> None:
    rate, mean, late = played(busy, servers, cv2)
    assert q.mean_wait(rate, JOB, servers, cv2) == pytest.approx(mean, rel=0.05, abs=0.05)
    assert q.wait_quantile(0.95, rate, JOB, servers, cv2) == pytest.approx(late, rel=0.05, abs=0.12 * JOB)


@pytest.mark.parametrize(("clients", "servers"), [(1, 1), (3, 1), (2, 4), (8, 4), (9, 2)])
def test_clients_that_wait_for_their_answers(clients: int, servers: int) -> None:
    rate, latency = closed_queue(clients, JOB, servers)
    assert q.closed_loop(clients, JOB, servers) == pytest.approx((rate, latency), rel=0.02)


@pytest.mark.parametrize(("busy", "mean", "late"), [(0.5, 0.5, 2.1), (0.7, 1.17, 4.1), (0.8, 2, 6.6), (0.9, 4.5, 14), (0.95, 9.5, 29)])  # fmt: skip
def test_equal_jobs_on_one_process(busy: float, mean: float, late: float) -> None:
    assert q.mean_wait(busy, 1.0) == pytest.approx(mean, rel=0.005)
    assert q.wait_quantile(0.95, busy, 1.0) == pytest.approx(late, rel=0.03)


def test_exponential_jobs_have_closed_forms() -> None:
    # M/M/1: the wait is 0 with chance 1 - busy, else exponential. Erlang C for two processes: 2 busy^2 / (1 + busy).
    assert q.mean_wait(0.8, 1.0, 1, 1.0) == pytest.approx(4.0)
    assert q.wait_quantile(0.95, 0.8, 1.0, 1, 1.0) == pytest.approx(math.log(0.8 / 0.05) / 0.2)
    assert q.erlang_c(2, 1.6) == pytest.approx(2 * 0.8**2 / 1.8)
    assert q.mean_wait(1.6, 1.0, 2, 1.0) == pytest.approx(q.erlang_c(2, 1.6) / 0.4)


@given(
    busy=st.floats(0.001, 0.999), job=st.floats(0.001, 1e5), servers=st.integers(1, 300), cv2=st.floats(0, 100)
)  # fmt: skip
def test_more_load_never_waits_less_and_nothing_overflows(busy: float, job: float, servers: int, cv2: float) -> None:
    rate = busy * servers / job
    mean, late = q.mean_wait(rate, job, servers, cv2), q.wait_quantile(0.95, rate, job, servers, cv2)
    assert 0 <= mean < math.inf and 0 <= late < math.inf
    assert q.mean_wait(rate * 0.9, job, servers, cv2) <= mean * (1 + 1e-9)
    assert q.mean_wait(rate, job, servers + 1, cv2) <= mean * (1 + 1e-9)


def test_too_much_never_ends() -> None:
    assert q.mean_wait(0.25, JOB) == math.inf
    assert q.wait_quantile(0.95, 1.0, JOB, 2) == math.inf


@pytest.mark.parametrize(("limit", "servers", "cv2"), [(12.0, 1, 0.0), (20.0, 3, 0.0), (30.0, 2, 0.7)])
def test_the_highest_rate_just_keeps_the_limit(limit: float, servers: int, cv2: float) -> None:
    rate = q.highest_rate(limit, JOB, servers, cv2)
    assert q.wait_quantile(0.95, rate, JOB, servers, cv2) + JOB <= limit
    assert q.wait_quantile(0.95, rate * 1.01, JOB, servers, cv2) + JOB > limit


def test_the_fewest_processes() -> None:
    assert q.servers_for(0.2, JOB, 0.8, math.inf) == 1
    assert q.servers_for(0.21, JOB, 0.8, math.inf) == 2
    assert q.servers_for(0.2, JOB, 0.8, 10.0) == 2  # one would be 80 % busy, and answer in 30 s
    assert q.servers_for(0.2, JOB, 0.8, JOB - 1) == 0


def test_jobs_of_different_lengths() -> None:
    assert q.moments([6.0]) == (6.0, 0.0)
    assert q.moments([2.0, 10.0]) == pytest.approx((6.0, 16 / 36))
