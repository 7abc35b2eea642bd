"""The first phases of cmd.exe: percent signs, continued lines, quotation marks, carets, operators. Runs nothing.

Source: the behaviour that the Windows documentation of cmd and set describes, in the order in which cmd.exe applies it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

# cmd.exe refuses longer lines.
LINE_LIMIT = 8191

_PERCENT = re.compile(r"%%|%\*|%~[a-zA-Z]*[0-9*]|%[0-9]|%([^%:\n]+)(:[^%\n]*)?%|%")
_NAME = re.compile(r"[A-Za-z_][\w().#-]*")
_KNOWN_COMMAND = re.compile(
    r"[\s&@(]*(?:set|setlocal|call|start|echo|rem|if|for|goto|pause|cd|exit|title|cls|md|mkdir|del|copy|git|cmd|timeout"
    r"|python\S*|powershell|pushd|popd|py|pip|[^\s\"]+\.(?:bat|cmd|exe|py|ps1)|\"[^\"]+\"|%)(?![\w-])",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?:@?\s*rem\b|::|#)", re.IGNORECASE)
_STATEMENT = re.compile(r"\s*@?(?:(?:call|set|start|echo|goto)\s|(?:pause|exit|cls|setlocal)\b|:\w)", re.IGNORECASE)
# Stand for the value of a variable that is not known; see Unknowns.
_MARKS = re.compile("[\U00100000-\U0010fffd]")


@dataclass
class Command:
    """One command with its quotation marks, carets resolved. ``fails_over``: it runs only when the one before fails.

    ``notes`` are (kind of problem, line) that matter when the command sets a variable.
    """

    text: str
    line: int
    last_line: int
    piped: bool = False
    fails_over: bool = False
    notes: list[tuple[str, int]] = field(default_factory=list)


class Unknowns:
    """Variables of unknown value: each is carried through the parser as one private character."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._marks: dict[str, str] = {}

    def mark(self, name: str) -> str:
        """The character that stands for this variable."""
        if name not in self._marks and len(self._marks) < 0xFFFD:
            self._marks[name] = chr(0x100000 + len(self._marks))
            self._names[self._marks[name]] = name
        return self._marks.get(name, "")

    def resolve(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The text without the marks, and the names they stood for."""
        found = dict.fromkeys(self._names[c] for c in _MARKS.findall(text) if c in self._names)
        return _MARKS.sub("", text), tuple(found)


def clean(text: str) -> str:
    """The text without characters that this module uses for itself."""
    return _MARKS.sub("\ufffd", text)


def expand(line: str, value_of: Callable[[str], str]) -> tuple[str, bool]:
    """The line after cmd.exe's percent phase, and whether it lost a percent sign that was meant literally.

    ``value_of`` gives a variable's value, or the mark of an unknown one. The result is bounded by LINE_LIMIT.
    """
    lost = False
    room = LINE_LIMIT
    argument_end = -1

    def replace(match: re.Match[str]) -> str:
        nonlocal lost, room, argument_end
        whole, name = match[0], match[1]
        if whole == "%%":
            return "%"
        if (whole == "%" and match.start() != argument_end) or (name and not _NAME.fullmatch(name)):
            lost = True  # The % in %~dp0% is a common slip without effect.
        if not name:
            argument_end = match.end()
        if whole == "%":
            return ""
        value = value_of(name if name and not match[2] else whole.strip("%") if name else whole)
        room -= len(value)
        return value if room >= 0 else ""

    return _PERCENT.sub(replace, line), lost


class Source:
    """The characters of a batch file; a line is expanded when it is read."""

    def __init__(self, lines: list[str], value_of: Callable[[str], str]) -> None:
        self.lines = lines
        self.row = 0
        self.lost: set[int] = set()
        self._value_of = value_of
        self.text = ""
        self.at = 0

    def load(self) -> bool:
        """Read the next line; False at the end of the file."""
        if self.row >= len(self.lines):
            self.text, self.at = "", 0
            return False
        self.text, lost = expand(self.lines[self.row], self._value_of)
        self.text += "\n"
        self.at = 0
        self.row += 1
        if lost:
            self.lost.add(self.row)
        return True

    def peek(self) -> str:
        """The next character, empty at the end of the file."""
        return self.text[self.at : self.at + 1]

    def get(self) -> str:
        """Take the next character."""
        char = self.peek()
        self.at += 1
        return char

    def skip(self, chars: str) -> None:
        """Pass over any of these."""
        while self.peek() and self.peek() in chars:
            self.at += 1

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take what the pattern matches here."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def skip_line(self) -> None:
        """Go to the end of the line."""
        self.at = max(self.at, len(self.text) - 1)

    def slip_in_next_line(self) -> str:
        """The kind of problem where the line that a caret joins was hardly meant to be joined; else empty."""
        line = self.lines[self.row] if self.row < len(self.lines) else ""
        if _COMMENT.match(line):
            return "comment-in-continuation"
        return "command-in-continuation" if _STATEMENT.match(line) else ""


def known_command(text: str) -> bool:
    """Whether a text after & reads like a command rather than the rest of a value."""
    return bool(_KNOWN_COMMAND.match(text)) or not text.strip() or bool(_MARKS.match(text.lstrip()))


class CommandText:
    """Reads one simple command from the source, up to an operator or the end of its line."""

    def __init__(self, source: Source, depth: int) -> None:
        self.source = source
        self.depth = depth
        self.out: list[str] = []
        self.notes: list[tuple[str, int]] = []

    def read(self) -> Command:
        """The command; the operator that ends it is left in the source."""
        source, first = self.source, self.source.row
        quoted = False
        while (char := source.peek()) and char != "\n":
            if char == '"':
                quoted = not quoted
            elif not quoted and char == "^":
                if not self._caret():
                    break
                continue
            elif not quoted and char in "<>":
                self._redirection()
                continue
            elif not quoted and (char in "&|" or (char == ")" and self.depth)):
                self._ended(char)
                break
            self.out.append(char)
            source.at += 1
        text = "".join(self.out)
        if quoted and text.rstrip().endswith("^"):
            self.notes.append(("caret-in-quotes", source.row))
        self.notes += [("special-character", row) for row in range(first, source.row + 1) if row in source.lost]
        return Command(text, first, source.row, notes=self.notes)

    def _caret(self) -> bool:
        """Resolve a caret: the next character is plain, and a line's end is left out. False at the end of the file."""
        source = self.source
        source.at += 1
        char = source.get()
        if char == "\n":
            if not self._next_line():
                return False
            char = source.get()
            if char == "\n":  # An empty line after a caret puts a line end into the value, and reading goes on.
                self.out.append(char)
                return self._next_line()
        elif char and char in " \t" and not source.text[source.at :].strip():
            self.notes.append(("caret-then-blank", source.row))
        elif char and char not in '&|<>()^"%!':
            self.notes.append(("special-character", source.row))
        self.out.append(char)
        return bool(char)

    def _next_line(self) -> bool:
        slip = self.source.slip_in_next_line()
        if slip:
            self.notes.append((slip, self.source.row + 1))
        return self.source.load()

    def _redirection(self) -> None:
        """Leave out a redirection with its file name and the handle number before it."""
        if self.out and self.out[-1].isdigit() and (len(self.out) == 1 or self.out[-2] in " \t"):
            self.out.pop()
        self.source.skip("<>&")
        self.source.skip(" \t")
        quoted, start = False, self.source.at
        while (char := self.source.peek()) and char != "\n" and (quoted or char not in " \t&|<>)"):
            quoted ^= char == '"'
            self.source.at += 1
        if self.source.text[start : self.source.at].lower() not in ("nul", "1", "2"):
            self.notes.append(("special-character", self.source.row))

    def _ended(self, char: str) -> None:
        rest = self.source.text[self.source.at :].lstrip("&|")
        if char == "&" and not known_command(rest):
            self.notes.append(("ampersand", self.source.row))
        elif char == "|" and not self.source.text.startswith("||", self.source.at):
            self.notes.append(("special-character", self.source.row))
