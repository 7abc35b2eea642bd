"""The options that every reporting command shares, and the one way from a target to the output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, TypeVar

import click

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
FORMATS = ("text", "json")


class Output(NamedTuple):
    """How the report is wanted."""

    format: str
    output: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str
    timeout: float
    lang: str
    color: bool | None
    ascii: bool
    verbose: bool


def _names(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _number(ctx: click.Context, parameter: click.Parameter, value: float) -> float:
    if value != value:  # nan passes every comparison of a range
        raise click.BadParameter("not a number.")
    return value


def reporting(function: FunctionT) -> FunctionT:
    """Add the shared options; the command takes them as one ``output`` argument through :func:`taken`."""
    for option in reversed(
        (
            click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="How to report.", show_default=True),
            click.option("--output", "-o", default="", metavar="FILE", help="Write the report to FILE."),
            click.option("--select", "-s", multiple=True, callback=_names, metavar="ID|GROUP", help="Only these checks."),
            click.option("--ignore", "-i", multiple=True, callback=_names, metavar="ID|GROUP", help="Not these checks."),
            click.option(
                "--fail-on", type=click.Choice(["error", "warning", "info", "never"]), default="error",
                show_default=True, help="Exit with 1 from this severity on.",
            ),
            click.option(
                "--timeout", type=click.FloatRange(0.1, 120, clamp=False), callback=_number, default=2.0, show_default=True, metavar="SECONDS",
                help="Time for one probe; a whole run takes at most five times that.",
            ),
            click.option("--lang", default="", metavar="LANGUAGE", help="Language of the report, such as en or zh_CN."),
            click.option("--color/--no-color", "color", default=None, help="Colours, whatever the terminal says."),
            click.option("--ascii", is_flag=True, help="Plain ASCII signs only."),
            click.option("--verbose", "-v", is_flag=True, help="Show every check and its outcome."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def taken(options: dict[str, Any]) -> Output:
    """The shared options out of a command's keyword arguments."""
    return Output(
        format=options["format_"],
        output=options["output"],
        select=options["select"],
        ignore=options["ignore"],
        fail_on=options["fail_on"],
        timeout=options["timeout"],
        lang=language(options["lang"]),
        color=options["color"],
        ascii=options["ascii"],
        verbose=options["verbose"],
    )


def language(asked: str) -> str:
    """The language to report in: the one asked for, else the system's where it is shipped, else English."""
    from forgedoctor.message import ENGLISH, languages

    known = {name.lower(): name for name in languages()}
    named = asked or os.environ.get("FORGEDOCTOR_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    code = named.split(".")[0].split("@")[0].replace("-", "_").lower()
    for candidate in (code, {"zh": "zh_cn", "zh_hans": "zh_cn"}.get(code, ""), code.split("_")[0]):
        if candidate in known:
            return known[candidate]
    if asked:
        raise click.BadParameter(
            f"{asked} is not shipped; choose from {', '.join(known.values())}.", param_hint="--lang"
        )
    return ENGLISH


def report(target: Any, output: Output) -> NoReturn:
    """Examine the target, write the report, exit with its status."""
    _, made = examined(target, output)
    write(rendered(made, output), output)
    raise SystemExit(made.summary.exit_code)


def examined(target: Any, output: Output, case: Any = None) -> tuple[Any, Any]:
    """The examination of a target and its report; ``case`` holds what is known already.

    A selection that names nothing is wrong use; a secret that would be written ends the program with status 4.
    """
    from forgedoctor import api, catalogue
    from forgedoctor.redact import Leak

    if target.scope not in ("args", "text"):
        from forgedoctor import engine  # noqa: F401 - imported here so that progress shows before the slow part
    with _progress(output) as progress:
        try:
            result = api.examination(target, select=output.select, ignore=output.ignore, case=case, progress=progress)
        except catalogue.UnknownName as error:
            raise unknown_name(error) from None
    try:
        return result, api.report_of(result, fail_on=output.fail_on, language=output.lang)
    except Leak as error:
        click.echo(str(error), err=True)
        raise SystemExit(4) from None


def unknown_name(error: Any) -> click.UsageError:
    """What to say when a selection names nothing."""
    near = f" Did you mean {' or '.join(error.nearest)}?" if error.nearest else ""
    return click.UsageError(f"No check or group is called {error.name}.{near} 'forgedoctor checks' lists them.")


def rendered(made: Any, output: Output) -> str:
    """The report in the format asked for."""
    if output.format == "json":
        from forgedoctor.report import json_format

        return json_format.render(made)
    from forgedoctor.report import text

    to_file = bool(output.output and output.output != "-")
    terminal = not to_file and sys.stdout is not None and sys.stdout.isatty()
    color = output.color if output.color is not None else terminal and not os.environ.get("NO_COLOR")
    encoding = "utf-8" if to_file else getattr(sys.stdout, "encoding", None) or "ascii"
    return text.render(
        made,
        color=bool(color),
        width=text.terminal_width() if terminal or os.environ.get("COLUMNS") else 80,
        ascii_only=output.ascii or not text.can_show_signs(encoding),
        verbose=output.verbose,
    )


def write(content: str, output: Output) -> None:
    """To standard output or a file; a file that cannot be written is one sentence and status 2."""
    if not output.output or output.output == "-":
        click.echo(content, nl=False, color=True)
        return
    try:
        with open(output.output, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except OSError as error:
        click.echo(content, nl=False, color=True)  # what was found is not lost
        raise click.UsageError(
            f"{output.output} cannot be written: {error.strerror}. Choose another --output."
        ) from None


class _progress:  # noqa: N801 - used as a statement
    """One line on standard error while facts are collected, on a terminal only; gone when the report comes."""

    def __init__(self, output: Output) -> None:
        self.shown = sys.stderr is not None and sys.stderr.isatty() and output.format == "text"

    def __enter__(self) -> Callable[[str], None]:
        return self.say if self.shown else lambda name: None

    def say(self, name: str) -> None:
        sys.stderr.write(f"\r\x1b[Klooking at: {name.replace('_', ' ')} …".encode("ascii", "replace").decode())
        sys.stderr.flush()

    def __exit__(self, *error: object) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
