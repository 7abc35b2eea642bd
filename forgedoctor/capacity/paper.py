"""The answer as text for a terminal, and as data for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

import msgspec

from forgedoctor.capacity import advice
from forgedoctor.capacity.advice import number
from forgedoctor.capacity.measuring import Measured
from forgedoctor.capacity.plan import Closed, Open, Plan
from forgedoctor.message import ENGLISH, Message, t

VERSION = 1
_STATUS = {"ok": 0, "tight": 0, "": 0, "over": 1}


def status(made: Plan) -> int:
    """The exit status: 1 where it does not keep up or not in time."""
    return _STATUS[made.verdict]


def as_json(made: Plan, measured: Measured | None, language: str = ENGLISH) -> str:
    """One JSON object; times in seconds, rates a second. An infinite time is null."""
    ask = made.ask
    count = advice.count_to_show(made)
    found: dict[str, Any] = {
        "version": VERSION,
        "exit_code": status(made),
        "verdict": made.verdict,
        "headline": headline(made).text(language),
        "job_seconds": ask.job_seconds,
        "cv2": ask.cv2,
        "processes": ask.processes,
        "jobs_per_second": made.jobs_per_second,
        "jobs_per_hour": made.jobs_per_second * 3600,
        "comfortable_rate": made.comfortable_rate,
        "in_flight": made.in_flight,
        "in_flight_per_process": made.in_flight_per_process,
        "processes_needed": made.processes_needed,
        "rate": msgspec.to_builtins(made.open),
        "clients": msgspec.to_builtins(made.closed),
        "target": msgspec.to_builtins(made.wish),
        "at_utilisation": msgspec.to_builtins(made.loads),
        "at_clients": msgspec.to_builtins(made.crowds),
        "limits": advice.LIMITS,
        "measured": msgspec.to_builtins(measured),
        "advice": [one.text(language) for one in advice.advice(made)],
        "starts": advice.starts(count),
        "nginx": "\n".join(advice.upstream(made, count)) if count else "",
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def headline(made: Plan) -> Message:
    """The answer in one sentence."""
    if made.wish and not made.wish.possible:
        return t("No: one job alone takes longer than {target} s.", target=number(made.wish.seconds))
    if made.open:
        return _of_rate(made, made.open)
    if made.closed:
        return _of_clients(made, made.closed)
    if made.wish:
        return t(
            "Within {target} s: up to {rate} requests a minute, and at most {count} in flight.",
            target=number(made.wish.seconds),
            rate=number(made.wish.highest_rate * 60),
            count=made.in_flight,
        )
    return t(
        "Up to {rate} jobs a minute; keep at most {count} requests in flight.",
        rate=number(made.jobs_per_second * 60),
        count=made.in_flight,
    )


def _of_rate(made: Plan, it: Open) -> Message:
    if it.p95_latency_seconds is None:
        return t(
            "No: {rate} requests a minute come, and {most} can be done. The queue grows without end.",
            rate=number(it.rate * 60),
            most=number(made.jobs_per_second * 60),
        )
    late, busy = number(it.p95_latency_seconds), round(it.utilisation * 100)
    if made.verdict == "over":
        return t(
            "No: it keeps up, but it takes {late} s until 95 % have their answer, not {target} s.",
            late=late,
            target=_target(made),
        )
    if made.verdict == "tight":
        return t(
            "Just so: {busy} % busy, 95 % are answered within {late} s; with a little more, waits grow steeply.",
            busy=busy,
            late=late,
        )
    return t("Yes: {busy} % busy, 95 % are answered within {late} s.", busy=busy, late=late)


def _of_clients(made: Plan, it: Closed) -> Message:
    latency = number(it.latency_seconds)
    if it.hangs:
        return t(
            "No: {count} requests in one process hang the whole server, and take {latency} s each.",
            count=it.per_process,
            latency=latency,
        )
    if made.verdict == "over":
        return t(
            "No: each of {count} clients waits {latency} s for its answer, not {target} s.",
            count=it.clients,
            latency=latency,
            target=_target(made),
        )
    if made.verdict == "tight":
        return t(
            "Just so: each of {count} clients waits {latency} s, and few threads are left for anything else.",
            count=it.clients,
            latency=latency,
        )
    return t("Yes: each of {count} clients waits {latency} s for its answer.", count=it.clients, latency=latency)


def _target(made: Plan) -> str:
    return number(made.wish.seconds if made.wish else 0)


def as_text(made: Plan, measured: Measured | None, language: str = ENGLISH, width: int = 80) -> str:
    """The answer for a terminal; plain ASCII but for the words of the language."""
    say = [headline(made).text(language), ""]
    say += _facts(made, measured, language)
    if not (made.open or made.closed):
        say += ["", *_loads(made.loads, language), "", *_crowds(made.crowds, language)]
    say.append("")
    for one in advice.advice(made):
        say += _wrapped(one.text(language), width, "- ")
    count = advice.count_to_show(made)
    if count:
        say += ["", t("To run {count} processes:", count=count).text(language), ""]
        more = ["..."] if count > len(advice.starts(count)) else []
        say += [f"  {line}" for line in (*advice.starts(count), *more, "", *advice.upstream(made, count))]
        say.append("")
        for one in advice.setup_notes(count):
            say += _wrapped(one.text(language), width, "- ")
    return "\n".join(line.rstrip() for line in say) + "\n"


def _facts(made: Plan, measured: Measured | None, language: str) -> Iterator[str]:
    ask = made.ask
    lines = [t("one job takes {seconds} s", seconds=number(ask.job_seconds))]
    if measured:
        lines = [
            t(
                "one job takes {seconds} s (measured; the first, with what had to be loaded, {first} s)",
                seconds=number(ask.job_seconds),
                first=number(measured.first),
            )
        ]
    if ask.cv2:
        lines.append(t("jobs differ in length (squared coefficient of variation {cv2})", cv2=number(ask.cv2)))
    processes = t("one process") if ask.processes == 1 else t("{count} processes", count=ask.processes)
    lines.append(
        t(
            "{processes}: up to {rate} jobs a minute; {comfortable} with short waits (80 % busy)",
            processes=processes,
            rate=number(made.jobs_per_second * 60),
            comfortable=number(made.comfortable_rate * 60),
        )
    )
    lines += _waits(made)
    return (f"  {line.text(language)}" for line in lines)


def _waits(made: Plan) -> Iterator[Message]:
    if made.open and made.open.mean_wait_seconds is not None:
        yield t(
            "wait before the job: {mean} s on average, {late} s for 95 %; {count} waiting on average",
            mean=number(made.open.mean_wait_seconds),
            late=number(made.open.p95_wait_seconds or 0),
            count=number(made.open.waiting or 0),
        )
    if made.wish and made.wish.possible:
        yield t(
            "within {target} s: up to {rate} requests a minute (95 %), or {count} clients that wait",
            target=number(made.wish.seconds),
            rate=number(made.wish.highest_rate * 60),
            count=made.wish.in_flight,
        )


def _loads(loads: Sequence[Open], language: str) -> list[str]:
    head = [t("busy"), t("requests/min"), t("mean wait"), t("95 % answered within")]
    rows = [
        [
            f"{one.utilisation * 100:.0f} %",
            number(one.rate * 60),
            f"{number(one.mean_wait_seconds or 0)} s",
            f"{number(one.p95_latency_seconds or 0)} s",
        ]
        for one in loads
    ]
    title = t("Requests that come by themselves:").text(language)
    return [title, *_table([one.text(language) for one in head], rows)]


def _crowds(crowds: Sequence[Closed], language: str) -> list[str]:
    head = [t("clients"), t("jobs/min"), t("answer after")]
    rows = []
    for one in crowds:
        note = t("even /progress hangs").text(language) if one.hangs else ""
        rows.append([str(one.clients), number(one.jobs_per_second * 60), f"{number(one.latency_seconds)} s  {note}"])
    title = t("Clients that wait for their answer before they ask again:").text(language)
    return [title, *_table([one.text(language) for one in head], rows)]


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    every = [head, *rows]
    widths = [max(_cells(row[column]) for row in every) for column in range(len(head) - 1)]
    for row in every:
        cells = [" " * (wide - _cells(cell)) + cell for cell, wide in zip(row, widths, strict=False)]
        yield "  " + "   ".join([*cells, row[-1]])


def _cells(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _wrapped(text: str, width: int, mark: str) -> list[str]:
    if _cells(text) != len(text):  # wrapped by the terminal: these have no blanks
        return [mark + text]
    return wrap(text, width, initial_indent=mark, subsequent_indent=" " * len(mark), break_long_words=False)
