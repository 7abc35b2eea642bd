"""The command line: arguments in, report out. Each command lives in a file of its own, imported when it is called."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any

import click

from forgedoctor import __version__

COMMANDS = {
    "triage": "What is wrong with the Forge here, or at a URL: the likely cause first.",
    "preflight": "Before launch: what will this command line do, and will it work?",
    "args": "What would this command line do? No look at the machine.",
    "api": "An API endpoint, seen from a client's side.",
    "reach": "Can other machines get to the port? Listens on Forge's side, tries from the other.",
    "nginx": "Does nginx in front of Forge let everything through?",
    "firewall": "Would the firewall of this listing let a client in?",
    "models": "The model files: what each is, whether it is whole, and what it lacks.",
    "fit": "Will a model fit on the card, and what will Forge do with it?",
    "capacity": "How many API requests at once make sense, and would a second process help?",
    "read": "Read what somebody pasted: command line, launcher file, HTTP answer, log.",
    "checks": "List the checks.",
    "explain": "Explain one check.",
    "schema": "Print the JSON Schema of the report.",
    "completion": "Print the shell completion script.",
}


class Lazy(click.Group):
    """A group that imports a command's file only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"forgedoctor.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], list(COMMANDS), 1) if args else []
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx=ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="forgedoctor")
def cli() -> None:
    """The doctor for Stable Diffusion WebUI Forge in API mode and its relatives.

    Start with: forgedoctor triage
    """


def main(argv: list[str] | None = None) -> None:
    """Run a command and exit with the documented status; a fault of our own is one sentence and status 4.

    With ``argv`` it is called from Python and raises SystemExit; without, it is the program and ends the process.
    """
    if argv is not None:
        sys.exit(_status(argv))
    gc.disable()  # to look for garbage while modules load takes a tenth of a short run
    code = _status(None)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, full, or none at all
            stream.flush()
    # Not sys.exit: a collector that was left behind may sit in a C call and stall it, and to take the interpreter
    # apart costs another tenth.
    os._exit(code)


def _status(argv: list[str] | None) -> int:
    """Run a command; its exit status."""
    try:
        _prepare_streams()
        code: Any = cli.main(argv, prog_name="forgedoctor", standalone_mode=False)
    except SystemExit as leave:
        code = leave.code
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = _say("Cancelled.", 130)
    except click.NoSuchOption as error:
        code = _say(_misplaced(error), 2)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the last flush finds no pipe
    except Exception as error:
        code = _say(fault(error), 4)
    return code if isinstance(code, int) else 0


def _misplaced(error: click.NoSuchOption) -> str:
    """What to say of an option that is not ours: it may be one of Forge's."""
    command = error.ctx.command.name if error.ctx else ""
    if command in ("preflight", "args"):
        flag = error.option_name
        return (
            f"Error: {flag} is no option of forgedoctor. Put the flags of Forge after --, as in: "
            f"forgedoctor {command} -- {flag}"
        )
    return f"Error: {error.format_message()} 'forgedoctor {command} --help' lists the options.".replace("  ", " ")


def fault(error: Exception) -> str:
    """One sentence about a fault of forgedoctor itself; the traceback only when asked for."""
    if os.environ.get("FORGEDOCTOR_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}"
    return f"forgedoctor itself failed: {what}. Please report this (FORGEDOCTOR_TRACEBACK=1 shows where)."


def _say(text: str, code: int) -> int:
    click.echo(text, err=True)
    return code


def _prepare_streams() -> None:
    """Never fail to print: a console that cannot show a character shows a question mark instead."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
