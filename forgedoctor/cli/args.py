"""``forgedoctor args``."""

from __future__ import annotations

from typing import Any

import click

from forgedoctor.cli.inputs import FORKS, SYSTEMS
from forgedoctor.cli.options import report, reporting, taken


@click.command("args")
@click.option("--fork", type=click.Choice(FORKS), default="forge", show_default=True, help="Which fork's parser.")
@click.option("--os", "system", type=click.Choice(SYSTEMS), default=None, help="Give fixes for this system.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable of the launch; may be repeated.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@reporting
def command(fork: str, system: str | None, env: tuple[str, ...], argv: tuple[str, ...], **options: Any) -> None:
    """What would this command line do? Only the text is judged, not this machine.

    Give the arguments of launch.py after "--", as in: forgedoctor args --fork reforge -- --api --port 9999
    """
    from forgedoctor.cli.inputs import arguments, variables
    from forgedoctor.target import Target

    output = taken(options)
    target = Target(
        scope="args",
        fork=fork,
        system=system or "",
        env=variables(env),
        argv=arguments(argv) or (),
        timeout=output.timeout,
    )
    report(target, output)
