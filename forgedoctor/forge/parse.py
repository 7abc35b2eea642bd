"""How argparse of Python 3.10 reads a list of words, for parsers that have options only.

Forge's launchers run argparse several times over the same words, mostly under Python 3.10. Later Pythons end a few of
these lines otherwise (in 3.13 ``-fapi`` leaves the unknown word ``-api`` and so ends late, ``-hf`` prints the help,
``--port=--`` is refused), and the doctor may run under any of them: so it follows the rules of 3.10 by its own
reading instead of asking the argparse at hand. Source: CPython 3.10 ``Lib/argparse.py``, compared by a fuzzer with
the real parsers of all forks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from forgedoctor.forge.flags import Flag

HELP = Flag(flag="--help", dest="help", action="help", stage="text")
_NEGATIVE_NUMBER = re.compile(r"^-\d+$|^-\d*\.\d+$")  # as argparse has it: "$" lets a newline pass
_COUNT_ERRORS = {
    None: "expected one argument",
    "?": "expected at most one argument",
    "+": "expected at least one argument",
}
_TYPE_NAMES = {"json": "loads"}


class Stop(Exception):
    """The parser ends the program: with ``code`` 2 and what it complains of, or with 0 after printing its help."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Crash(Exception):
    """The program ends with a traceback; the text is its last line."""


class Option(msgspec.Struct, frozen=True):
    """A word taken for an option: which one (None: unknown), its full spelling, and what follows ``=``."""

    flag: Flag | None
    spelling: str
    explicit: str | None = None


class Given(msgspec.Struct, frozen=True):
    """One use of an option: its word's place in the list, and its spelling there without a value."""

    flag: Flag
    index: int
    written: str


class Parsed(msgspec.Struct, frozen=True):
    """What a parse yields: values by dest, every use of an option in order, and the places of the words left over."""

    values: dict[str, Any]
    given: list[Given]
    extras: list[int]


class Grammar:
    """A parser: the options it knows, in order. ``help``: whether it has -h and --help."""

    def __init__(self, flags: Iterable[Flag], *, help: bool) -> None:
        self.options: dict[str, Flag] = {"-h": HELP, "--help": HELP} if help else {}
        for flag in flags:
            self.options.setdefault(flag.flag, flag)

    def with_flags(self, flags: Iterable[Flag]) -> Grammar:
        """This parser with more options; one that exists keeps its meaning, as a conflict is only reported."""
        more = Grammar((), help=False)
        more.options = dict(self.options)
        for flag in flags:
            more.options.setdefault(flag.flag, flag)
        return more

    def classify(self, word: str) -> Option | None:
        """What a word is: an option (known or not), or None for a value. Raises Stop where it is ambiguous."""
        if not word.startswith("-"):
            return None
        if word in self.options:
            return Option(self.options[word], word)
        if len(word) == 1:
            return None
        name, equals, value = word.partition("=")
        if equals and name in self.options:
            return Option(self.options[name], name, value)
        matches = self._long(word) if word.startswith("--") else self._short(word)
        if len(matches) > 1:
            names = ", ".join(match.spelling for match in matches)
            raise Stop(2, f"ambiguous option: {word} could match {names}")
        if matches:
            return matches[0]
        if _NEGATIVE_NUMBER.match(word) or " " in word:
            return None
        return Option(None, word)

    def _long(self, word: str) -> list[Option]:
        prefix, equals, value = word.partition("=")
        explicit = value if equals else None
        return [Option(flag, name, explicit) for name, flag in self.options.items() if name.startswith(prefix)]

    def _short(self, word: str) -> list[Option]:
        return [
            Option(flag, name, word[2:] if name == word[:2] else None)
            for name, flag in self.options.items()
            if name == word[:2] or name.startswith(word)
        ]

    def parse(self, words: Sequence[str]) -> Parsed:
        """Read the words. Raises Stop where the real parser ends the program, Crash where it breaks."""
        return _Parse(self, words).run()


class _Parse:
    """One reading of one list of words."""

    def __init__(self, grammar: Grammar, words: Sequence[str]) -> None:
        self.grammar, self.words = grammar, words
        end = words.index("--") if "--" in words else len(words)
        self.options = {index: option for index, word in enumerate(words[:end]) if (option := grammar.classify(word))}
        self.end = end
        self.parsed = Parsed({}, [], [])
        self.seen: dict[str, dict[str, None]] = {}

    def run(self) -> Parsed:
        index = 0
        while index < len(self.words):
            if index in self.options:
                index = self._consume(index)
            else:
                self.parsed.extras.append(index)
                index += 1
        return self.parsed

    def _consume(self, index: int) -> int:
        option = self.options[index]
        flag, spelling, explicit = option.flag, option.spelling, option.explicit
        if flag is None:
            self.parsed.extras.append(index)
            return index + 1
        cluster: list[tuple[Flag, list[str], str]] = []
        while explicit is not None and _counts(flag, 1) == 0 and spelling[1] != "-" and explicit:
            # -fx is -f -x where -f takes no value
            cluster.append((flag, [], spelling))
            spelling, rest = "-" + explicit[0], explicit[1:]
            if spelling not in self.grammar.options:
                raise _error(flag, f"ignored explicit argument {explicit!r}")
            flag, explicit = self.grammar.options[spelling], rest or None
        if explicit is not None:
            if _counts(flag, 1) != 1:
                raise _error(flag, f"ignored explicit argument {explicit!r}")
            cluster.append((flag, [] if explicit == "--" else [explicit], spelling))
            stop = index + 1
        else:
            count = _counts(flag, self._values_after(index))
            stop = index + 1 + count
            cluster.append((flag, list(self.words[index + 1 : stop]), spelling))
        for used, values, _ in cluster:
            self._take(used, values, index)
        return stop

    def _values_after(self, index: int) -> int:
        count = 0
        for place in range(index + 1, self.end):
            if place in self.options:
                break
            count += 1
        return count

    def _take(self, flag: Flag, texts: list[str], index: int) -> None:
        if flag.action == "help":
            raise Stop(0, "prints its help and ends")
        value = _value(flag, texts)
        # argparse compares with "is": a small integer equal to the default does not count as given.
        if flag.group and not (flag.type == "int" and value == flag.default):
            others = self.seen.setdefault(flag.group, {})
            others[flag.flag] = None
            for other in others:
                if other != flag.flag:
                    raise _error(flag, f"not allowed with argument {other}")
        if flag.action == "append":
            self.parsed.values.setdefault(flag.dest, []).append(value)
        else:
            self.parsed.values[flag.dest] = value
        self.parsed.given.append(Given(flag, index, self.words[index].partition("=")[0]))


def _error(flag: Flag, message: str) -> Stop:
    return Stop(2, f"argument {'-h/--help' if flag is HELP else flag.flag}: {message}")


def _counts(flag: Flag, available: int) -> int:
    """How many of the values that follow an option takes. Raises Stop where they are too few."""
    if flag.switch or flag.action == "help":
        return 0
    if flag.nargs in ("*", "?"):
        return min(available, 1) if flag.nargs == "?" else available
    if not available:
        raise _error(flag, _COUNT_ERRORS[flag.nargs])
    return available if flag.nargs == "+" else 1


def _value(flag: Flag, texts: list[str]) -> Any:
    if flag.switch:
        return flag.action == "store_true"
    if not texts and flag.nargs == "?":
        return flag.const
    values = [_convert(flag, text) for text in texts]
    for value in values:
        if flag.choices is not None and value not in flag.choices:
            choices = ", ".join(map(repr, flag.choices))
            raise _error(flag, f"invalid choice: {value!r} (choose from {choices})")
    # One value is a list only where nargs says so, and where "--opt=--" has lost its value.
    return values[0] if values and flag.nargs in (None, "?") else values


def _convert(flag: Flag, text: str) -> Any:
    kind = flag.type
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "json":
            return json.loads(text)
        if kind.startswith("enum:") and text not in (flag.choices or ()):
            raise ValueError
    except ValueError:
        name = kind.partition(":")[2] or _TYPE_NAMES.get(kind, kind)
        raise _error(flag, f"invalid {name} value: {text!r}") from None
    except RecursionError:
        raise Crash("RecursionError: maximum recursion depth exceeded while decoding a JSON document") from None
    return text.lower() if kind == "lower" else text
