"""``forgedoctor explain``."""

from __future__ import annotations

import click


@click.command("explain")
@click.argument("id")
def command(id: str) -> None:
    """Explain one check: what happens, why, and what to do."""
    from forgedoctor.listing import listing

    found = listing()
    for fault in found.faults:
        click.echo(fault, err=True)
    one = next((each for each in found.checks if each.id == id), None)
    if one is None:
        import difflib

        near = difflib.get_close_matches(id, [each.id for each in found.checks], 3, 0.4)
        hint = f" Did you mean {' or '.join(near)}?" if near else " 'forgedoctor checks' lists them."
        raise click.UsageError(f"No check is called {id}.{hint}")
    title, _, body = one.page.partition("\n")
    click.echo(f"{one.id} ({one.severity}, {one.group})\n\n{title}")
    if body.strip():
        click.echo(f"\n{body.strip()}")
    if one.explains:
        click.echo(f"\nExplains: {', '.join(one.explains)}")
