"""Waiting times in front of processes that do one job at a time, in order of arrival: the M/G/c queue.

``service``: seconds that one job takes on average. ``servers``: processes. ``rate``: requests a second that arrive by
themselves (Poisson). ``cv2``: the squared coefficient of variation of the job lengths: 0 where all take equally long, 1
where they vary as an exponential does. Times are in seconds, infinite where more arrives than can be done.

Source: Pollaczek and Khinchine (one process, exact); Erlang C; Cosmetatos 1975 for equal jobs on several processes, and
between that and exponential jobs by cv2 as Page 1972 does; Cramér and Lundberg for the tail. tests/capacity compares
all of them with a simulation.
"""

from __future__ import annotations

import math

_STEPS = 200


def utilisation(rate: float, service: float, servers: int = 1) -> float:
    """The part of the time that the processes work; from 1 on the queue grows without end."""
    return rate * service / servers


def erlang_c(servers: int, load: float) -> float:
    """The chance that a request has to wait; ``load``: how many processes are busy on average (rate x service)."""
    if load <= 0:
        return 0.0
    if load >= servers:
        return 1.0
    lost = 1.0  # Erlang B, built up a process at a time
    for count in range(1, servers + 1):
        lost = load * lost / (count + load * lost)
    busy = load / servers
    return lost / (1 - busy * (1 - lost))


def mean_wait(rate: float, service: float, servers: int = 1, cv2: float = 0.0) -> float:
    """How long a request waits on average before its job begins."""
    busy = utilisation(rate, service, servers)
    if busy >= 1:
        return math.inf
    if busy <= 0:
        return 0.0
    exponential = erlang_c(servers, rate * service) * service / (servers * (1 - busy))
    extra = (1 - busy) * (servers - 1) * (math.sqrt(4 + 5 * servers) - 2) / (16 * busy * servers)
    equal = min(exponential, exponential / 2 * (1 + extra))
    return max(0.0, (1 - cv2) * equal + cv2 * exponential)


def queue_length(rate: float, service: float, servers: int = 1, cv2: float = 0.0) -> float:
    """How many requests wait on average (Little's law)."""
    return rate * mean_wait(rate, service, servers, cv2)


def wait_quantile(part: float, rate: float, service: float, servers: int = 1, cv2: float = 0.0) -> float:
    """The wait that this part of the requests (0.95) does not exceed.

    The tail is K exp(-theta t). Theta solves rate (B(theta/servers) - 1) = theta, B being the transform of the job
    lengths; K is exact for one process, and for several chosen so that the mean is right.
    """
    busy = utilisation(rate, service, servers)
    if busy >= 1:
        return math.inf
    if erlang_c(servers, rate * service) <= 1 - part:  # so few requests wait at all
        return 0.0
    theta = _decay(rate, service, servers, cv2)
    if servers == 1:
        slope = service * _transform(theta * service, cv2) ** (1 + cv2)
        factor = (1 - busy) / (rate * slope - 1)
    else:
        factor = theta * mean_wait(rate, service, servers, cv2)
    return max(0.0, math.log(factor / (1 - part)) / theta)


def _decay(rate: float, service: float, servers: int, cv2: float) -> float:
    """The positive root of rate (B(theta/servers) - 1) = theta, by halving."""
    load = rate * service / servers
    low, high = 0.0, 1.0
    limit = 1 / cv2 if cv2 > 0 else math.inf  # the transform of gamma-distributed lengths ends there
    while high < limit and load * (_transform(high, cv2) - 1) < high:
        low, high = high, high * 2
    high = min(high, limit)
    for _ in range(_STEPS):  # in units of service / servers
        middle = (low + high) / 2
        if load * (_transform(middle, cv2) - 1) < middle:
            low = middle
        else:
            high = middle
    return high * servers / service


def _transform(x: float, cv2: float) -> float:
    """E[exp(x J)] of a job length J with mean 1: equal lengths, or gamma-distributed ones with that cv2."""
    if cv2 <= 0:
        return math.exp(min(x, 700.0))
    left = 1 - x * cv2
    return math.inf if left <= 0 else math.exp(min(-math.log(left) / cv2, 700.0))


def closed_loop(clients: int, service: float, servers: int = 1) -> tuple[float, float]:
    """(jobs a second, seconds from request to answer) with so many clients, each of which sends its next request as
    soon as it has its answer."""
    if clients <= 0:
        return 0.0, 0.0
    working = min(clients, servers)
    return working / service, max(1.0, clients / servers) * service


def highest_rate(limit: float, service: float, servers: int = 1, cv2: float = 0.0, part: float = 0.95) -> float:
    """The most requests a second at which that part of them is answered within ``limit`` seconds; 0 where none is.

    The wait is taken at that quantile and the job at its mean: exact where all jobs take equally long.
    """
    if limit < service:
        return 0.0
    low, high = 0.0, servers / service
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if wait_quantile(part, middle, service, servers, cv2) + service <= limit:
            low = middle
        else:
            high = middle
    return low


def servers_for(rate: float, service: float, busy: float, limit: float, cv2: float = 0.0, most: int = 1000) -> int:
    """The fewest processes that stay at or below ``busy`` and answer 95 % within ``limit`` seconds (infinite: no such
    wish); 0 where ``most`` are not enough, or one job alone takes longer."""
    if limit < service:
        return 0
    for count in range(max(1, math.ceil(rate * service / busy - 1e-9)), most + 1):
        if math.isinf(limit) or wait_quantile(0.95, rate, service, count, cv2) + service <= limit:
            return count
    return 0


def moments(lengths: list[float]) -> tuple[float, float]:
    """(mean, squared coefficient of variation) of jobs that come equally often."""
    mean = sum(lengths) / len(lengths)
    return mean, sum((one - mean) ** 2 for one in lengths) / len(lengths) / mean**2
