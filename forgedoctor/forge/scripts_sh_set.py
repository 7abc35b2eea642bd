"""How a shell script sets variables: assignments, export, defaults, and what goes wrong there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forgedoctor.forge.scripts_model import ARGS, PROBLEM_KINDS, SH, Assignment, Record, watched_name
from forgedoctor.forge.scripts_sh_flow import holds
from forgedoctor.forge.scripts_sh_text import Hidden, Literal, Part, Reference, Word
from forgedoctor.forge.scripts_value import FLAG, foreign_to_sh, misspelt, typographic, value_problems

# Linux refuses a longer string in an environment (MAX_ARG_STRLEN).
_VALUE_LIMIT = 131_072
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# A new assignment, export or comment inside a quoted value: its closing quotation mark is missing.
_RAN_ON = re.compile(r"\n[ \t]*(?:export\s|[A-Za-z_]\w*=|#)")


class Setter:
    """The variables of a script while it is followed. The fields after ``begin`` describe the command at hand."""

    def __init__(self, record: Record, known: bool) -> None:
        self.record = record
        self.variables = record.variables
        self.known = known
        self.unset: set[str] = set()
        # Variables whose value holds something unknown, and what.
        self.hidden: dict[str, tuple[str, ...]] = {}
        self.all_exported = False
        self.commented: list[int] = []
        self.room = 4_000_000
        self.begin([], conditional=False, apart=False, ended_by="")

    def begin(self, words: Sequence[Word], *, conditional: bool, apart: bool, ended_by: str) -> None:
        """Take up a command. ``apart``: it runs in a process of its own, so that what it sets is lost."""
        self.conditional = conditional
        self.apart = apart
        self.ended_by = ended_by
        self.line = words[0].line if words else 0
        self.last_line = words[-1].last_line if words else 0
        self.comments, self.commented = self.commented, []
        self._resolved: dict[int, tuple[str, tuple[str, ...]]] = {}

    # -- values

    def text(self, word: Word) -> str:
        """The word after substitution."""
        value = self._once(word)[0]
        return f"{word.name}{'+' if word.append else ''}={value}" if word.name else value

    def _once(self, word: Word) -> tuple[str, tuple[str, ...]]:
        """The word's value, taken once a command: ``${NAME:=value}`` has an effect."""
        if id(word) not in self._resolved:
            self._resolved[id(word)] = self._resolve(word.parts)
        return self._resolved[id(word)]

    def hidden_in(self, words: Sequence[Word]) -> tuple[str, ...]:
        """What could not be known in these words."""
        return tuple(dict.fromkeys(name for word in words for name in self._once(word)[1]))

    def vanishes(self, word: Word) -> bool:
        """Whether the word is nothing after substitution, as an unquoted empty variable is."""
        quoted = any(isinstance(part, Literal) and part.quoted for part in word.parts)
        return not quoted and not word.name and self._once(word) == ("", ())

    def _resolve(self, parts: Sequence[Part]) -> tuple[str, tuple[str, ...]]:
        """The text of the parts, and the names of what is not known (it counts as empty)."""
        out: list[str] = []
        hidden: list[str] = []
        for index, part in enumerate(parts):
            if isinstance(part, Hidden):
                hidden.append(part.text[:80])
                continue
            if isinstance(part, Literal):
                text, names = self._tilde(part, first=index == 0, last=index == len(parts) - 1)
            else:
                text, names = self._reference(part)
                self.room -= len(text)
                text = text if self.room > 0 else ""
            out.append(text)
            hidden += names
        return "".join(out)[:_VALUE_LIMIT], tuple(dict.fromkeys(hidden))

    def _tilde(self, part: Literal, *, first: bool, last: bool) -> tuple[str, tuple[str, ...]]:
        """The text with the home folder for each ``~`` that begins the value or follows a colon."""
        if part.quoted or "~" not in part.text:
            return part.text, ()
        pattern = ("(?:^|(?<=:))" if first else "(?<=:)") + ("~(?=[/:]|$)" if last else "~(?=[/:])")
        home, names = self._lookup("HOME")
        text, count = re.subn(pattern, lambda match: home or "", part.text)
        return text, names if count else ()

    def _lookup(self, name: str) -> tuple[str | None, tuple[str, ...]]:
        """The value (None: not set), and what is not known of it."""
        if name in self.variables:
            return self.variables[name], self.hidden.get(name, ())
        if not _IDENTIFIER.fullmatch(name):
            return None, (f"${name}",)
        return None, () if self.known or name in self.unset else (name,)

    def _reference(self, part: Reference) -> tuple[str, tuple[str, ...]]:
        value, unknown = self._lookup(part.name)
        operation = part.operation
        filled = value is not None and (value != "" or not operation.startswith(":"))
        if operation in ("", ":?", "?"):
            return value or "", unknown
        if operation.endswith("+"):
            text, names = self._resolve(part.word) if filled else ("", ())
            return text, unknown + names
        if filled:
            return value or "", unknown
        text, names = self._resolve(part.word)
        if operation.endswith("=") and _IDENTIFIER.fullmatch(part.name) and not self.apart:
            self._store(part.name, text, unknown + names, None, unsure=bool(unknown))
        return text, unknown + names

    # -- assignments

    def assign(self, word: Word, *, exported: bool | None = None) -> None:
        """Carry out ``NAME=value``; ``exported`` where a command says so."""
        self._set(word, self._value(word), exported)

    def _value(self, word: Word) -> tuple[str, tuple[str, ...]]:
        value, hidden = self._once(word)
        if word.append:
            base, unknown = self._lookup(word.name)
            return ((base or "") + value)[:_VALUE_LIMIT], unknown + hidden
        return value, hidden

    def _set(self, word: Word, value: tuple[str, tuple[str, ...]], exported: bool | None) -> None:
        name = word.name
        if self.apart:
            kind = "ampersand" if self.ended_by == "&" else "special-character"
            if watched_name(name, SH) and self.ended_by in ("&", "|"):
                self.record.problem(kind, word.line, f"In the value of {name}: {PROBLEM_KINDS[kind]}.", name)
            return
        self._store(name, *value, exported)
        if not watched_name(name, SH) and (meant := misspelt(name, SH)) and not self.record.uses(name):
            self._misspelt(name, meant, word.line)

    def _store(
        self, name: str, value: str, hidden: tuple[str, ...], exported: bool | None, *, unsure: bool = False
    ) -> None:
        record = self.record
        self.variables[name] = value
        unsure = unsure or self.conditional
        self.hidden[name] = (*hidden, name) if unsure else hidden
        self.unset.discard(name)
        if exported or self.all_exported:
            record.exported.add(name)
        if not watched_name(name, SH):
            return
        raw = record.raw(self.line, self.last_line)
        record.assign(
            Assignment(
                name=name,
                value=value,
                raw=raw,
                line=self.line,
                last_line=self.last_line,
                exported=name in record.exported,
                conditional=unsure,
                expanded=hidden,
            )
        )
        self._judge(name, value)

    def _judge(self, name: str, value: str) -> None:
        record = self.record
        for line in self.comments:
            kind = "comment-in-continuation"
            record.problem(kind, line, f"In the value of {name}: {PROBLEM_KINDS[kind]}.", name)
        if _RAN_ON.search(value):
            detail = f"The value of {name} runs on to line {self.last_line}: its closing quotation mark is missing."
            record.problem("unbalanced-quote", self.line, detail, name)
        elif name == ARGS:
            for kind, detail in value_problems(value, SH):
                record.problem(kind, self.line, detail, name)

    def lost(self, word: Word, command: Word) -> None:
        """``NAME=value`` before a command that is not Forge: note a command that looks like the rest of the value."""
        following = self.text(command)
        if not watched_name(word.name, SH) or not FLAG.match(following) or typographic(self.text(word)):
            return
        kind = "value-cut-short" if self._once(word)[0] else "space-after-equals"
        detail = f"The shell takes what follows the blank for a command; {word.name} is not set at all."
        self.record.problem(kind, word.line, detail, word.name)

    def declare(self, command: str, words: Sequence[Word]) -> bool:
        """export, declare, typeset, readonly, local; False where a word is no name, as the command then says."""
        options = ""
        words = list(words)
        while words and re.fullmatch(r"[-+][A-Za-z]+", self.text(words[0])) and not words[0].name:
            options += self.text(words.pop(0))
        exports = (command == "export" or "x" in options) and "n" not in options
        # All words are expanded before the command runs: export A=1 B=$A sets B to the A from before.
        values = [self._value(word) for word in words]
        texts = [self.text(word) for word in words]
        fine = True
        for index, (word, text) in enumerate(zip(words, texts, strict=True)):
            if word.name:
                self._set(word, values[index], exports or None)
            elif not text:
                continue  # An unknown variable, which may be empty.
            elif not _IDENTIFIER.fullmatch(text):
                self._no_identifier(words[:index], word, text)
                fine = False
            elif exports and not self.apart:
                self.record.exported.add(text)
            elif "n" in options:
                self.record.exported.discard(text)
        return fine

    def _no_identifier(self, before: Sequence[Word], word: Word, text: str) -> None:
        """A word that export cannot take: say which slip put it there."""
        named = re.match(r"([\w-]+)\+?=", text)
        if named and misspelt(named[1], SH):
            self._misspelt(named[1], misspelt(named[1], SH), word.line)
            return
        last = before[-1] if before else None
        name = (last.name or self.text(last)) if last else ""
        if not last or not watched_name(name, SH) or any(typographic(self.text(item)) for item in before):
            return
        if not last.name and text.startswith("="):
            self.record.problem("space-before-equals", word.line, f"{name} keeps the value that it had.", name)
        elif not last.name:
            self.record.problem("missing-equals", word.line, f"{name} keeps the value that it had.", name)
        elif self._once(last)[0]:
            self.record.problem("value-cut-short", word.line, f"The value of {name} ends before the last words.", name)
        else:
            self.record.problem("space-after-equals", word.line, f"{name} is set to nothing.", name)

    def _misspelt(self, name: str, meant: str, line: int) -> None:
        detail = f"This sets {name}, which nothing reads; {meant} was probably meant."
        self.record.problem("misspelt-variable", line, detail, meant)

    def misspelt_command(self, words: Sequence[Word]) -> None:
        """Note a command that was meant as an assignment: ``NAME = value`` or a name that cannot be one."""
        text = self.text(words[0])
        following = self.text(words[1]) if len(words) > 1 else ""
        named = re.match(r"([\w-]+)\+?=", text)
        if named and not words[0].name and misspelt(named[1], SH):
            self._misspelt(named[1], misspelt(named[1], SH), words[0].line)
        elif watched_name(text, SH) and following:
            detail = f"The shell takes {text} for a command; the variable is not set."
            if following.startswith("="):
                self.record.problem("space-before-equals", words[0].line, detail, text)
            elif FLAG.match(following):
                self.record.problem("missing-equals", words[0].line, detail, text)

    # -- builtins

    def builtin(self, name: str, words: Sequence[Word]) -> None:
        """``:``, true, unset and set."""
        texts = [self.text(word) for word in words]
        if name == "unset" and not self.apart:
            for text in texts:
                self._remove(text)
        elif name == "set":
            if texts[:1] in (["-a"], ["+a"]) or texts[:2] in (["-o", "allexport"], ["+o", "allexport"]):
                self.all_exported = texts[0].startswith("-")
            line = self.record.raw(self.line, self.line).lstrip()
            if kind := foreign_to_sh(line):
                detail = "In a shell script set gives a variable no value; export NAME=value does."
                self.record.problem(kind, self.line, detail)

    def _remove(self, name: str) -> None:
        self.variables.pop(name, None)
        self.unset.add(name)
        if watched_name(name, SH):
            raw = self.record.raw(self.line, self.last_line)
            self.record.assign(
                Assignment(
                    name=name,
                    value="",
                    raw=raw,
                    line=self.line,
                    last_line=self.last_line,
                    exported=name in self.record.exported,
                    conditional=self.conditional,
                    removed=True,
                )
            )
        self.record.exported.discard(name)

    def test(self, words: Sequence[Word]) -> bool | None:
        """Whether ``[ ... ]`` holds; None where that cannot be known."""
        found = [self._once(word) for word in words if word.plain() not in ("]", "]]")]
        if any(names for _, names in found) or any(word.name for word in words):
            return None
        return holds([text for text, _ in found])


def base_name(word: str) -> str:
    """The file name in a command's word."""
    return word.rsplit("/", 1)[-1]
