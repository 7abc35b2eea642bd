"""A queue played through, job by job, to hold the formulas against. Seeded: the same answer each time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable


def lengths(service: float, cv2: float) -> Callable[[random.Random], float]:
    """Job lengths with that mean and squared coefficient of variation: equal, or gamma-distributed."""
    if cv2 == 0:
        return lambda _: service
    return lambda dice: dice.gammavariate(1 / cv2, service * cv2)


def open_queue(
    rate: float, service: float, servers: int, cv2: float = 0.0, jobs: int = 200_000, seed: int = 7
) -> list[float]:
    """The waits of requests that arrive at random, served in order by so many processes; the first tenth is left out."""
    dice = random.Random(seed)
    length = lengths(service, cv2)
    free = [0.0] * servers  # when each process is free again
    now, waits = 0.0, []
    for _ in range(jobs):
        now += dice.expovariate(rate)
        start = max(now, heapq.heappop(free))
        heapq.heappush(free, start + length(dice))
        waits.append(start - now)
    return waits[jobs // 10 :]


def closed_queue(clients: int, service: float, servers: int, jobs: int = 2000) -> tuple[float, float]:
    """(jobs a second, mean latency) of clients that send again as soon as they have their answer."""
    free = [0.0] * servers
    ready = [(0.0, client) for client in range(clients)]
    heapq.heapify(ready)
    latencies, end = [], 0.0
    for _ in range(jobs):
        now, client = heapq.heappop(ready)
        end = max(now, heapq.heappop(free)) + service
        heapq.heappush(free, end)
        heapq.heappush(ready, (end, client))
        latencies.append(end - now)
    settled = latencies[jobs // 2 :]
    return jobs / end, sum(settled) / len(settled)
