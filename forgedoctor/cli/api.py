"""``forgedoctor api``."""

from __future__ import annotations

from typing import Any

import click

from forgedoctor.cli.options import report, reporting, taken


@click.command("api")
@click.argument("url")
@click.option(
    "--auth",
    default="",
    metavar="USER:PASSWORD",
    envvar="FORGEDOCTOR_AUTH",
    help="For an API started with --api-auth. Safer in FORGEDOCTOR_AUTH.",
)
@click.option("--generate", is_flag=True, help="Also make one 64x64, 1-step image, and report its time.")
@reporting
def command(url: str, auth: str, generate: bool, **options: Any) -> None:
    """The API at URL (such as http://192.168.1.20:7860), seen from a client's side.

    Sends a few cheap GET requests and nothing else, unless --generate asks for one image.
    """
    from forgedoctor.cli.inputs import checked_url
    from forgedoctor.target import Target

    output = taken(options)
    target = Target(scope="endpoint", url=checked_url(url), credentials=auth, generate=generate, timeout=output.timeout)
    report(target, output)
