"""Reads the launcher files of the Forge family, and pieces of them that people paste. Nothing is ever run.

Windows: ``webui-user.bat`` (calls ``webui.bat``, which calls ``webui.settings.bat``), ``run.bat``, ``environment.bat``.
Linux and macOS: ``webui.sh`` sources ``webui-macos-env.sh`` (macOS) and ``webui-user.sh``.

:func:`read_script` tells what one file sets, starts and gets wrong; :func:`final` what the variables are after several.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence

from forgedoctor.forge.scripts_model import (
    ARGS,
    BAT,
    EXISTENCE_COUNTS,
    PROBLEM_KINDS,
    SH,
    SHELL_ONLY,
    WATCHED,
    Assignment,
    Launch,
    Problem,
    Record,
    Script,
    before_start,
    watched_name,
)
from forgedoctor.forge.scripts_value import has_flags

__all__ = ["PROBLEM_KINDS", "WATCHED", "Assignment", "Launch", "Problem", "Script", "decode", "final", "read_script"]

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BATCH = re.compile(r"^\s*@?(?:set\s|rem\s|call\s|echo\s+off|setlocal|goto\s|::)|%\w+%|\^\s*$", re.I | re.M)
_SHELL = re.compile(r"^\s*(?:#|export\s|source\s|\.\s|fi$|[A-Za-z_]\w*\+?=)|\$\{?\w|\\$", re.M)
_COMMENTED = re.compile(rf"\s*(?:@?rem\b|:+|#+|//)\s*@?(?:set\s+\"?|export\s+)?{ARGS}\s*\+?=(.*)", re.IGNORECASE)
# Frequent characters of each encoding, as pairs of bytes: GB 2312 level 1, JIS level 1 and kana.
_FREQUENT = {
    "gbk": re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "shift_jis": re.compile(rb"[\x88-\x97][\x40-\xfc]|\x81[\x40-\xac]|\x82[\x4f-\xf1]|\x83[\x40-\x96]"),
}


def decode(data: bytes) -> tuple[str, str]:
    """The text of a launcher file and its encoding: utf-8, utf-8-sig, utf-16-le, utf-16-be, gbk, shift_jis or cp1252.

    A byte order mark decides, else zero bytes (UTF-16), else valid UTF-8, else whether most double bytes are frequent
    Chinese or Japanese characters; what is left is taken as cp1252. Never raises: U+FFFD stands for what is not valid.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            codec = "utf-8" if encoding == "utf-8-sig" else encoding
            return data[len(bom) :].decode(codec, "replace"), encoding
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 5 > len(head) and min(even, odd) * 10 <= max(even, odd):
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _double_byte(data) or "cp1252"
    return data.decode(encoding, "replace"), encoding


def _double_byte(data: bytes) -> str:
    """gbk or shift_jis where the data decodes as such into mostly frequent characters; else empty."""
    shares: dict[str, float] = {}
    for encoding, frequent in _FREQUENT.items():
        try:
            characters = sum(char > "\x7f" for char in data.decode(encoding))
        except UnicodeDecodeError:
            continue
        if characters >= 2:
            pairs = (char.encode(encoding) for char in data.decode(encoding) if char > "\x7f")
            shares[encoding] = sum(bool(frequent.fullmatch(pair)) for pair in pairs) / characters
    best = max(shares, key=lambda encoding: shares[encoding], default="")
    return best if best and shares[best] >= 0.6 else ""


def read_script(name: str, data: bytes, *, limit: int = 1_000_000) -> Script:
    """What a launcher file sets, starts and gets wrong.

    ``name`` is the file's name; where it does not end in .bat, .cmd or .sh the text itself decides which shell it is
    for. Only the first ``limit`` bytes are read. Variables that the file itself does not set count as unknown: empty in
    values, and named in ``expanded``. Never raises for any data.
    """
    truncated = len(data) > limit
    if truncated:  # At a line's end, for a cut character would spoil the guess at the encoding.
        data = data[: data.rfind(b"\n", 0, limit) + 1 or limit]
    text, encoding = decode(data)
    kind = _kind(name, text)
    newline = _newline(text)
    record = _follow(name, kind, encoding, text, {}, set(), known=False)
    for problem in (*_about_file(kind, encoding, newline), *_commented_out(record), *_after_launch(record)):
        record.problem(*problem)
    return Script(
        name=name,
        kind=kind,
        encoding=encoding,
        newline=newline,
        text=text,
        truncated=truncated,
        assignments=tuple(record.assignments),
        launches=tuple(record.launches),
        problems=tuple(sorted(record.problems, key=lambda problem: problem.line)),
        order=tuple(record.order),
    )


def final(scripts: Sequence[Script], env: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The variables that matter after these files ran in this order: name to (value, ``webui-user.bat line 6``).

    ``env`` is the whole environment before them; an empty one means that nothing is known of it. Its own variables
    are placed in ``environment``. A variable that a file empties or removes stays, with an empty value, so that a
    report can name the line; only one whose mere existence counts is left out. What is set after the start of Forge,
    and what a shell script sets without export (but for the variables that webui.sh itself reads), is left out too.
    A place ends in ``(conditional)`` where the file sets the variable under a condition that is not known.
    """
    windows = any(script.kind == BAT for script in scripts)
    variables = {name.upper() if windows else name: value for name, value in env.items()}
    exported = set(variables)
    kind = BAT if windows else SH
    found = {name: (value, "environment") for name, value in variables.items() if watched_name(name, kind)}
    for script in scripts:
        before = dict(variables)
        record = _follow(script.name, script.kind, script.encoding, script.text, variables, exported, known=bool(env))
        seen = before_start(record.assignments, record.order, record.launches)
        for item in seen:
            note = " (conditional)" if item.conditional else ""
            found[item.name] = (item.value, f"{script.name} line {item.line}{note}")
            if item.removed and item.name in EXISTENCE_COUNTS:
                del found[item.name]
        variables, exported = dict(record.variables), set(record.exported)
        for item in record.assignments[len(seen) :]:  # Set after the start: the files that come next do not see it.
            variables.pop(item.name, None)
            variables |= {item.name: found[item.name][0]} if item.name in found else {}
            variables |= {item.name: before[item.name]} if item.name in before and item.name not in found else {}
    if not windows:
        found = {name: value for name, value in found.items() if name in exported or name in SHELL_ONLY}
    return found


def _follow(
    name: str, kind: str, encoding: str, text: str, variables: Mapping[str, str], exported: set[str], *, known: bool
) -> Record:
    """Follow the text as its shell would read the file."""
    if encoding.startswith("utf-16"):
        text = "\n" * text.count("\n")  # The zero bytes hide every command from both shells.
    elif encoding == "utf-8-sig":
        text = "\n" + text.partition("\n")[2]  # The byte order mark belongs to the first word.
    if kind == BAT or not name.endswith(".sh"):
        text = text.replace("\r", "")
    if kind == BAT:
        from forgedoctor.forge.scripts_bat import run_bat  # only what this file needs: start-up is a feature

        return run_bat(text, name, variables, known=known)
    from forgedoctor.forge.scripts_sh import run_sh

    return run_sh(text, variables, exported, known=known)


def _kind(name: str, text: str) -> str:
    ending = name.lower().rsplit(".", 1)[-1]
    if ending in ("bat", "cmd"):
        return BAT
    if ending in ("sh", "bash", "command"):
        return SH
    return SH if len(_SHELL.findall(text)) > len(_BATCH.findall(text)) else BAT


def _newline(text: str) -> str:
    crlf = text.count("\r\n")
    alone = text.count("\n") - crlf
    if crlf and alone:
        return "mixed"
    return "crlf" if crlf else "lf"


def _about_file(kind: str, encoding: str, newline: str) -> Iterator[tuple[str, int, str, str]]:
    if encoding.startswith("utf-16"):
        yield (
            "encoding",
            1,
            "The file is UTF-16: no shell runs any of its lines. Save it as UTF-8 without BOM or ANSI.",
            "",
        )
    elif encoding == "utf-8-sig":
        yield "encoding", 1, "A byte order mark makes the shell lose the first line. Save the file without BOM.", ""
    if kind == SH and newline != "lf":
        yield "crlf-in-sh", 1, "The lines end as on Windows: save the file with Unix line ends.", ""
    elif newline == "mixed":
        yield "line-ends-mixed", 1, "Some lines end as on Windows, others as on Unix.", ""


def _commented_out(record: Record) -> Iterator[tuple[str, int, str, str]]:
    active = [item.value for item in record.assignments if item.name == ARGS]
    if any(has_flags(text) for text in (*active, *(launch.arguments for launch in record.launches))):
        return
    for number, line in enumerate(record.lines, 1):
        found = _COMMENTED.match(line)
        if found and has_flags(found[1]):
            yield "commented-out", number, f"This {ARGS} stands in a comment and has no effect.", ARGS


def _after_launch(record: Record) -> Iterator[tuple[str, int, str, str]]:
    seen = before_start(record.assignments, record.order, record.launches)
    starts = [launch.line for launch in record.launches if launch.starts]
    for item in record.assignments[len(seen) :]:
        detail = f"Line {starts[-1]} has started Forge already; it does not see this {item.name}."
        yield "after-launch", item.line, detail, item.name
