"""What a shell script makes of the variables when bash runs or sources it. Nothing is run here.

Conditions that only the machine can answer leave both ways open: what is set there is conditional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from forgedoctor.forge.scripts_model import HELPERS, SH, SHELL_ONLY, STARTERS, WRITTEN_FOR, Launch, Record
from forgedoctor.forge.scripts_sh_set import Setter, base_name
from forgedoctor.forge.scripts_sh_text import Lexer, Unbalanced, Word
from forgedoctor.forge.scripts_value import FLAG, foreign_to_sh

_DECLARE = frozenset({"export", "declare", "typeset", "readonly", "local"})
_TESTS = frozenset({"[", "[[", "test"})
# First words of a command that starts the program named later on its line; unknown ones count, being empty.
_RUNNERS = re.compile(
    r"(?:|bash|sh|zsh|source|\.|exec|nohup|sudo|env|time|nice|setsid|numactl|taskset|conda|uv|accelerate|python[\d.]*)"
)
_NO_LAUNCH = frozenset({"chmod", "chown", "cp", "mv", "rm", "ls", "cat", "nano", "vim", "vi", "touch", "sed", "grep"})
_OPENERS = frozenset({"if", "while", "until", "for", "select", "case", "{"})
_CLOSERS = {"fi": ("if",), "done": ("for", "while", "until", "select"), "esac": ("case",), "}": ("{",)}
_MAX_FRAMES, _MAX_SUBSHELLS = 200, 500


def run_sh(text: str, variables: Mapping[str, str], exported: set[str], *, known: bool) -> Record:
    """Follow a shell script from its first line.

    ``variables`` are those at its start, ``exported`` the names of those in the environment; with ``known`` there are no
    others, so that a condition on another one can be decided.
    """
    lines = text.split("\n")
    record = Record(SH, lines, dict(variables), set(exported))
    shell = _Shell(text, record, known)
    if not shell.run():
        # bash reads a line or construct whole before it runs any of it: follow again what stands before the broken one.
        problems = record.problems
        record = Record(SH, lines, dict(variables), set(exported))
        _Shell(text[: shell.finished], record, known).run()
        record.problems = problems
    _export_state(record)
    return record


def _export_state(record: Record) -> None:
    """Say for each assignment whether the variable is exported in the end, and note what Python would not see."""
    last: dict[str, int] = {}
    for index, found in enumerate(record.assignments):
        if not found.exported and found.name in record.exported:
            record.assignments[index] = msgspec.structs.replace(found, exported=True)
        elif not found.exported and found.name not in SHELL_ONLY and not found.removed:
            last[found.name] = index
    for name, index in last.items():
        detail = f"{name} is a variable of the shell only; with export before it Python sees it."
        record.problem("not-exported", record.assignments[index].line, detail, name)


@dataclass
class _Frame:
    """A construct that is open since a line.

    ``branch``: whether what is read now runs (None: not known). ``taken``: whether an earlier branch of the same if ran.
    ``entered``: its then or do was seen. ``saved``: the variables to go back to at its end.
    """

    kind: str
    branch: bool | None
    line: int
    taken: bool | None = False
    entered: bool = False
    saved: tuple[dict[str, str], set[str], tuple[int, int]] | None = None


class _Shell:
    def __init__(self, text: str, record: Record, known: bool) -> None:
        self.record = record
        self.lexer = Lexer(text, self._comment)
        self.setter = Setter(record, known)
        self.frames: list[_Frame] = []
        self.subshells = 0
        self.status: bool | None = True
        self.connector = ""
        self.negated = False
        self.function = False
        self.ended = False
        self.finished = 0

    def _comment(self, line: int) -> None:
        self.setter.commented.append(line)

    def run(self) -> bool:
        """Read commands and carry out each as it is complete; False where the script ends inside one."""
        try:
            self._read()
        except Unbalanced as error:
            detail = f"The {error.opener} that opens here has no partner; bash runs nothing from this command on."
            self.record.problem("unbalanced-quote", error.line, detail)
            return False
        frame = next((frame for frame in self.frames if frame.entered), None)
        if frame and not self.ended:
            detail = f"What {frame.kind} opens here is never closed; bash runs nothing from here on."
            self.record.problem("unclosed-block", frame.line, detail)
            return False
        return True

    def _read(self) -> None:
        words: list[Word] = []
        while not self.ended:
            token = self.lexer.next()
            if isinstance(token, Word):
                if self.function and token.plain() == "{":
                    words = []
                if not words and self._reserved(token):
                    continue
                words.append(token)
                if words[0].plain() == "[[":
                    self.lexer.in_test = token.plain() != "]]"
            elif token == "\n" and self.lexer.in_test:
                continue
            elif token == "(" and len(words) == 1 and self._function():
                words = []
            else:
                self.lexer.in_test = False
                self._simple(words, token)
                words = []
                self._operator(token)
                if token == "\n" and not self.frames:
                    self.finished = self.lexer.at
                if not token:
                    return

    def _function(self) -> bool:
        """Whether ``name (`` goes on as a function; its body runs when it is called, which is not followed."""
        found = re.compile(r"[ \t]*\)").match(self.lexer.text, self.lexer.at)
        if found:
            self.lexer.at = found.end()
            self.function = True
        return bool(found)

    # -- constructs

    def _reserved(self, word: Word) -> bool:
        """Open, turn or close a construct at a reserved word; False for any other word."""
        text = word.plain()
        if text == "!":
            self.negated = not self.negated
        elif text in _OPENERS:
            self._open(text, word.line)
            # The words after for and case are no command.
            return text not in ("for", "select", "case")
        elif text == "then":
            self._then()
        elif text in ("elif", "else") and self.frames:
            frame = self.frames[-1]
            frame.branch = None if frame.taken is None else not frame.taken
        elif text in _CLOSERS:
            self._close(_CLOSERS[text])
        elif text == "function":
            self.function = True
        elif text == "do" and self.frames and self.frames[-1].kind in ("for", "while", "until", "select"):
            self._do()
        else:
            return False
        if text in ("then", "elif", "else"):
            self.connector = ""
        return True

    def _open(self, text: str, line: int) -> None:
        branch = self._runs()
        if text == "case" and branch:
            branch = None
        frame = _Frame(text, branch, line, entered=text == "{")
        if self.function and text == "{":  # Its body runs when it is called, which is not followed.
            self.function = False
            frame.branch, frame.saved = None, self._state()
        if len(self.frames) < _MAX_FRAMES:
            self.frames.append(frame)
        self.connector = ""

    def _state(self) -> tuple[dict[str, str], set[str], tuple[int, int]] | None:
        self.subshells += 1
        if self.subshells > _MAX_SUBSHELLS:
            return None
        return dict(self.record.variables), set(self.record.exported), self.record.mark()

    def _restore(self, frame: _Frame) -> None:
        if frame.saved:
            variables, exported, mark = frame.saved
            self.record.variables.clear()
            self.record.variables.update(variables)
            self.record.exported.clear()
            self.record.exported.update(exported)
            if frame.kind == "(":
                self.record.forget_since(mark)

    def _do(self) -> None:
        frame = self.frames[-1]
        frame.entered = True
        frame.branch = None if frame.branch else frame.branch
        self.connector = ""

    def _then(self) -> None:
        if not self.frames or self.frames[-1].kind != "if":
            return
        frame = self.frames[-1]
        frame.entered = True
        if frame.branch is not False:
            holds = self.status
            frame.branch = holds if frame.branch or holds is False else None
            if frame.taken is not None:
                frame.taken = True if frame.branch else None if frame.branch is None else frame.taken

    def _close(self, kinds: tuple[str, ...]) -> None:
        if self.frames and self.frames[-1].kind in kinds:
            self._restore(self.frames.pop())
            self.status = None
        self.connector = ""

    def _operator(self, token: str) -> None:
        """What an operator between commands does to those that follow."""
        if token in ("&&", "||", "|", "|&"):
            self.connector = token
            return
        self.connector = ""
        if token == "(" and len(self.frames) < _MAX_FRAMES:
            self.frames.append(_Frame("(", True, self.lexer.line, entered=True, saved=self._state()))
        elif token == ")" and self.frames and self.frames[-1].kind == "(":
            self._restore(self.frames.pop())

    def _runs(self) -> bool | None:
        """Whether a command runs that follows the operator at hand."""
        if self.connector == "&&":
            return self.status
        if self.connector == "||":
            return None if self.status is None else not self.status
        return True

    # -- commands

    def _simple(self, words: list[Word], ended_by: str) -> None:
        """Carry out one simple command."""
        if not words:
            self.negated = False
            return
        runs = self._runs()
        branches = [frame.branch for frame in self.frames]
        piped = self.connector in ("|", "|&") or ended_by in ("|", "|&", "&")
        self.setter.begin(words, conditional=runs is None or None in branches, apart=piped, ended_by=ended_by)
        pattern = ended_by == ")" and bool(self.frames) and self.frames[-1].kind == "case"
        if runs is False or False in branches or pattern or words[0].plain() in ("for", "select", "case"):
            self.negated = False
            return
        status = self._command(words)
        self.status = (not status if self.negated and status is not None else status) if not piped else None
        self.negated = False

    def _command(self, words: list[Word]) -> bool | None:
        """Carry out a command that runs; its status where it is known."""
        setter = self.setter
        count = next((index for index, word in enumerate(words) if not word.name), len(words))
        prefix, rest = words[:count], [word for word in words[count:] if not setter.vanishes(word)]
        if not rest:
            for word in prefix:
                setter.assign(word)
            return True
        name = setter.text(rest[0])
        if name == "env":
            prefix = prefix + [word for word in rest if word.name]
        if prefix:
            self._prefixed(prefix, rest)
        if name in _DECLARE:
            return setter.declare(name, rest[1:])
        if name in _TESTS:
            return setter.test(rest[1:])
        if name in ("true", ":", "unset", "set"):
            setter.builtin(name, rest[1:])
            return True
        if name in ("exit", "return") and not setter.conditional:
            self.ended = True
        self._program(name, rest)
        return False if name == "false" else None

    def _prefixed(self, prefix: list[Word], rest: list[Word]) -> None:
        """NAME=value before a command holds for that command alone."""
        launched = self._launched(rest)
        for word in prefix:
            if launched:
                self.setter.assign(word, exported=True)
            else:
                self.setter.lost(word, rest[0])

    def _launched(self, words: list[Word]) -> tuple[str, list[str]] | None:
        """The program that matters among a command's words, with its arguments."""
        texts = [self.setter.text(word) for word in words]
        for index, text in enumerate(texts[:12]):
            if base_name(text) in STARTERS | HELPERS:
                return base_name(text), [item for item in texts[index + 1 :] if item]
            if base_name(text) in _NO_LAUNCH or (index == 0 and not _RUNNERS.fullmatch(base_name(text))):
                return None
        return None

    def _program(self, name: str, words: list[Word]) -> None:
        line, record, setter = words[0].line, self.record, self.setter
        plain = record.raw(line, line).lstrip()
        if kind := foreign_to_sh(plain):
            record.problem(kind, line, f"This line is written for {WRITTEN_FOR[kind]}; the shell cannot run it.")
        elif FLAG.match(name) and FLAG.match(plain) and not setter.apart:
            record.problem("flags-on-own-line", line, "The shell takes this line as a command named by its first flag.")
        setter.misspelt_command(words)
        launched = self._launched(words)
        if launched:
            program, arguments = launched
            record.launches.append(
                Launch(
                    program=program,
                    arguments=setter.quoted(arguments),
                    text=record.raw(line, words[-1].last_line),
                    line=line,
                    starts=program in STARTERS,
                    conditional=setter.conditional,
                    expanded=setter.hidden_in(words),
                )
            )
            self.ended = self.ended or (name == "exec" and not setter.conditional)
