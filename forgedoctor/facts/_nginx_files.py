"""The files of an nginx configuration on this machine, in bounded time and memory. Reads only regular files."""

from __future__ import annotations

import codecs
import glob
import os
import stat
from collections.abc import Iterator

from forgedoctor.forge.scripts import decode
from forgedoctor.proxies import statements
from forgedoctor.proxies.model import Problem
from forgedoctor.proxies.statements import BOM, Sources, absolute, includes, is_pattern

LARGEST = 1_000_000  # bytes of one file
MOST_BYTES = 2_000_000  # of all together: what is read in two seconds
MOST_FILES = 500
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """A file cannot be read: ``folder``, ``special``, ``binary``, ``too-large``, or why in the system's words."""


def gather(main: str) -> Sources:
    """The main file and all that it includes, by the names under which they are included.

    Raises Unreadable where the main file itself cannot be read; every other trouble is a Problem.
    """
    base = absolute(os.path.abspath(main), "/")
    files = {base: text_of(base)}
    problems: list[Problem] = []
    left = MOST_BYTES - len(files[base])
    waiting = list(_wanted(files[base], base))
    seen = {base}
    while waiting:
        name, by = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        try:
            if len(files) >= MOST_FILES or left <= 0:
                raise Unreadable("too-large")
            files[name] = text_of(name)
        except Unreadable as why:
            missing = not os.path.lexists(name)
            kind, text = ("syntax", statements.not_there(name)) if missing else ("unread", str(why))
            problems.append(Problem(kind=kind, text=text, file=by if missing else name))
            continue
        left -= len(files[name])
        waiting += _wanted(files[name], base)
    return Sources(files=files, problems=tuple(problems))


def text_of(name: str) -> str:
    """A file's text, with BOM before it where it has a byte order mark. Raises Unreadable with the reason."""
    try:
        found = os.stat(name)
        if stat.S_ISDIR(found.st_mode):
            raise Unreadable("folder")
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("special")
        if found.st_size > LARGEST:
            raise Unreadable("too-large")
        with open(name, "rb") as opened:
            data = opened.read(LARGEST)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except ValueError as error:  # a zero byte in the name
        raise Unreadable(str(error)) from None
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("binary")
    text, _ = decode(data)
    return (BOM if data.startswith(_BOMS) else "") + text.replace("\x00", "")


def _wanted(text: str, main: str) -> Iterator[tuple[str, str]]:
    """The files that a text includes, each with the main file's name for the report."""
    for one in includes(text)[:MOST_FILES]:
        path = absolute(one, main)
        if not is_pattern(path):
            yield path, main
            continue
        for found in sorted(glob.glob(path))[:MOST_FILES]:
            yield found.replace("\\", "/"), main
