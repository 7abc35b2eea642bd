"""What is wrong with a value of COMMANDLINE_ARGS, whichever shell set it, and with a name close to it.

Forge splits the value with ``shlex.split``, by POSIX rules on Windows too. Source: modules/paths_internal.py.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from forgedoctor.forge.scripts_model import ARGS, BAT, watched_name

_DASHES = "‐‑‒–—―−－"
_QUOTES = "“”„‟‘’‚‛«»＂＇"
_BLANKS = "\u00a0\u2007\u202f\u3000\u200b\u200c\u200d\u2060\ufeff"
# A dash where a flag begins; a quotation mark at the edge of a word (inside one it may be a name); any odd blank.
_TYPOGRAPHIC = re.compile(
    rf"(?:(?<![^\s\"'])-?[{_DASHES}]+(?=[-\w])|(?<![^\s=\"'])[{_QUOTES}]|[{_QUOTES}](?![^\s\"'])|[{_BLANKS}])"
)
_FLAGS_IN_ONE = re.compile(r"\s*--?[\w-]+[ \t\r\n]+\S|.*[ \t\r\n]--[A-Za-z]", re.DOTALL)
_SHELL_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
_BATCH_VARIABLE = re.compile(r"%([A-Za-z_]\w*)%")
FLAG = re.compile(rf"(?:--?|-?[{_DASHES}]+)[A-Za-z]")
HAS_FLAG = re.compile(rf"(?:^|[\s\"'=])(?:--?|-?[{_DASHES}]+)[A-Za-z]")


def value_problems(value: str, kind: str) -> Iterator[tuple[str, str]]:
    """What is wrong with this value of COMMANDLINE_ARGS: (kind of problem, one sentence), the surest first.

    ``value`` is what the variable holds, ``kind`` says which shell set it.
    """
    yield from _typography(value)
    lost = _lost_backslash(value)
    if lost:
        yield "backslash-lost", lost
    try:
        tokens = shlex.split(value)
    except ValueError:
        if not lost and not value.endswith(("\\", "`")):
            yield "unbalanced-quote", f"Forge cannot split the value: {_open_quote(value)} has no partner."
        tokens = []
    for token in tokens if not lost else ():
        if _FLAGS_IN_ONE.match(token):
            yield "quoted-whole-value", f"Quotation marks make {_short(token)} one word; no such flag exists."
            break
    yield from _other_shell(value, kind)


def typographic(value: str) -> bool:
    """Whether typographic characters stand where plain ones must."""
    return bool(_TYPOGRAPHIC.search(value))


def has_flags(value: str) -> bool:
    """Whether the value holds anything that looks like a flag."""
    return bool(HAS_FLAG.search(value))


def misspelt(name: str, kind: str) -> str:
    """The variable that was probably meant by this name, empty where none is near or the name is right."""
    if watched_name(name, kind):
        return ""
    last = re.split(r"\s+", name.strip())[-1]
    if last != name and watched_name(last, kind):
        return watched_name(last, kind)
    if name.upper() != ARGS and re.search(rf"(?:^|_){ARGS}(?:_|\d|$)", name.upper()):
        return ""  # COMMANDLINE_ARGS_OLD and the like are kept on purpose.
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    if not 8 <= len(plain) <= 24:
        return ""
    from difflib import SequenceMatcher

    return ARGS if SequenceMatcher(None, plain, ARGS.replace("_", "")).ratio() >= 0.84 else ""


def foreign_to_bat(line: str) -> str:
    """The kind of problem of a batch line that is written for another shell; empty for any other line."""
    if re.match(r"\$env:", line, re.IGNORECASE):
        return "powershell-syntax"
    assigned = re.match(r"([A-Za-z_][\w-]*)\s*\+?=", line)
    if assigned and (watched_name(assigned[1], BAT) or misspelt(assigned[1], BAT)):
        return "sh-syntax-in-bat"
    return "sh-syntax-in-bat" if re.match(r"(?:export|source)\s+[A-Za-z_./~]|#|if\s+\[", line) else ""


_BATCH_LINE = re.compile(
    r"@|::|rem(?:\s|$)|set\s+\"?[A-Za-z_][\w-]*\s*=|(?:call|start)\s+\S+\.(?:bat|cmd)\b|(?:setlocal|endlocal)\b",
    re.IGNORECASE,
)


def foreign_to_sh(line: str) -> str:
    """The kind of problem of a shell line that is written for Windows; empty for any other line."""
    if re.match(r"\$env:", line, re.IGNORECASE):
        return "powershell-syntax"
    return "bat-syntax-in-sh" if _BATCH_LINE.match(line) else ""


def _typography(value: str) -> Iterator[tuple[str, str]]:
    found = _TYPOGRAPHIC.search(value)
    if found:
        odd = next(c for c in found[0] if c in _DASHES + _QUOTES + _BLANKS)
        meant = "-" if odd in _DASHES else "a plain quotation mark" if odd in _QUOTES else "a plain blank"
        yield (
            "typographic-characters",
            f"U+{ord(odd):04X} stands where {meant} must stand: {_word(value, found.start())}",
        )


def _lost_backslash(value: str) -> str:
    """A sentence when splitting loses a backslash that a path needs, or a quote after one; else empty.

    Outside quotes every backslash goes; inside double quotes one before a backslash or double quote does.
    """
    quote, start = "", 0
    index = 0
    while index < len(value):
        char = value[index]
        if quote != "'" and char == "\\":
            fault = _escape_fault(value, index, quote, start)
            if fault:
                return fault
            index += 2 if not quote or value[index + 1 : index + 2] in ('"', "\\") else 1
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote, start = char, index + 1
        index += 1
    return ""


def _escape_fault(value: str, index: int, quote: str, start: int) -> str:
    following = value[index + 1 : index + 2]
    after = value[index + 2 : index + 3]
    word = _short(value[start : index + 1]) if quote else _word(value, index)
    if quote:
        if following == '"' and after.strip() == "" and re.search(r"[A-Za-z]:|[\\/]\w", value[start:index]):
            return f"The backslash before the closing quotation mark of {word} makes it part of the path."
        if following == "\\" and index == start and re.match(r"\w", after):
            return f"{word} loses the first backslash of its network path."
        return ""
    if following.strip() == "" and following:
        rest = value[index + 1 :].lstrip()
        return f"The backslash at the end of {word} joins it to the next word." if rest.startswith("-") else ""
    if following and following not in "\\\"'":
        return f"The backslashes of {word} are lost: they stand outside quotation marks."
    return ""


def _open_quote(value: str) -> str:
    """The quotation mark that stays open, with the word it stands in."""
    quote, at = "", 0
    for index, char in enumerate(value):
        if char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote, at = char, index
    name = "the apostrophe" if quote == "'" else "the quotation mark"
    return f"{name} in {_word(value, at)}"


def _word(value: str, at: int) -> str:
    """The word that holds this position. Whole words only: the redactor would not know a part of a secret."""
    start = at
    while start > 0 and not value[start - 1].isspace():
        start -= 1
    found = re.match(r"\s*\S*", value[start:])
    return _short(found[0] if found else "")


def _other_shell(value: str, kind: str) -> Iterator[tuple[str, str]]:
    if kind == BAT:
        named = [m[1] for m in _SHELL_VARIABLE.finditer(value) if watched_name(m[1], kind) or m[1] in ("HOME", "PWD")]
        if named:
            yield "sh-syntax-in-bat", f"cmd.exe does not replace ${named[0]}; it reads %{named[0]}%."
        if re.search(r"(?<=\s)[\\`]\s*$", value):
            yield "sh-syntax-in-bat", "cmd.exe continues a line with ^, not with a backslash or backtick."
    else:
        percent = _BATCH_VARIABLE.search(value)
        if percent:
            yield "bat-syntax-in-sh", f"The shell does not replace %{percent[1]}%; it reads ${percent[1]}."
        if re.search(r"\s\^[ \t\r]*(?:\n|$)", value):
            yield "bat-syntax-in-sh", "The shell continues a line with a backslash, not with ^."


def _short(text: str) -> str:
    """The first whole words of the text, between angle quotes that no command line holds."""
    words = text.split()
    shown = ""
    for word in words:
        if shown and len(shown) + len(word) > 60:
            return f"‹{shown} …›"
        shown = f"{shown} {word}".strip()
    return f"‹{shown[:300]}›"
