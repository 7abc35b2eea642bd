"""``forgedoctor reach``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from forgedoctor.cli.inputs import FORKS
from forgedoctor.cli.options import FORMATS, _number, language

if TYPE_CHECKING:
    from forgedoctor.reach.paper import Paper


@click.command("reach")
@click.option("--to", "to", default="", metavar="URL|HOST:PORT", help="Try this from here, and read what comes of it.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Listen on (or try) this port.  [default: Forge's own]"
)
@click.option(
    "--host", default="", metavar="ADDRESS", help='Listen on this address; "*" is every one.  [default: Forge\'s own]'
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(1, 86400),
    callback=_number,
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for somebody.",
)
@click.option("--once", is_flag=True, help="End as soon as another machine got through.")
@click.option("--dir", "directory", default="", metavar="FORGE", help="The Forge folder (default: here or near).")
@click.option("--fork", type=click.Choice(FORKS), default=None, help="Judge for this fork, whatever the folder says.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 120),
    callback=_number,
    default=4.0,
    show_default=True,
    metavar="SECONDS",
    help="With --to: time for each step. Below 3.5 a missing machine looks like a firewall.",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How to report.", show_default=True
)
@click.option("--lang", default="", metavar="LANGUAGE", help="Language of the report, such as en or zh_CN.")
@click.option("--color/--no-color", "color", default=None, help="Colours, whatever the terminal says.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII signs only.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
def command(to: str, **options: Any) -> None:
    """Can other machines get to the port that Forge uses?

    On Forge's machine, while Forge does not run: listens where Forge would, shows the addresses to try, and tells who
    comes and by which way. Arguments of launch.py may follow "--", as in: forgedoctor reach -- --api --listen

    On the other machine: forgedoctor reach --to http://192.168.1.20:7860 tries, and says what a failure means.

    Exit status: 0 reached, 1 not reached, and why is told, 2 used wrongly, 3 nothing could be judged (nobody came, or
    only this machine itself), 4 forgedoctor failed, 130 cancelled.
    """
    paper = _paper(options)
    report = _ask(to, paper, options) if to else _wait(paper, options)
    if options["format_"] == "json":
        click.echo(_json(report), nl=False)
    raise SystemExit(report.exit_code)


def _wait(paper: Paper, options: dict[str, Any]) -> Any:
    from forgedoctor.cli.inputs import arguments
    from forgedoctor.reach import gates, plan
    from forgedoctor.reach.waiting import Waiting
    from forgedoctor.target import Target

    target = Target(
        scope="preflight", directory=options["directory"], fork=options["fork"] or "", argv=arguments(options["argv"])
    )
    made, host = plan.make(target, options["host"], options["port"])
    known = () if made.closed or not made.port else gates.warning(gates.judged(made))
    terminal = not paper.to_error and sys.stdout is not None and sys.stdout.isatty()
    return Waiting(made, host, paper, once=options["once"], qr=terminal, known=known).run(options["seconds"])


def _ask(to: str, paper: Paper, options: dict[str, Any]) -> Any:
    import msgspec

    from forgedoctor.facts import host
    from forgedoctor.facts._url import PORTS, split_url
    from forgedoctor.reach.telling import Telling
    from forgedoctor.reach.waiting import surroundings
    from forgedoctor.target import Target

    try:
        url = split_url(to)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
    if options["host"] or options["argv"]:
        raise click.UsageError("--host and the arguments of Forge belong to listening; --to only tries an address.")
    default = url.port == PORTS[url.scheme]
    if options["port"] and default:
        url, default = msgspec.structs.replace(url, port=options["port"]), False
    around = surroundings(host.collect(Target(scope="live")))
    return Telling(url, options["timeout"], around, paper, no_port=default and url.assumed).run()


def _paper(options: dict[str, Any]) -> Paper:
    from forgedoctor.reach.paper import Paper
    from forgedoctor.report import text

    as_json = options["format_"] == "json"
    stream = sys.stderr if as_json else sys.stdout
    terminal = stream is not None and stream.isatty()
    color = options["color"] if options["color"] is not None else terminal and not os.environ.get("NO_COLOR")
    return Paper(
        language=language(options["lang"]),
        width=text.terminal_width() if terminal or os.environ.get("COLUMNS") else 80,
        color=bool(color),
        ascii_only=options["ascii_only"] or not text.can_show_signs(getattr(stream, "encoding", None) or "ascii"),
        to_error=as_json,
    )


def _json(report: Any) -> str:
    import msgspec

    from forgedoctor.redact import Redactor, foreign_texts

    redactor = Redactor.of_this_machine()
    plain = msgspec.to_builtins(report)
    redactor.scan(foreign_texts(plain))
    clean = redactor.clean_value(plain)
    redactor.verify(foreign_texts(clean))
    return msgspec.json.format(msgspec.json.encode(clean), indent=2).decode() + "\n"
