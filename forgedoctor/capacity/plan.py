"""From how long a job takes and what is asked of it to an answer: does it keep up, and what would help."""

from __future__ import annotations

import math

import msgspec

from forgedoctor.capacity import queueing

# Forge takes each request on one of so many threads; beyond them every plain address hangs, /progress too. Source:
# anyio's default, measured with fastapi 0.104.1 and one lock.
THREADS = 40
MOST_IN_FLIGHT = 30  # leaves threads for /progress, /options and the page
IN_FLIGHT = 8  # what waits longer should wait in the client's own queue, where it can be taken back
BUSY = 0.8  # beyond it waits grow steeply


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. ``job_seconds``: one job, warm; ``cv2``: how much jobs differ (0: equal). ``processes``: Forges,
    each on a GPU of its own. ``clients``: requests in flight at once, or ``rate``: requests a second. ``target``: the
    answer wanted within so many seconds."""

    job_seconds: float
    cv2: float = 0.0
    processes: int = 1
    clients: int | None = None
    rate: float | None = None
    target: float | None = None


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """So many clients, each waiting for its answer before it asks again."""

    clients: int
    per_process: int
    jobs_per_second: float
    latency_seconds: float
    hangs: bool


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that come by themselves. None: without end, for more comes than can be done."""

    rate: float
    utilisation: float
    stable: bool
    waiting: float | None
    mean_wait_seconds: float | None
    p95_wait_seconds: float | None
    mean_latency_seconds: float | None
    p95_latency_seconds: float | None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An answer within so many seconds: the highest rate (95 % in time), and how many may be in flight."""

    seconds: float
    possible: bool
    highest_rate: float
    in_flight: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    ``verdict``: ok, tight (it keeps up, with long waits), over (it does not keep up, or not in time) or empty where
    nothing was asked beyond the job. ``in_flight``: at most so many at once, for all processes together.
    ``processes_needed``: for the rate or the clients at hand; 0: no number of processes does it, None: not asked.
    """

    ask: Ask
    verdict: str
    jobs_per_second: float
    comfortable_rate: float
    in_flight: int
    in_flight_per_process: int
    loads: tuple[Open, ...] = ()
    crowds: tuple[Closed, ...] = ()
    open: Open | None = None
    closed: Closed | None = None
    wish: Wish | None = None
    processes_needed: int | None = None


def plan(ask: Ask) -> Plan:
    """Work it out."""
    wish = _wish(ask)
    each = min(IN_FLIGHT, max(1, wish.in_flight // ask.processes)) if wish else IN_FLIGHT
    opened = opened_at(ask, ask.rate) if ask.rate is not None else None
    closed = closed_with(ask, ask.clients) if ask.clients is not None else None
    full = ask.processes / ask.job_seconds
    return Plan(
        ask=ask,
        verdict=_verdict(ask, opened, closed, wish),
        jobs_per_second=full,
        comfortable_rate=BUSY * full,
        in_flight=each * ask.processes,
        in_flight_per_process=each,
        loads=tuple(opened_at(ask, busy * full) for busy in (0.5, 0.7, 0.8, 0.9, 0.95)),
        crowds=tuple(closed_with(ask, count) for count in _crowds(ask.processes)),
        open=opened,
        closed=closed,
        wish=wish,
        processes_needed=_needed(ask),
    )


def opened_at(ask: Ask, rate: float) -> Open:
    """What requests that arrive at that rate meet."""
    numbers = (rate, ask.job_seconds, ask.processes, ask.cv2)
    wait, late = queueing.mean_wait(*numbers), queueing.wait_quantile(0.95, *numbers)
    return Open(
        rate=rate,
        utilisation=queueing.utilisation(*numbers[:3]),
        stable=math.isfinite(wait),
        waiting=_finite(rate * wait) if rate else 0.0,
        mean_wait_seconds=_finite(wait),
        p95_wait_seconds=_finite(late),
        mean_latency_seconds=_finite(wait + ask.job_seconds),
        p95_latency_seconds=_finite(late + ask.job_seconds),
    )


def closed_with(ask: Ask, clients: int) -> Closed:
    """What so many clients meet that wait for their answers."""
    rate, latency = queueing.closed_loop(clients, ask.job_seconds, ask.processes)
    each = -(-clients // ask.processes)
    return Closed(
        clients=clients, per_process=each, jobs_per_second=rate, latency_seconds=latency, hangs=each > THREADS
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _crowds(processes: int) -> list[int]:
    """Numbers of clients worth showing: a few, the limit that is advised, and one too many."""
    counts = {1, processes, processes + 1, 4 * processes, IN_FLIGHT * processes, MOST_IN_FLIGHT * processes}
    return sorted({*counts, THREADS * processes + 1})


def _wish(ask: Ask) -> Wish | None:
    if ask.target is None:
        return None
    possible = ask.target >= ask.job_seconds
    return Wish(
        seconds=ask.target,
        possible=possible,
        highest_rate=queueing.highest_rate(ask.target, ask.job_seconds, ask.processes, ask.cv2),
        # A part of a millionth more is rounding: 3 jobs of 0.1 s fit into 0.3 s.
        in_flight=ask.processes * math.floor(ask.target / ask.job_seconds + 1e-6),
    )


def _verdict(ask: Ask, opened: Open | None, closed: Closed | None, wish: Wish | None) -> str:
    if wish and not wish.possible:
        return "over"
    if opened:
        late = opened.p95_latency_seconds
        if late is None or (wish and late > wish.seconds):
            return "over"
        return "ok" if opened.utilisation <= BUSY + 1e-9 else "tight"
    if closed:
        if closed.hangs or (wish and closed.clients > wish.in_flight):
            return "over"
        return "ok" if closed.per_process <= MOST_IN_FLIGHT else "tight"
    return "ok" if wish else ""


def _needed(ask: Ask) -> int | None:
    if ask.rate is not None:
        limit = math.inf if ask.target is None else ask.target
        return queueing.servers_for(ask.rate, ask.job_seconds, BUSY, limit, ask.cv2)
    if ask.clients is None:
        return None
    if ask.target is None:
        return -(-ask.clients // MOST_IN_FLIGHT)
    each = min(MOST_IN_FLIGHT, math.floor(ask.target / ask.job_seconds + 1e-6))
    return -(-ask.clients // each) if each else 0
