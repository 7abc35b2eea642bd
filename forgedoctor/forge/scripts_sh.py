"""What a shell script makes of the variables when bash runs or sources it. Nothing is run here.

Conditions that only the machine can answer leave both ways open: what is set there is conditional.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import msgspec

from forgedoctor.forge.scripts_model import ARGS, HELPERS, SH, SHELL_ONLY, STARTERS, WRITTEN_FOR, Launch, Record
from forgedoctor.forge.scripts_sh_flow import HEADS, Flow
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


def run_sh(text: str, variables: Mapping[str, str], exported: set[str], *, known: bool) -> Record:
    """Follow a shell script from its first line.

    ``variables`` are those at its start, ``exported`` the names of those in the environment; with ``known`` there are
    no others, so that a condition on another one can be decided.
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


class _Shell:
    def __init__(self, text: str, record: Record, known: bool) -> None:
        self.record = record
        self.lexer = Lexer(text, self._comment)
        self.setter = Setter(record, known)
        self.flow = Flow(record)
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
            name = ARGS if f"{ARGS}=" in self.record.raw(error.line, error.line) else ""
            self.record.problem("unbalanced-quote", error.line, detail, name)
            return False
        frame = self.flow.entered
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
                if self.flow.function and token.plain() == "{":
                    words = []
                if not words and self.flow.reserved(token):
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
                self.flow.operator(token, self.lexer.line)
                if token == "\n" and not self.flow.entered:
                    self.finished = self.lexer.at
                if not token:
                    return

    def _function(self) -> bool:
        """Whether ``name (`` goes on as a function; its body runs when it is called, which is not followed."""
        found = re.compile(r"[ \t]*\)").match(self.lexer.text, self.lexer.at)
        if found:
            self.lexer.at = found.end()
            self.flow.function = True
        return bool(found)

    def _simple(self, words: list[Word], ended_by: str) -> None:
        """Carry out one simple command."""
        flow = self.flow
        negated, flow.negated = flow.negated, False
        if not words:
            return
        runs = flow.verdict()
        piped = flow.connector in ("|", "|&") or ended_by in ("|", "|&", "&")
        self.setter.begin(words, conditional=runs is None, apart=piped, ended_by=ended_by)
        pattern = ended_by == ")" and bool(flow.frames) and flow.frames[-1].kind == "case"
        if runs is False or pattern or words[0].plain() in HEADS:
            return
        status = self._command(words)
        flow.status = None if piped or status is None else status is not negated

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
                    arguments=shlex.join(arguments),
                    text=record.raw(line, words[-1].last_line),
                    line=line,
                    starts=program in STARTERS,
                    conditional=setter.conditional,
                    expanded=setter.hidden_in(words),
                )
            )
            self.ended = self.ended or (name == "exec" and not setter.conditional)
