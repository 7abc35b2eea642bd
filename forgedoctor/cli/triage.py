"""``forgedoctor triage``."""

from __future__ import annotations

from typing import Any

import click

from forgedoctor.cli.options import report, reporting, taken


@click.command("triage")
@click.option(
    "--dir",
    "directory",
    default="",
    metavar="FORGE",
    help="The Forge folder (default: here or near, or the one that runs).",
)
@click.option(
    "--url", default="", metavar="URL", help="The API to look at (default: what the running Forge listens on)."
)
@click.option(
    "--auth",
    default="",
    metavar="USER:PASSWORD",
    envvar="FORGEDOCTOR_AUTH",
    help="For an API started with --api-auth. Safer in FORGEDOCTOR_AUTH.",
)
@click.option("--generate", is_flag=True, help="Also make one 64x64, 1-step image, and report its time.")
@reporting
def command(directory: str, url: str, auth: str, generate: bool, **options: Any) -> None:
    """What is wrong with the Forge in or near this folder, the one that runs on this machine, or the one at URL.

    Prints the likely cause first, its evidence and the fix, then what else is wrong and what could not be known.
    Reads only; changes nothing.

    Exit status: 0 nothing wrong, 1 something is, 2 used wrongly, 3 nothing could be judged, 4 forgedoctor failed.
    """
    from forgedoctor.cli.inputs import checked_url
    from forgedoctor.target import Target

    output = taken(options)
    target = Target(
        scope="live",
        directory=directory,
        url=checked_url(url),
        credentials=auth,
        generate=generate,
        timeout=output.timeout,
    )
    report(target, output)
