"""What a batch file makes of the variables when cmd.exe runs it. Nothing is run here.

Conditions that only the machine can answer (exist, errorlevel) leave both ways open: what is set there is conditional.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping

from forgedoctor.forge.scripts_bat_parse import Node, Parser
from forgedoctor.forge.scripts_bat_set import SetCommand
from forgedoctor.forge.scripts_bat_text import LINE_LIMIT, Command, Source, Unknowns, clean, expand
from forgedoctor.forge.scripts_model import BAT, CALLED, HELPERS, STARTERS, WRITTEN_FOR, Launch, Record
from forgedoctor.forge.scripts_value import FLAG, foreign_to_bat

_LABEL = re.compile(r"[\s,;=]*:\s*([^\s:+,;=&|<>]+)")
_FIRST = re.compile(r'\s*("[^"]*"[^\s=,;]*|[^\s=,;"(]+|\S)(.*)', re.DOTALL)
_DELAYED = re.compile(r"!([^!:\n]+)!")
_LOOP_VARIABLE = re.compile(r"%(?:~[a-z]*)?[A-Za-z]")
_PROGRAM = re.compile(r"""(?:^|[\s"\\/])(webui\.py|launch\.py)(?=["\s]|$)"?\s*(.*)""", re.IGNORECASE | re.DOTALL)
# Words that take a file's name without running it.
_NO_LAUNCH = frozenset(
    {"echo", "title", "dir", "type", "copy", "xcopy", "del", "erase", "move", "ren", "cd", "chdir", "pushd", "git"}
    | {"find", "findstr", "notepad"}
)
_DYNAMIC = frozenset({"ERRORLEVEL", "CD", "DATE", "TIME", "RANDOM", "CMDCMDLINE", "CMDEXTVERSION"})
# Bounds for hostile files; real launchers stay far below.
_MAX_SCOPES, _MAX_CALLS = 200, 8


def run_bat(text: str, name: str, variables: Mapping[str, str], *, known: bool) -> Record:
    """Follow a batch file from its first line; its lines end in a line feed alone.

    ``variables`` are those at its start; with ``known`` there are no others, so that a condition on another one can be
    decided. ``name`` tells a file that others call, whose end undoes what a setlocal in it covers.
    """
    own = name.replace("/", "\\").rsplit("\\", 1)[-1].lower()
    record = Record(BAT, text.split("\n"), {key.upper(): value for key, value in variables.items()})
    machine = _Machine(record, own, known)
    machine.run(0)
    while own in CALLED and machine.scopes:
        machine.endlocal(len(record.lines))
    for key, value in record.variables.items():
        record.variables[key] = machine.unknowns.resolve(value)[0]
    for line in machine.parser.unclosed:
        if re.match(r"\W*(if|for)\b", record.lines[line - 1], re.IGNORECASE):
            record.problem("unclosed-block", line, "The ( that opens a block here is never closed.")
    return record


class _Machine:
    def __init__(self, record: Record, own: str, known: bool) -> None:
        self.record = record
        self.own = own
        self.known = known
        self.env = record.variables
        self.unknowns = Unknowns()
        lines = [clean(line) for line in record.lines]
        self.source = Source(lines, self.value_of)
        self.parser = Parser(self.source)
        self.scopes: list[tuple[dict[str, str], tuple[int, int], bool]] = []
        self.scopes_opened = 0
        self.delayed = False
        self.labels: dict[str, list[int]] = {}
        for row, line in enumerate(lines):
            if found := _LABEL.match(line):
                self.labels.setdefault(found[1].lower(), []).append(row)
        self.pending: set[str] = set()
        self.calls = 0
        self.budget = 4 * sum(map(len, lines)) + 4 * len(lines) + 1000
        self.room = 4_000_000

    # -- control flow

    def run(self, row: int) -> None:
        """Execute statements from this row to the end of the file or subroutine."""
        self.source.row = row
        while self.source.row < len(self.source.lines) and self.budget > 0:
            start = self.source.row
            self.pending.discard(self.label_at(start))
            self.source.load()
            nodes = self.parser.statement()
            self.budget -= 1 + sum(map(len, self.source.lines[start : self.source.row]))
            if self.execute(nodes, conditional=bool(self.pending)) and not self.skip():
                return

    def label_at(self, row: int) -> str:
        """The label that this row holds, empty where none."""
        found = _LABEL.match(self.source.lines[row])
        return found[1].lower() if found else ""

    def ahead(self, label: str) -> bool:
        """Whether a goto to this label goes forward."""
        rows = self.labels.get(label, [])
        return bisect.bisect_left(rows, self.source.row) < len(rows)

    def skip(self) -> bool:
        """After a certain goto or exit: go to the next label that some goto may reach; False where there is none."""
        while self.source.row < len(self.source.lines):
            if self.label_at(self.source.row) in self.pending:
                return True
            self.source.row += 1
        return False

    def execute(self, nodes: list[Node], *, conditional: bool, loop: bool = False) -> bool:
        """Execute commands; True where the lines after them are certainly not reached from here."""
        for node in nodes:
            if isinstance(node, Command):
                if self.command(node, node.text, conditional or node.fails_over, loop) and not conditional:
                    return True
                continue
            truth = self.truth(node.condition)
            unsure = conditional or truth is None
            if truth is not False:
                ended = self.execute(node.then, conditional=unsure, loop=loop or not node.condition)
                if ended and truth:
                    return True
            if truth is not True and self.execute(node.other, conditional=unsure, loop=loop) and truth is False:
                return True
        return False

    def truth(self, condition: tuple[str, ...]) -> bool | None:
        """Whether a condition holds; None where that cannot be known."""
        words = [word for word in condition if word.lower() not in ("/i", "not")]
        negated = sum(word.lower() == "not" for word in condition[:-1]) % 2 == 1
        ignore_case = any(word.lower() == "/i" for word in condition)
        result: bool | None = None
        if len(words) == 2 and words[0].lower() == "defined":
            name = self.unknowns.resolve(words[1])[0].upper()
            if name in self.env:
                plain, hidden = self.unknowns.resolve(self.env[name])
                result = True if plain else None if hidden else False
            elif self.known and name not in _DYNAMIC:
                result = False
        elif len(words) == 3 and words[1] in ("==", "equ", "neq"):
            (left, hidden_left), (right, hidden_right) = map(self.unknowns.resolve, (words[0], words[2]))
            if ignore_case:
                left, right = left.lower(), right.lower()
            if not hidden_left and not hidden_right:
                result = (left == right) is (words[1] != "neq")
        return result if result is None else result is not negated

    # -- variables

    def value_of(self, name: str) -> str:
        """The value for the percent phase, or a mark for one that is not known."""
        plain = name.partition(":")[0]
        key = plain.upper()
        if plain == name and key in self.env:
            value = self.env[key][:LINE_LIMIT]
            self.room -= len(value)
            return value if self.room > 0 else ""
        if self.known and plain == name and key not in _DYNAMIC and re.fullmatch(r"[A-Za-z_].*", name, re.DOTALL):
            return ""
        return self.unknowns.mark(plain)

    def command(self, node: Command, text: str, conditional: bool, loop: bool) -> bool:
        """Execute one command; True where it ends this run of lines (goto, exit)."""
        found = _FIRST.match(text.lstrip(" \t,;=@("))
        if not found:
            return False
        word, tail = found[1], found[2]
        lower = self.unknowns.resolve(word)[0].lower()
        if lower == "set":
            SetCommand(self.record, self.unknowns, node, conditional).execute(self.late(tail, loop))
        elif lower == "setlocal":
            self.setlocal(tail)
        elif lower == "endlocal":
            self.endlocal(node.line)
        elif lower in ("goto", "exit"):
            return lower == "exit" or self.goto(tail, conditional)
        elif lower == "call":
            self.call(node, tail, conditional, loop)
        else:
            self.other(node, text, word, tail, conditional)
            # A batch file run without call does not come back. Its own name is a heading in a pasted text.
            program = base_name(word)
            return program.endswith((".bat", ".cmd")) and program != self.own and not node.piped
        return False

    def late(self, text: str, loop: bool) -> str:
        """The text after the phases that follow parsing: the variables of a for, and delayed expansion."""
        if loop:
            text = _LOOP_VARIABLE.sub(lambda match: self.unknowns.mark(match[0]), text)
        return _DELAYED.sub(lambda match: self.value_of(match[1]), text) if self.delayed else text

    def goto(self, tail: str, conditional: bool) -> bool:
        label = tail.strip().lstrip(":").split(" ")[0].lower()
        if label != "eof" and self.ahead(label):
            self.pending.add(label)
        return True

    def call(self, node: Command, tail: str, conditional: bool, loop: bool) -> None:
        target = tail.lstrip()
        if not target.startswith(":"):
            # call expands its words once more, which is why people double the percent signs there.
            self.command(node, expand(target, self.value_of)[0], conditional, loop)
            return
        label = target[1:].split(" ")[0].lower()
        if label in self.labels and self.calls < _MAX_CALLS:
            row, pending = self.source.row, self.pending
            self.pending = set()
            self.calls += 1
            self.run(self.labels[label][0])
            self.calls -= 1
            self.source.row, self.pending = row, pending

    def setlocal(self, tail: str) -> None:
        self.scopes_opened += 1
        if self.scopes_opened <= _MAX_SCOPES:
            self.scopes.append((dict(self.env), self.record.mark(), self.delayed))
        self.delayed = "enabledelayedexpansion" in tail.lower() or self.delayed

    def endlocal(self, line: int) -> None:
        """Undo what was set since the last setlocal, unless Forge was started meanwhile."""
        if not self.scopes:
            return
        env, mark, self.delayed = self.scopes.pop()
        self.env.clear()
        self.env.update(env)
        for dropped in self.record.forget_since(mark):
            detail = f"{dropped.name} is undone in line {line}, where the scope of setlocal ends."
            self.record.problem("undone-by-endlocal", dropped.line, detail, dropped.name)

    # -- what is neither set nor control flow

    def other(self, node: Command, text: str, word: str, tail: str, conditional: bool) -> None:
        plain, hidden = self.unknowns.resolve(text.lstrip(" \t@("))
        if kind := foreign_to_bat(plain):
            detail = f"This line is written for {WRITTEN_FOR[kind]}; cmd.exe cannot run it."
            self.record.problem(kind, node.line, detail)
        elif FLAG.match(plain):
            detail = "cmd.exe takes this line as a command of its own, named by its first flag."
            self.record.problem("flags-on-own-line", node.line, detail)
        name = base_name(word)
        if name in ("start", "cmd"):
            tail = re.sub(r'^\s*(?:"[^"]*"\s*)?(?:/\w+\s*)*', "", tail)
            first = _FIRST.match(tail)
            if first:
                self.other(node, tail, first[1], first[2], conditional)
            return
        if name in _NO_LAUNCH or name == self.own:
            return
        if name not in STARTERS | HELPERS:
            found = _PROGRAM.search(plain)
            if not found:
                return
            name, tail = found[1].lower(), found[2]
        arguments, _ = self.unknowns.resolve(tail)
        self.record.launches.append(
            Launch(
                program=name,
                arguments=arguments.strip(),
                text=self.record.raw(node.line, node.last_line),
                line=node.line,
                starts=name in STARTERS,
                conditional=conditional,
                expanded=hidden,
            )
        )


def base_name(word: str) -> str:
    """The file name in a command's first word, in lower case."""
    return word.strip('"').replace("/", "\\").rsplit("\\", 1)[-1].lower()
