"""``forgedoctor preflight``."""

from __future__ import annotations

from typing import Any

import click

from forgedoctor.cli.inputs import FORKS
from forgedoctor.cli.options import report, reporting, taken


@click.command("preflight")
@click.option("--dir", "directory", default="", metavar="FORGE", help="The Forge folder (default: here or near).")
@click.option("--fork", type=click.Choice(FORKS), default=None, help="Judge for this fork, whatever the folder says.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@reporting
def command(directory: str, fork: str | None, argv: tuple[str, ...], **options: Any) -> None:
    """Before launch: what will this start do, and will it work?

    Give the arguments of launch.py after "--", as in: forgedoctor preflight -- --api --listen --port 9999
    Without them the launcher files (webui-user.bat or .sh) say what will be started.

    Exit status: 0 go, 1 it will not work as it is, 2 used wrongly, 3 nothing could be judged, 4 forgedoctor failed.
    """
    from forgedoctor.cli.inputs import arguments
    from forgedoctor.target import Target

    output = taken(options)
    target = Target(
        scope="preflight", directory=directory, fork=fork or "", argv=arguments(argv), timeout=output.timeout
    )
    report(target, output)
