"""The grammar of cmd.exe as far as launcher files need it: lines in, commands and branches out. Runs nothing.

A block in parentheses is read whole before any of it runs, so %NAME% inside it has the value from before the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from forgedoctor.forge.scripts_bat_text import Command, CommandText, Source

MAX_DEPTH = 40
# Bounds for hostile files: a longer block counts as never closed, and each of those costs a second reading.
_MAX_BLOCK_LINES = 2000
_MAX_UNCLOSED = 5

_ELSE = re.compile(r"else(?=[\s(])", re.IGNORECASE)
_DO = re.compile(r"\s*do(?=[\s(])", re.IGNORECASE)
_EQUALS = re.compile("==")
_WORD = re.compile(r"[^\s\"&|<>()^,;=:/\\]*")


@dataclass
class Branch:
    """An if, with its condition as words, or a for (no words)."""

    condition: tuple[str, ...]
    then: list[Node]
    other: list[Node]


Node = Command | Branch


class _Unclosed(Exception):
    """The file ended inside a block."""


class Parser:
    """Reads statements. ``unclosed`` holds the lines of statements whose block has no closing parenthesis."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.unclosed: list[int] = []
        self._flat = False

    def statement(self) -> list[Node]:
        """What the line at hand makes cmd.exe do; it reads on where the line opens a block or is continued.

        A block that never ends is taken as text, so that the lines after it are still seen.
        """
        source = self.source
        start = (source.row, source.at, source.text)
        try:
            return self._sequence(0)
        except _Unclosed:
            source.row, source.at, source.text = start
        self.unclosed.append(source.row)
        self._flat = True
        nodes = self._sequence(0)
        self._flat = len(self.unclosed) >= _MAX_UNCLOSED
        return nodes

    def _may_nest(self, depth: int) -> bool:
        return depth < MAX_DEPTH and not self._flat

    def _sequence(self, depth: int) -> list[Node]:
        """Commands joined by operators, up to the end of the line or of the block."""
        nodes: list[Node] = []
        operator = ""
        while True:
            found = self._command(depth)
            self.source.skip(" \t")
            before, operator = operator, ""
            while self.source.peek() and self.source.peek() in "&|":
                operator += self.source.get()
            for node in found:
                if isinstance(node, Command):
                    node.piped = node.piped or "|" in (before, operator)
                    node.fails_over = node.fails_over or before == "||"
            nodes += found
            if not operator:
                return nodes

    def _command(self, depth: int) -> list[Node]:
        source = self.source
        source.skip(" \t,;=@")
        nested = self._may_nest(depth)
        if source.peek() == "(" and nested:
            return self._block(depth + 1)
        if source.peek() == ":":
            self._swallow(whole=True)
            return []
        found = _WORD.match(source.text, source.at)
        word = found[0].lower() if found else ""
        if word == "rem":
            source.at += 3
            self._swallow(whole=False)
            return []
        if word in ("if", "for") and depth < MAX_DEPTH:
            start = source.at
            source.at += len(word)
            node = self._if(depth) if word == "if" else self._for(depth)
            if node:
                return [node]
            source.at = start
        return [CommandText(source, depth).read()]

    def _swallow(self, *, whole: bool) -> None:
        """Pass over a label's line or a rem. A caret at the very end takes the next line too: after a rem only when
        it belongs to the first word."""
        source = self.source
        while True:
            text = source.text[source.at :].rstrip("\n")
            carets = len(text) - len(text.rstrip("^"))
            source.skip_line()
            if carets % 2 == 0 or not (whole or len(text.split()) == 1) or not source.load():
                return

    def _block(self, depth: int) -> list[Node]:
        source = self.source
        source.at += 1
        last = source.row + _MAX_BLOCK_LINES
        nodes: list[Node] = []
        while True:
            source.skip(" \t")
            char = source.peek()
            if char == ")":
                source.at += 1
                return nodes
            if char in ("\n", ""):
                if source.row > last or not source.load():
                    raise _Unclosed
            else:
                nodes += self._sequence(depth)

    def _body(self, depth: int) -> list[Node]:
        """What an if, else or for runs: a block, or the rest of the line."""
        self.source.skip(" \t")
        if self.source.peek() == "(" and self._may_nest(depth):
            return self._block(depth + 1)
        return self._sequence(depth + 1)

    def _if(self, depth: int) -> Branch | None:
        """An if whose first word is behind us; None when its condition is none."""
        words = self._condition()
        if not words:
            return None
        then = self._body(depth)
        self.source.skip(" \t")
        return Branch(words, then, self._body(depth) if self.source.match(_ELSE) else [])

    def _condition(self) -> tuple[str, ...]:
        words = [self._operand()]
        while words[-1].lower() in ("/i", "not"):
            words.append(self._operand())
        if words[-1].lower() in ("exist", "defined", "errorlevel", "cmdextversion"):
            return (*words, self._operand())
        self.source.skip(" \t")
        if self.source.match(_EQUALS):
            words.append("==")
        else:
            words.append(self._operand().lower())
            if words[-1] not in ("equ", "neq", "lss", "leq", "gtr", "geq"):
                return ()
        return (*words, self._operand())

    def _operand(self) -> str:
        """A word of a condition; quotation marks keep blanks together and stay."""
        source, quoted, out = self.source, False, ""
        source.skip(" \t")
        while (char := source.peek()) and char != "\n":
            if not quoted and (char in " \t&|<>" or source.text.startswith("==", source.at)):
                break
            quoted ^= char == '"'
            source.at += 1
            if char != "^" or quoted:
                out += char
        return out

    def _for(self, depth: int) -> Branch | None:
        """A for whose first word is behind us: its list is passed over."""
        source, quoted, inside = self.source, False, 0
        while (char := source.peek()) and char != "\n":
            source.at += 1
            quoted ^= char == '"'
            if not quoted and char in "()":
                inside += 1 if char == "(" else -1
                if inside <= 0:
                    break
        if not source.match(_DO):
            return None
        return Branch((), self._body(depth), [])
