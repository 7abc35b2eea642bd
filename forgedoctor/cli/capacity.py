"""``forgedoctor capacity``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from forgedoctor.cli.options import FORMATS, _number, language

if TYPE_CHECKING:
    from forgedoctor.capacity.measuring import Measured

_SECONDS = click.FloatRange(0.001, 1e6)


def _rate(ctx: click.Context, parameter: click.Parameter, value: str) -> float | None:
    """Requests a second out of ``0.5``, ``30/min`` or ``500/h``."""
    if not value:
        return None
    amount, slash, unit = value.strip().partition("/")
    per = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600}.get(unit.strip() if slash else "")
    try:
        rate = float(amount) / (per or math.nan)
    except ValueError:
        rate = math.nan
    if not 0 < rate <= 1e6:
        raise click.BadParameter(f"{value!r} is no rate; write 0.5 (a second), 30/min or 500/h.")
    return rate


@click.command("capacity")
@click.argument("url", required=False, default="")
@click.option(
    "--job-seconds", "jobs", type=_SECONDS, callback=lambda ctx, option, values: [_number(ctx, option, one) for one in values],
    multiple=True, metavar="SECONDS", help="How long one job takes, warm. Repeat it for jobs of different lengths.",
)  # fmt: skip
@click.option(
    "--cv2",
    type=click.FloatRange(0, 100),
    callback=_number,
    default=0.0,
    metavar="N",
    help="Squared coefficient of variation of job lengths. [default: 0, all equal]",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Forge processes, each with a GPU of its own.",
)
@click.option(
    "--clients", type=click.IntRange(1, 1_000_000), default=None, help="So many clients, each waiting for its answer."
)
@click.option(
    "--rate",
    callback=_rate,
    default="",
    metavar="RATE",
    help="Requests that come by themselves: 0.5 (a second), 30/min, 500/h.",
)
@click.option(
    "--target-latency",
    "target",
    type=_SECONDS,
    default=None,
    metavar="SECONDS",
    help="The answer is wanted within this time.",
)
@click.option("--generate", is_flag=True, help="Measure the job: make images at URL, one after the other.")
@click.option("--size", default="512x512", show_default=True, metavar="WxH", help="With --generate: the image.")
@click.option("--steps", type=click.IntRange(1, 150), default=20, show_default=True, help="With --generate: its steps.")
@click.option(
    "--batch-size", type=click.IntRange(1, 32), default=1, show_default=True, help="With --generate: images a request."
)
@click.option(
    "--times",
    type=click.IntRange(1, 20),
    default=2,
    show_default=True,
    help="With --generate: how often, after one to warm up.",
)
@click.option(
    "--longest",
    type=click.FloatRange(1, 3600),
    callback=_number,
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="With --generate: time for one image.",
)
@click.option(
    "--auth",
    default="",
    metavar="USER:PASSWORD",
    envvar="FORGEDOCTOR_AUTH",
    help="For an API started with --api-auth. Safer in FORGEDOCTOR_AUTH.",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How to report.", show_default=True
)
@click.option("--lang", default="", metavar="LANGUAGE", help="Language of the report, such as en or zh_CN.")
def command(url: str, format_: str, lang: str, **options: Any) -> None:
    """How many API requests at once make sense, and would a second process help?

    Forge does one job at a time. Give the time of one job with --job-seconds, or let it be measured at URL with
    --generate, and say what is asked of it: --rate or --clients, and --target-latency.

    \b
    forgedoctor capacity --job-seconds 6
    forgedoctor capacity --job-seconds 6 --rate 7/min --target-latency 20
    forgedoctor capacity http://192.168.1.20:7860 --generate --size 1024x1024 --clients 12

    Exit status: 0 it keeps up, 1 it does not (or not in time), 2 used wrongly, 3 the job could not be measured.
    """
    from forgedoctor.capacity import paper
    from forgedoctor.capacity.plan import Ask, plan
    from forgedoctor.capacity.queueing import moments

    spoken = language(lang)
    if options["clients"] is not None and options["rate"] is not None:
        raise click.UsageError("Give --clients or --rate, not both: clients wait for their answers, a rate does not.")
    measured = _measured(url, options, spoken)
    lengths = list(options["jobs"]) or [max(measured.seconds, 0.001) if measured else 1.0]
    seconds, spread = moments(lengths)
    made = plan(
        Ask(
            job_seconds=seconds,
            cv2=options["cv2"] or spread,
            processes=options["processes"],
            clients=options["clients"],
            rate=options["rate"],
            target=options["target"],
        )
    )
    if format_ == "json":
        click.echo(paper.as_json(made, measured, spoken), nl=False)
    else:
        from forgedoctor.report.text import terminal_width

        click.echo(paper.as_text(made, measured, spoken, min(100, terminal_width())), nl=False)
    raise SystemExit(paper.status(made))


def _measured(url: str, options: dict[str, Any], spoken: str) -> Measured | None:
    """What --generate measures; None where the time was given. Says what is missing where neither is."""
    if not options["generate"]:
        if not options["jobs"]:
            raise click.UsageError(
                "Say how long one job takes with --job-seconds, or name a URL and let --generate measure it there."
            )
        if url:
            raise click.UsageError("With --job-seconds nothing is asked of a URL; leave it out, or use --generate.")
        return None
    if options["jobs"]:
        raise click.UsageError("--generate measures the job; leave --job-seconds out.")
    if not url:
        raise click.UsageError("--generate needs the URL of the API.")
    from forgedoctor.capacity import measuring
    from forgedoctor.cli.inputs import checked_url
    from forgedoctor.facts._url import split_url
    from forgedoctor.message import t

    place = split_url(checked_url(url))
    width, height = _size(options["size"])
    picture = measuring.Picture(width=width, height=height, steps=options["steps"], batch_size=options["batch_size"])
    found = measuring.measure(
        place,
        options["auth"] or place.credentials,
        picture,
        times=options["times"],
        connect=5.0,
        longest=options["longest"],
    )
    if found.detail or not found.reached:
        said = t(
            "{url} made no image: {why}. forgedoctor api {url} tells more.",
            url=place.base,
            why=_printable(found.detail),
        )
        click.echo(said.text(spoken), err=True)
        raise SystemExit(3)
    return found


def _printable(text: str) -> str:
    """A stranger's words on one line, without what would steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)[:300].strip()


def _size(text: str) -> tuple[int, int]:
    """Width and height out of ``512x768``: multiples of 8 that Forge takes."""
    words = text.lower().split("x")
    if len(words) != 2 or not all(word.isdecimal() and len(word) < 6 for word in words):
        raise click.BadParameter(f"{text!r} is no size; write 512x768.", param_hint="--size")
    width, height = int(words[0]), int(words[1])
    if not (64 <= width <= 4096 and 64 <= height <= 4096):
        raise click.BadParameter("each side is 64 to 4096 pixels.", param_hint="--size")
    return width, height
