"""``forgedoctor read``."""

from __future__ import annotations

from typing import Any

import click

from forgedoctor.cli.inputs import FORKS, SYSTEMS
from forgedoctor.cli.options import report, reporting, taken


@click.command("read")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option("--fork", type=click.Choice(FORKS), default=None, help="Which fork the text comes from.")
@click.option("--os", "system", type=click.Choice(SYSTEMS), default=None, help="Which system the text comes from.")
@reporting
def command(files: tuple[str, ...], fork: str | None, system: str | None, **options: Any) -> None:
    """Read what somebody pasted: a command line, a webui-user file, an HTTP answer, a log. "-" is standard input.

    Only the text is judged, not this machine.
    """
    from forgedoctor.cli.inputs import texts
    from forgedoctor.target import Target

    output = taken(options)
    target = Target(scope="text", texts=texts(files), fork=fork or "", system=system or "", timeout=output.timeout)
    report(target, output)
