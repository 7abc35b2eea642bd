"""Turn what was typed into what a target holds; bad input is one clear sentence and exit status 2."""

from __future__ import annotations

import sys

import click

FORKS = ("forge", "reforge", "classic", "neo", "a1111")
SYSTEMS = ("windows", "linux", "macos")
# A pasted text is read up to this many bytes: the head (what was started) and the tail (how it ended).
HEAD, TAIL = 1_000_000, 3_000_000


def arguments(argv: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words after ``--``; None where there was no ``--`` and no word."""
    if argv:
        return argv
    return () if "--" in sys.argv else None


def variables(pairs: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping."""
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{pair!r} has no '='; write --env NAME=VALUE.", param_hint="--env")
        found[name] = value
    return found


def checked_url(url: str) -> str:
    """The URL, once it is clear that it can be used."""
    if not url:
        return ""
    from forgedoctor.facts._url import split_url

    try:
        split_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="URL") from None
    return url


def texts(files: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(name, text) of each file, decoded whatever its encoding; "-" is standard input."""
    return tuple((_name(file), _text(file)) for file in files)


def _name(file: str) -> str:
    return "" if file == "-" else file.replace("\\", "/").rsplit("/", 1)[-1]


def _text(file: str) -> str:
    from forgedoctor.forge.scripts import decode

    try:
        if file == "-":
            data = _ends(sys.stdin.buffer)
        else:
            with open(file, "rb") as opened:
                data = _ends(opened)
    except IsADirectoryError:
        raise click.BadParameter(f"{file} is a folder; name a file in it.", param_hint="FILE") from None
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be read: {error.strerror}.", param_hint="FILE") from None
    return decode(data)[0].replace("\x00", "")


def _ends(stream: object) -> bytes:
    """The first and last bytes of a stream of any length, in bounded memory."""
    read = getattr(stream, "read")  # noqa: B009 - any binary stream
    head: bytes = read(HEAD) or b""
    tail = b""
    while chunk := read(1 << 20):
        tail = (tail + chunk)[-TAIL:]
    return head + tail
