"""Change flags in a list of words, or in the line of a launcher file that sets them, and nothing else.

A line is only ever changed in its value. What the changed line gives is read again by
:mod:`~forgedoctor.forge.scripts`, and where that is not exactly the wanted words the line is left as it was.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from forgedoctor.forge.flags import FORKS, Flag, find
from forgedoctor.forge.launcher import ENV, late_grammars
from forgedoctor.forge.parse import Stop
from forgedoctor.forge.scripts import read_script

_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


class Change(NamedTuple):
    """What to change.

    ``add``: flags with their value; ``drop``: flags without, or stray words; ``rename``: a word, or a flag without its
    value, and what to write in its place. ``fork``: whose flags they are.
    """

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = {}
    fork: str = "forge"


class Renamed(NamedTuple):
    """The first ``old`` characters of a word become ``new``."""

    old: int
    new: str


Edit = str | Renamed | None  # new text, another beginning, or None: the word goes


class Use(NamedTuple):
    """The words from ``start`` to before ``end``: a flag with its values, or a word that no flag takes (``flag`` None).

    ``name`` is the flag's full name; of one that no fork knows, the word as written.
    """

    start: int
    end: int
    name: str
    flag: Flag | None


def uses(words: Sequence[str], fork: str) -> Iterator[Use]:
    """The words taken together as the launcher's parser does; an unknown flag is taken to have at most one value."""
    index = 0
    while index < len(words):
        word = words[index]
        name, flag = _named(word, fork)
        count = _values(words, index + 1, flag) if "=" not in word and _dashed(word) else 0
        yield Use(index, index + 1 + count, name, flag)
        index += 1 + count


def planned(words: Sequence[str], change: Change) -> tuple[dict[int, Edit], list[str]]:
    """What becomes of which word, and what is left to be added at the end.

    A flag that is added and is there already is replaced in its place, every other use of it goes; a switch that is
    there already is not added again. A dropped flag takes its value along, also where it is abbreviated.
    """
    edits: dict[int, Edit] = {}
    left = list(change.add)
    settled = set(change.drop)
    for use in uses(words, change.fork):
        word = words[use.start]
        written = word.partition("=")[0]
        values = range(use.start + 1, use.end)
        edits.update({index: change.rename[words[index]] for index in values if words[index] in change.rename})
        if word in change.rename:
            edits[use.start] = change.rename[word]
        elif written in change.rename:
            edits[use.start] = Renamed(len(written), change.rename[written])
        else:
            new = next((item for item in left if item.split(" ")[0] == use.name), None)
            if new is not None:
                left.remove(new)
            if settled & {word, written, use.name} or (new is not None and new != use.name):
                edits.update(dict.fromkeys(range(use.start, use.end)))
                settled.add(use.name)
                if new is not None:
                    edits[use.start] = new
    return edits, left


def changed(words: Sequence[str], change: Change) -> list[str]:
    """The words after the change."""
    edits, left = planned(words, change)
    found: list[str] = []
    for index, word in enumerate(words):
        edit = edits.get(index, word)
        if isinstance(edit, Renamed):
            found.append(edit.new + word[edit.old :])
        elif index in edits:
            found += shlex.split(edit or "")
        else:
            found.append(word)
    return found + [word for item in left for word in shlex.split(item)]


def edited(raw: str, change: Change, *, windows: bool) -> str:
    """The line (or continued lines) that sets COMMANDLINE_ARGS, with only these flags changed.

    Given back as it was where nothing is to change, or where the line is not understood well enough to change it.
    """
    before = value_words(raw, windows=windows)
    if before is None:
        return raw
    wanted = changed(before, change)
    if wanted == before:
        return raw
    after = _rewritten(raw, change, windows)
    return after if value_words(after, windows=windows) == wanted else raw


def value_words(raw: str, *, windows: bool) -> list[str] | None:
    """The words that Forge gets from this line; None where it sets no COMMANDLINE_ARGS that can be split."""
    script = read_script("webui-user.bat" if windows else "webui-user.sh", raw.encode("utf-8", "replace"))
    values = [one.value for one in script.assignments if one.name == ENV]
    try:
        return shlex.split(values[-1]) if values else None
    except ValueError:
        return None


def _dashed(word: str) -> bool:
    return word.startswith("-") and not _NUMBER.fullmatch(word)


def _named(word: str, fork: str) -> tuple[str, Flag | None]:
    """The full name of a flag, which may be abbreviated, and what is known of it, if need be from another fork."""
    name = word.partition("=")[0]
    if not _dashed(word):
        return word, None
    try:
        option = late_grammars(fork)[-1].classify(word)
    except Stop:  # it may mean several: taken as it is written
        option = None
    if option and option.flag:
        return option.flag.flag, option.flag
    known = (find(other, name) for other in FORKS)
    return name, next((flag for flag in known if flag and flag.known), None)


def _values(words: Sequence[str], start: int, flag: Flag | None) -> int:
    """How many of the words from ``start`` on belong to a flag."""
    if flag and (flag.switch or flag.action == "help"):
        return 0
    most = len(words) if flag and flag.nargs in ("*", "+") else 1
    count = 0
    while count < most and start + count < len(words) and not _dashed(words[start + count]):
        count += 1
    return count


# -- the value in its line ------------------------------------------------------------------------------------------


class _Value(NamedTuple):
    """Where the value stands in the text, how its words look there, and how one is read."""

    start: int
    end: int
    word: re.Pattern[str]
    plain: Callable[[str], str]
    bare: bool = False


_BAT_SET = re.compile(rf'(?i)\bset\s+("?){ENV}=')
_SH_SET = re.compile(rf"(?:^|[\s;&(]){ENV}\+?=", re.M)
_BAT_WORD = re.compile(r"""(?!\^\n)(?:"[^"\n]*"|'[^'\n]*'|\^\n(?=\S)|\^[^\n]|[^\s^])+""")
_DOUBLE_WORD = re.compile(r"""(?!\\\n)(?:\\"(?:[^\\"]|\\(?!"))*\\"|'[^']*'|\\\n(?=\S)|\\[^\n]|[^\s\\])+""")
_SINGLE_WORD = re.compile(r"""(?:"[^"]*"|\S)+""")
_SH_END = re.compile(r"[\s;&|)]|$")


def _find(raw: str, windows: bool) -> _Value | None:
    if windows:
        matches = list(_BAT_SET.finditer(raw))
        return _bat_value(raw, matches[-1]) if matches else None
    found = list(_SH_SET.finditer(raw))
    return _sh_value(raw, found[-1].end()) if found else None


def _bat_value(raw: str, match: re.Match[str]) -> _Value:
    """cmd.exe: up to an unquoted & | < > or the line's end; in ``set "NAME=value"`` up to the last quotation mark."""
    start = at = match.end()
    quoted = bool(match[1])
    inside, last = quoted, -1
    block = "(" in raw[: match.start()]
    while at < len(raw) and raw[at] != "\n":
        if raw[at] == "^" and not inside:
            at += 2
            continue
        if raw[at] == '"':
            inside, last = not inside, at
        elif not inside and (raw[at] in "&|<>" or (block and raw[at] == ")")):
            break
        at += 1
    end = last if quoted and last >= 0 else min(at, len(raw))
    return _Value(start, end, _BAT_WORD, lambda text: re.sub(r"\^(.)", r"\1", text.replace("^\n", "")))


def _sh_value(raw: str, start: int) -> _Value | None:
    """The shell: one quoted piece, or a bare word; None for anything more."""
    double = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S).match(raw, start)
    single = re.compile(r"'([^']*)'").match(raw, start)
    match = double or single
    if match is None:
        match = re.compile(r"([^\s;&|()'\"\\`]*)").match(raw, start)
    if match is None or not _SH_END.match(raw, match.end()):
        return None
    if double:
        return _Value(*match.span(1), _DOUBLE_WORD, lambda text: re.sub(r"\\(?:\n|([\"$`\\]))", r"\1", text))
    return _Value(*match.span(1), _SINGLE_WORD, str, bare=not single)


def _rewritten(raw: str, change: Change, windows: bool) -> str:
    value = _find(raw, windows)
    if value is None:
        return raw
    spans = [match.span() for match in value.word.finditer(raw, value.start, value.end)]
    words = []
    for start, end in spans:
        try:
            words.append("".join(shlex.split(value.plain(raw[start:end]))))
        except ValueError:
            return raw
    edits, left = planned(words, change)
    text = _apply(raw, value, spans, edits)
    return _append(text, left, windows) if left else text


def _apply(raw: str, value: _Value, spans: list[tuple[int, int]], edits: Mapping[int, Edit]) -> str:
    """The text with words replaced, and those that go cut out with the blanks that set them apart."""
    cuts: list[tuple[int, int, str]] = []
    index = 0
    while index < len(spans):
        start, end = spans[index]
        edit = edits.get(index, "")
        if isinstance(edit, Renamed):
            cuts.append((start, start + edit.old, edit.new))
        elif edit:
            cuts.append((start, end, edit))
        elif index in edits:
            last = index
            while last + 1 in edits and edits[last + 1] is None:
                last += 1
            cuts.append((*_cut(raw, value, spans, index, last), ""))
            index = last
        index += 1
    for start, end, new in reversed(cuts):
        raw = raw[:start] + new + raw[end:]
    return raw


def _cut(raw: str, value: _Value, spans: list[tuple[int, int]], first: int, last: int) -> tuple[int, int]:
    """What to take out, so that the lines that are left still continue each other."""
    start, end = spans[first][0], spans[last][1]
    before = spans[first - 1][1] if first else None
    if before is not None and ("\n" not in raw[before:start] or last + 1 == len(spans)):
        return before, end
    if last + 1 < len(spans):
        return start, spans[last + 1][0]
    return value.start, value.end


def _append(raw: str, items: list[str], windows: bool) -> str:
    value = _find(raw, windows)
    if value is None:
        return raw
    new = " ".join(items)
    spans = [match.span() for match in value.word.finditer(raw, value.start, value.end)]
    if value.bare:
        return f'{raw[: value.start]}"{" ".join(filter(None, (raw[value.start : value.end], new)))}"{raw[value.end :]}'
    if not spans:
        return raw[: value.start] + new + raw[value.start :]
    at = spans[-1][1]
    return f"{raw[:at]} {new}{raw[at:]}"
