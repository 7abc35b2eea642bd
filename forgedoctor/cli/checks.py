"""``forgedoctor checks``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forgedoctor.listing import Entry


@click.command("checks")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to list.", show_default=True
)
@click.option("--select", "-s", multiple=True, metavar="ID|GROUP", help="Only these checks.")
def command(format_: str, select: tuple[str, ...]) -> None:
    """List the checks: id, severity, group and title."""
    from forgedoctor.listing import listing

    found = listing()
    for fault in found.faults:
        click.echo(fault, err=True)
    checks = _selected(found.checks, select) if select else found.checks
    if format_ == "json":
        import json

        described = [one._asdict() for one in checks]
        click.echo(json.dumps({"schema_version": "1.0", "checks": described}, indent=2))
        return
    _table(sorted(checks, key=lambda one: (one.group, one.id)))


def _selected(checks: list[Entry], names: tuple[str, ...]) -> list[Entry]:
    from forgedoctor import catalogue
    from forgedoctor.cli.options import unknown_name

    try:
        return catalogue.select(checks, names)
    except catalogue.UnknownName as error:
        raise unknown_name(error) from None


def _table(checks: list[Entry]) -> None:
    width = max((len(one.id) for one in checks), default=0)
    group = ""
    for one in checks:
        if one.group != group:
            click.echo(f"\n{one.group}" if group else one.group)
            group = one.group
        click.echo(f"  {one.id:<{width}}  {one.severity:<7}  {one.title}")
    click.echo(f"\n{len(checks)} checks. 'forgedoctor explain ID' tells more about one.")
