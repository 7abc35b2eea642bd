"""``forgedoctor schema``."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the report."""
    import json

    from forgedoctor.report.document import schema

    click.echo(json.dumps(schema(), indent=2))
