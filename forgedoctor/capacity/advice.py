"""What to do with the numbers, in sentences: how many at once, whether more processes help, and how they are set up."""

from __future__ import annotations

import math
from collections.abc import Iterator

from forgedoctor.capacity.plan import IN_FLIGHT, MOST_IN_FLIGHT, THREADS, Plan
from forgedoctor.message import Message, t

_FIRST_PORT = 7861  # the default with --nowebui
_SHOWN = 4  # processes written out


def advice(made: Plan) -> Iterator[Message]:
    """The sentences, the most telling first."""
    ask = made.ask
    yield t(
        "Keep at most {each} requests in flight per process ({all} in all), with a queue of your own in front: Forge "
        "has no limit and no way to take a waiting request back.",
        each=made.in_flight_per_process,
        all=made.in_flight,
    )
    if made.closed and made.closed.hangs:
        yield t(
            "{count} requests in one process are more than its {threads} threads: even /sdapi/v1/progress will hang, "
            "and health checks will call it dead.",
            count=made.closed.per_process,
            threads=THREADS,
        )
    if made.closed and made.closed.clients > ask.processes + 1:
        yield t(
            "More than {useful} requests at once add waiting and no images: each process does one job at a time.",
            useful=ask.processes + 1,
        )
    yield from _processes(made)
    yield t(
        "Several images of one prompt: batch_size in one request saves 6 to 23 % against single requests, as far as "
        "the card's memory goes; n_iter saves nothing."
    )
    yield t(
        "Send requests for the same checkpoint to the same process: another checkpoint in a request is a full unload "
        "and load, while all others wait."
    )


def _processes(made: Plan) -> Iterator[Message]:
    ask, needed = made.ask, made.processes_needed
    if made.wish and not made.wish.possible:
        yield t(
            "No number of processes answers within {target} s: one job takes {job} s. Only a faster job does (fewer "
            "steps, a smaller image, a faster card).",
            target=number(made.wish.seconds),
            job=number(ask.job_seconds),
        )
    elif needed == 0:
        yield t("No number of processes up to 1000 is enough for that.")
    elif needed is not None and needed > ask.processes:
        yield t(
            "It takes {needed} processes, each with a GPU of its own. A second process on the same GPU adds nothing: "
            "two jobs share the card's speed, and each process loads its own copy of the model.",
            needed=needed,
        )
    elif ask.processes == 1 and made.verdict == "ok":
        yield t("One process is enough; a second one, with a GPU of its own, would only shorten the waits.")


def number(value: float) -> str:
    """A number for people: three digits that count."""
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def count_to_show(made: Plan) -> int:
    """For how many processes the set-up is shown: those at hand, or those that it takes; 0 for a single one."""
    wanted = max(made.ask.processes, made.processes_needed or 0)
    return wanted if wanted > 1 else 0


def starts(count: int) -> list[str]:
    """The command line of each process: its own card, port and settings; config.json is rewritten whole by each."""
    return [
        f"python launch.py --nowebui --gpu-device-id {index} --port {_FIRST_PORT + index} "
        f"--ui-settings-file config-{index}.json --ui-config-file ui-config-{index}.json"
        for index in range(min(count, _SHOWN))
    ]


def upstream(made: Plan, count: int) -> list[str]:
    """The part of nginx's configuration that several processes need beside ``forgedoctor nginx --suggest``.

    ``max_conns`` counts over all workers only with ``zone``. nginx has no queue: what exceeds it is answered 502. A
    POST that fails must not go to the next one, or the job is done twice. Source: nginx.org, ngx_http_upstream_module.
    """
    each = min(2, made.in_flight_per_process)
    longest = max(600, math.ceil((each + 1) * made.ask.job_seconds * (1 + made.ask.cv2) * 2 / 60) * 60)
    servers = [f"    server 127.0.0.1:{_FIRST_PORT + index} max_conns={each};" for index in range(min(count, _SHOWN))]
    more = [f"    # ... and {count - _SHOWN} more"] if count > _SHOWN else []
    return [
        "upstream forge {",
        "    zone forge 64k;",
        "    least_conn;",
        *servers,
        *more,
        "}",
        "# inside the location:",
        "proxy_pass http://forge;",
        "proxy_next_upstream off;",
        f"proxy_read_timeout {longest}s;",
    ]


def setup_notes(count: int) -> Iterator[Message]:
    """What is to be said beside the set-up."""
    yield t("Each process needs RAM for its own copy of the model: {count} times that of one.", count=count)
    yield t("nginx answers 502 to what exceeds max_conns: the client's queue has to hold it back, or try again later.")
    yield t("/sdapi/v1/progress and /sdapi/v1/interrupt must go to the process that has the job: ask its own port.")
    yield t("The rest of the block: forgedoctor nginx --suggest -- --nowebui")


LIMITS = {"threads": THREADS, "in_flight_per_process": IN_FLIGHT, "most_in_flight_per_process": MOST_IN_FLIGHT}
