"""``forgedoctor checks``."""

from __future__ import annotations

import click


@click.command("checks")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to list.", show_default=True)
@click.option("--select", "-s", multiple=True, metavar="ID|GROUP", help="Only these checks.")
def command(format_: str, select: tuple[str, ...]) -> None:
    """List the checks: id, severity, group and title."""
    from forgedoctor import catalogue

    found = catalogue.load()
    try:
        checks = catalogue.select(found.checks, select)
    except catalogue.UnknownName as error:
        from forgedoctor.cli.options import unknown_name

        raise unknown_name(error) from None
    for fault in found.faults:
        click.echo(str(fault), err=True)
    if format_ == "json":
        import json

        click.echo(json.dumps({"schema_version": "1.0", "checks": [_described(one) for one in checks]}, indent=2))
        return
    width = max((len(one.id) for one in checks), default=0)
    group = ""
    for one in sorted(checks, key=lambda one: (one.group, one.id)):
        if one.group != group:
            group = one.group
            click.echo(f"\n{group}" if one is not checks[0] else group)
        click.echo(f"  {one.id:<{width}}  {one.severity.value:<7}  {one.title}")
    click.echo(f"\n{len(checks)} checks. 'forgedoctor explain ID' tells more about one.")


def _described(one: object) -> dict[str, object]:
    from forgedoctor.check import Check
    from forgedoctor.fact import name_of

    assert isinstance(one, Check)
    return {
        "id": one.id,
        "severity": one.severity.value,
        "group": one.group,
        "title": one.title,
        "page": one.page,
        "explains": list(one.explains),
        "forks": list(one.forks),
        "systems": list(one.systems),
        "needs": [name_of(need.fact) for need in one.needs],
        "origin": one.origin,
    }
