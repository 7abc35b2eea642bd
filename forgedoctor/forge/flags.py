"""The launch flags of Forge and its relatives, as data with a reader.

Source: each fork's own parsers (``modules/cmd_args.py``, ``backend/args.py`` or ``ldm_patched/modules/args_parser.py``,
``modules_forge/shared.py``, the built-in extensions' ``preload.py``), taken from the running parsers of the commit that
the data file names. What a flag does, and whether anything reads it, was read in the code of that commit.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

DATA = Path(__file__).parent / "data"
FORKS = ("forge", "reforge", "classic", "neo", "a1111")
DISPLAY_NAMES = {
    "forge": "Forge",
    "reforge": "reForge",
    "classic": "Forge Classic",
    "neo": "Forge Neo",
    "a1111": "AUTOMATIC1111",
}
WEBUI_PORT, API_ONLY_PORT = 7860, 7861  # the same in all forks

_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00a0\\s]")
_GLUE = re.compile(r"[,;|&]|(?<=[a-z0-9])(?=--)")


class Flag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One launch flag of one fork.

    ``type``: str, int, float, json, lower (text in lower case), path, or ``enum:NAME`` (one of ``choices``).
    ``nargs``: None (one value, or none for a switch), ``?``, ``*`` or ``+``. ``const``: the value of ``?`` without one.
    ``default``: ``<root>`` stands for the install folder. ``group``: flags of the same group exclude each other.
    ``stage``: what defines it: ``backend`` (GPU flags), ``main``, ``early`` and ``late`` (Neo's two additions),
    ``extension`` (a built-in extension; known to the last parse only), ``text`` (no option: the word is looked for
    among the arguments), empty for a flag that this fork does not have.
    ``status``: ``active``, ``accepted-but-ignored`` (``why`` says why), ``suppressed`` (absent from the help) or
    ``removed`` (relatives have it; here it is an unknown argument). ``instead``: what to write in its place here.
    """

    flag: str
    dest: str
    action: str = "store"
    type: str = "str"
    nargs: str | None = None
    const: Any = None
    default: Any = None
    choices: tuple[Any, ...] | None = None
    group: str = ""
    stage: str = "main"
    status: str = "active"
    effect: str = ""
    why: str = ""
    instead: str = ""

    @property
    def switch(self) -> bool:
        """Whether it takes no value."""
        return self.action in ("store_true", "store_false")

    @property
    def known(self) -> bool:
        """Whether the parser of this fork has it."""
        return self.stage not in ("", "text")


class _File(msgspec.Struct, frozen=True):
    fork: str
    repository: str
    commit: str
    date: str
    flags: tuple[Flag, ...]


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Of which commit a fork's flags were taken (``date``: of that commit)."""

    repository: str
    commit: str
    date: str


@cache
def _load(fork: str) -> _File:
    return msgspec.json.decode((DATA / f"flags-{fork}.json").read_bytes(), type=_File)


def fork_or_default(fork: str) -> str:
    """The fork itself where it is known, else ``forge``."""
    return fork if fork in FORKS else "forge"


def display_name(fork: str) -> str:
    """The fork's name for people."""
    return DISPLAY_NAMES.get(fork, fork)


def flags(fork: str) -> tuple[Flag, ...]:
    """All that is known of a fork's flags, in the order of its parser; relatives' flags that it lacks come last."""
    return _load(fork_or_default(fork)).flags


def provenance(fork: str) -> Provenance:
    """Where the fork's flags come from."""
    data = _load(fork_or_default(fork))
    return Provenance(repository=data.repository, commit=data.commit, date=data.date)


@cache
def by_name(fork: str) -> dict[str, Flag]:
    """The fork's flags by their spelling, those that it lacks included."""
    return {flag.flag: flag for flag in flags(fork)}


@cache
def _spellings(fork: str) -> tuple[str, ...]:
    return tuple(flag.flag for flag in flags(fork) if flag.known and flag.flag.startswith("--"))


def find(fork: str, flag: str) -> Flag | None:
    """What is known of a flag in a fork; None where no relative has it either."""
    return by_name(fork_or_default(fork)).get(flag)


def instead_of(flag: str, fork: str) -> str:
    """What to write in this fork in place of a flag that it lacks or ignores; empty where nothing is known."""
    found = find(fork, flag)
    return found.instead if found else ""


def known_elsewhere(token: str, fork: str) -> tuple[str, ...]:
    """The other forks whose parser has this flag (a value after ``=`` is left aside)."""
    name = token.split("=", 1)[0]
    others = (other for other in FORKS if other != fork)
    return tuple(other for other in others if (found := find(other, name)) and found.known)


def plain_spelling(token: str) -> str:
    """The word with typographic dashes, invisible signs, capitals and underscores put right, and no value."""
    text = _INVISIBLE.sub("", _DASHES.sub("-", token)).split("=", 1)[0]
    return text.strip("-\"'").lower().replace("_", "-")


@lru_cache(maxsize=1024)
def nearest(fork: str, token: str) -> tuple[str, ...]:
    """The flags of this fork that a misspelt word may mean, the likeliest first; at most three.

    A slip of signs only (dashes, capitals, underscores) gives one flag; two flags run together give both. A word
    without dashes may be somebody's value, so it is only taken for the flag that it spells.
    """
    import difflib

    fork = fork_or_default(fork)
    by_plain = {plain_spelling(name): name for name in _spellings(fork)}
    word = plain_spelling(token)
    if word in by_plain:
        return (by_plain[word],)
    parts = [plain_spelling(part) for part in _GLUE.split(token) if plain_spelling(part)]
    if len(parts) > 1 and all(part in by_plain for part in parts):
        return tuple(by_plain[part] for part in parts)
    dashed = _DASHES.sub("-", _INVISIBLE.sub("", token)).startswith("-")
    if not dashed or len(word) < 3 or len(word) > 60:
        return ()
    close = [name for name in by_plain if one_slip(word, name)]
    close += difflib.get_close_matches(word, by_plain, n=3, cutoff=0.75)
    return tuple(by_plain[name] for name in dict.fromkeys(close))[:3]


def one_slip(word: str, right: str) -> bool:
    """Whether one letter too many, too few, wrong or changed for its neighbour makes the one of the other."""
    if word == right or abs(len(word) - len(right)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, right, strict=False)) if a != b), min(len(word), len(right)))
    rest, wanted = word[start:], right[start:]
    swapped = len(rest) > 1 and rest[1] + rest[0] + rest[2:] == wanted
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
