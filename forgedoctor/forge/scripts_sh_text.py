"""Words and operators of a shell script, with quotation marks and substitutions kept apart. Runs nothing.

Source: POSIX Shell Command Language, sections 2.2 to 2.7, and bash's additions that launchers use ([[ ]], $'', &>).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_MAX_DEPTH = 20
_PLAIN = re.compile(r"[^ \t\n;&|()<>\\'\"$`]+")
_IN_TEST = re.compile(r"[^ \t\n;\\'\"$`]+")
_IN_DOUBLE = re.compile(r"[^\"\\$`]+")
_IN_BRACES = re.compile(r"[^}\"'\\$`]+")
_NAME = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]")
_OPERATION = re.compile(r":?[-=+?]")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|[;&|()\n]")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-?|&>>?|>>|>\||[<>]&|<>|[<>])(?!\()")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


@dataclass
class Literal:
    """Text as it is."""

    text: str
    quoted: bool


@dataclass
class Reference:
    """``$name``, or ``${name<operation>word}``."""

    name: str
    operation: str = ""
    word: list[Part] = field(default_factory=list)


@dataclass
class Hidden:
    """A substitution that only running it could tell, such as ``$(...)``."""

    text: str


Part = Literal | Reference | Hidden


@dataclass
class Word:
    """A word with its place. ``name`` and ``append`` where it has the form of an assignment; ``parts`` is then the
    value."""

    parts: list[Part]
    line: int
    last_line: int
    name: str = ""
    append: bool = False

    def plain(self) -> str:
        """The text of a word without quotes and substitutions, empty for any other: what a reserved word must be."""
        only = self.parts[0] if len(self.parts) == 1 and not self.name else None
        return only.text if isinstance(only, Literal) and not only.quoted else ""


class Unbalanced(Exception):
    """The script ends inside quotation marks or a substitution."""

    def __init__(self, opener: str, line: int) -> None:
        super().__init__(opener)
        self.opener = opener
        self.line = line


class Lexer:
    """Takes a script apart. ``in_test`` is set by the reader while inside [[ ]], where operators are words."""

    def __init__(self, text: str, comment_in_continuation: Callable[[int], None]) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.in_test = False
        self._seen = 0
        self._start = 0
        self._heredocs: list[tuple[str, bool]] = []
        self._comment_in_continuation = comment_in_continuation

    def _unbalanced(self, opener: str) -> Unbalanced:
        """The error, at the line where the word begins: a quotation mark that lacks its partner lets the next ones
        close and open in the wrong places."""
        return Unbalanced(opener, self.text.count("\n", 0, self._start) + 1)

    def line_at(self, at: int) -> int:
        """The 1-based line of a position; positions must not go back."""
        self.line += self.text.count("\n", self._seen, at)
        self._seen = max(self._seen, at)
        return self.line

    def next(self) -> Word | str:
        """The next word, or operator as text; empty at the end. Redirections and comments are passed over."""
        while True:
            self._blanks()
            if self.at >= len(self.text):
                return ""
            char = self.text[self.at]
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
                continue
            if self.in_test and char not in "\n;":
                return self._word(_IN_TEST)
            if redirection := _REDIRECTION.match(self.text, self.at):
                self._redirection(redirection[0])
                continue
            if operator := _OPERATOR.match(self.text, self.at):
                self.at = operator.end()
                if operator[0] == "\n":
                    self._skip_heredocs()
                return operator[0]
            return self._word(_PLAIN)

    def _blanks(self) -> None:
        text = self.text
        while self.at < len(text):
            if text[self.at] in " \t":
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
                self._joined()
            else:
                return

    def _joined(self) -> None:
        """A line end was taken out; note when the next line is a comment."""
        if re.compile(r"[ \t]*#").match(self.text, self.at):
            self._comment_in_continuation(self.line_at(self.at))

    def _redirection(self, operator: str) -> None:
        self.at += len(operator)
        self._blanks()
        if self.at < len(self.text) and not _OPERATOR.match(self.text, self.at):
            start = self.at
            self._word(_PLAIN)
            if operator.lstrip("0123456789") in ("<<", "<<-"):
                delimiter = re.sub(r"[\\'\"]", "", self.text[start : self.at])
                self._heredocs.append((delimiter, operator.endswith("-")))

    def _skip_heredocs(self) -> None:
        for delimiter, tabs in self._heredocs:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = end if end >= 0 else len(self.text)
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
        self._heredocs.clear()

    def _word(self, plain: re.Pattern[str]) -> Word:
        start, line = self.at, self.line_at(self.at)
        self._start = start
        assigned = _ASSIGNMENT.match(self.text, self.at)
        if assigned:
            self.at = assigned.end()
        if assigned and self.text.startswith("(", self.at) and not self.in_test:
            self.at = self._balanced(self.at + 1, "(", ")")
            parts: list[Part] = [Hidden("(...)")]
        else:
            parts = self._parts(plain, lambda char: char in (" \t\n;" if self.in_test else " \t\n;&|()<>"))
        if self.at == start:  # Nothing fits: take the character, so that reading goes on.
            self.at += 1
            parts = [Literal(self.text[start], False)]
        word = Word(parts, line, self.line_at(self.at))
        if assigned:
            word.name, word.append = assigned[1], bool(assigned[2])
        return word

    def _parts(self, plain: re.Pattern[str], ends: Callable[[str], bool], depth: int = 0) -> list[Part]:
        """The pieces of a word up to a character that ends it."""
        parts: list[Part] = []
        text = self.text
        while self.at < len(text) and not ends(text[self.at]):
            char = text[self.at]
            if char == "\\":
                if text.startswith("\\\n", self.at):
                    self.at += 2
                    self._joined()
                else:
                    parts.append(Literal(text[self.at + 1 : self.at + 2], True))
                    self.at = min(self.at + 2, len(text))
            elif char == "'":
                parts.append(Literal(self._to_quote("'"), True))
            elif char == '"':
                parts += self._double(depth)
            elif char in "$`":
                parts.append(self._dollar(depth))
            else:
                found = plain.match(text, self.at)
                self.at = found.end() if found else self.at + 1
                parts.append(Literal(found[0] if found else char, False))
        return parts

    def _to_quote(self, quote: str) -> str:
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise self._unbalanced(quote)
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return inside

    def _double(self, depth: int) -> list[Part]:
        parts: list[Part] = [Literal("", True)]
        self.at += 1
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char == '"':
                self.at += 1
                return parts
            if char == "\\":
                following = text[self.at + 1 : self.at + 2]
                self.at += 2
                if following == "\n":
                    self._joined()
                else:
                    parts.append(Literal(following if following in '$`"\\' else "\\" + following, True))
            elif char in "$`":
                parts.append(self._dollar(depth, double=True))
            elif found := _IN_DOUBLE.match(text, self.at):
                self.at = found.end()
                parts.append(Literal(found[0], True))
        raise self._unbalanced('"')

    def _dollar(self, depth: int, *, double: bool = False) -> Part:
        text, start = self.text, self.at
        if text[start] == "`":
            return Hidden(f"`{self._to_quote('`')}`")
        if text.startswith("$(", start):
            self.at = self._balanced(start + 2, "(", ")")
            return Hidden(text[start : self.at])
        if text.startswith("${", start):
            return self._braces(depth)
        if text.startswith("$'", start) and not double:
            self.at += 1
            return Literal(self._ansi(), True)
        if text.startswith('$"', start) and not double:
            self.at += 1
            return Literal("", True)
        name = _NAME.match(text, start + 1)
        self.at = name.end() if name else start + 1
        return Reference(name[0]) if name else Literal("$", False)

    def _ansi(self) -> str:
        found = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL).match(self.text, self.at)
        if not found:
            raise self._unbalanced("'")
        self.at = found.end()
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), found[1], flags=re.DOTALL)

    def _braces(self, depth: int) -> Part:
        start = self.at
        name = _NAME.match(self.text, start + 2)
        if name and depth < _MAX_DEPTH:
            if self.text.startswith("}", name.end()):
                self.at = name.end() + 1
                return Reference(name[0])
            operation = _OPERATION.match(self.text, name.end())
            if operation:
                self.at = operation.end()
                word = self._parts(_IN_BRACES, lambda char: char == "}", depth + 1)
                if self.at >= len(self.text):
                    raise self._unbalanced("${")
                self.at += 1
                return Reference(name[0], operation[0], word)
        self.at = self._balanced(start + 2, "{", "}")
        return Hidden(name[0] if name else self.text[start : self.at])

    def _balanced(self, at: int, opener: str, closer: str) -> int:
        """The position after the closer that belongs to an opener just passed."""
        depth = 1
        pattern = re.compile(rf"[^\\'\"{opener}{closer}]+|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"|.", re.DOTALL)
        while found := pattern.match(self.text, at):
            at = found.end()
            depth += (found[0] == opener) - (found[0] == closer)
            if depth == 0:
                return at
        raise self._unbalanced(opener)
