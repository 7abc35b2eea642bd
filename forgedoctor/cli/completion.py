"""``forgedoctor completion``."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL; the shell's start-up file should evaluate it.

    For bash: eval "$(forgedoctor completion bash)"
    """
    from click.shell_completion import get_completion_class

    from forgedoctor.cli import cli

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "forgedoctor", "_FORGEDOCTOR_COMPLETE").source())
