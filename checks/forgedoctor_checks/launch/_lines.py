"""Lines of launcher files as they ought to be."""

from __future__ import annotations

import re
import shlex

from forgedoctor import fixes
from forgedoctor.check import Fix
from forgedoctor.forge.flag_edit import value_words
from forgedoctor.forge.scripts import Problem, Script, read_script

_DASH = re.compile("(?<![\\w\"'])-?[\u2010-\u2015\u2212\uff0d]+(?=-*\\w)-*")
_QUOTE = re.compile("[\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2018\u2019\u201a\u201b\uff07]")
_BLANK = re.compile("[\u00a0\u2007\u202f\u3000]")
_NOTHING = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")


def plain_signs(text: str) -> str:
    """The text with the signs of a keyboard in place of typographic ones."""
    text = _NOTHING.sub("", _BLANK.sub(" ", _QUOTE.sub('"', text)))
    return _DASH.sub(lambda found: "-" if found[0].startswith("--") and len(found[0]) > 2 else "--", text)


def flags_in(text: str) -> str:
    """The flags in a line that sets them, or tries to: without the variable, and without quotes round the whole."""
    before, equals, value = text.partition("=")
    if not equals or " -" in before:
        found = re.search(r"(?:^|\s)(-.*)", text)
        value = found[1] if found else ""
    value = value.strip()
    if value[:1] in ("'", '"') and value[-1:] == value[0] and value[1:2] in ("-", " "):
        return value[1:-1].strip()
    if value.endswith('"') and value.count('"') % 2:  # the end of set "NAME=..."
        return value[:-1].strip()
    return value


def right_line(kind: str, flags: str) -> str:
    """The line that sets these flags in a ``bat`` or ``sh`` file; empty where no simple line does."""
    if kind == "bat":
        lines = [f"set COMMANDLINE_ARGS={flags}", f'set "COMMANDLINE_ARGS={flags}"']
    else:
        lines = [f'export COMMANDLINE_ARGS="{flags}"', f"export COMMANDLINE_ARGS='{flags}'"]
    try:
        words = shlex.split(flags)
    except ValueError:
        return ""
    return next((line for line in lines if words and value_words(line, windows=kind == "bat") == words), "")


def mended(script: Script, problem: Problem, flags: str = "") -> Fix | None:
    """The problem's line as it should be; None where it is part of several or cannot be written simply."""
    if problem.text.rstrip().endswith(("^", "\\")) or any(
        one.line != one.last_line and one.line <= problem.line <= one.last_line for one in script.assignments
    ):
        return None
    after = right_line(script.kind, flags or flags_in(plain_signs(problem.text)))
    if not after or after == problem.text:
        return None
    return fixes.rewrite_line(script.name, problem.line, problem.text, after)


def without(script: Script, lines: dict[int, str], kinds: tuple[str, ...]) -> bool:
    """Whether the file has none of these problems once the lines (by number) are written so."""
    text = script.text.splitlines()
    for number, line in lines.items():
        text[number - 1] = line
    again = read_script(script.name, "\n".join(text).encode("utf-8", "replace"))
    return not any(problem.kind in kinds for problem in again.problems)
