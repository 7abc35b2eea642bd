"""Lines for a terminal, a file or a pipe: wrapped, in one language, coloured where wanted, harmless always."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from forgedoctor.message import Message
from forgedoctor.redact import Redactor
from forgedoctor.report.text import PLAIN, SIGNS, harmless, in_ascii


class Paper:
    """Writes lines at once, to standard output, or to standard error where that is kept for JSON."""

    def __init__(self, *, language: str, width: int, color: bool, ascii_only: bool, to_error: bool) -> None:
        self.language, self.width, self.color = language, width, color
        self.ascii_only, self.to_error = ascii_only, to_error
        self.signs = PLAIN if ascii_only else SIGNS
        self._secrets = Redactor()

    def say(self, message: Message | str) -> str:
        """A message in the paper's language."""
        return message.text(self.language) if isinstance(message, Message) else message

    def line(self, text: Message | str = "", *, indent: int = 1, sign: str = "", style: str = "") -> None:
        """One paragraph, wrapped; ``sign`` stands before its first line. ``style``: bold, green, red, yellow, dim."""
        lead = " " * indent + (f"{sign} " if sign else "")
        for row in self._wrapped(self._clean(self.say(text)), self.width - len(lead) - 1) or [""]:
            self._put((lead + row).rstrip(), style)
            lead = " " * len(lead)

    def verbatim(self, text: str, *, indent: int = 4, style: str = "") -> None:
        """A line to copy: never wrapped."""
        self._put(" " * indent + self._clean(text), style)

    def raw(self, lines: Sequence[str], *, indent: int = 2) -> None:
        """Lines that are made here and hold no foreign text, such as a QR code."""
        for one in lines:
            click.echo(" " * indent + one, err=self.to_error, color=True)

    def _clean(self, text: str) -> str:
        self._secrets.scan(text)
        return harmless(self._secrets.clean(text).replace("\n", " "))

    def _put(self, text: str, style: str) -> None:
        text = in_ascii(text) if self.ascii_only else text
        if self.color and style:
            styles: dict[str, Callable[[str], str]] = {
                "bold": lambda one: click.style(one, bold=True),
                "dim": lambda one: click.style(one, dim=True),
            }
            text = styles[style](text) if style in styles else click.style(text, fg=style, bold=True)
        click.echo(text, err=self.to_error, color=self.color)

    def _wrapped(self, text: str, width: int) -> list[str]:
        from rich.console import Console
        from rich.text import Text

        console = Console(width=width, color_system=None, legacy_windows=False)
        return [row.plain.rstrip() for row in Text(text).wrap(console, width)]
