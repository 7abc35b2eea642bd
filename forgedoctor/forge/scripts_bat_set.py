"""cmd.exe's set command: quoted or plain, with its own rules about blanks."""

from __future__ import annotations

import re

from forgedoctor.forge.scripts_bat_text import LINE_LIMIT, Command, Unknowns
from forgedoctor.forge.scripts_model import ARGS, BAT, PROBLEM_KINDS, Assignment, Record, watched_name
from forgedoctor.forge.scripts_value import misspelt, value_problems


class SetCommand:
    """One set command, which may span lines."""

    def __init__(self, record: Record, unknowns: Unknowns, node: Command, conditional: bool) -> None:
        self.record = record
        self.unknowns = unknowns
        self.node = node
        self.conditional = conditional

    def execute(self, tail: str) -> None:
        """Set the variable and note what is wrong. ``tail`` is what follows the word set.

        ``set "NAME=value" rest`` ends at the last quotation mark; without one before the name, quotation marks belong
        to the value.
        """
        body = tail.lstrip()
        asked = re.match(r"/[ap]\s*", body, re.IGNORECASE)
        if asked:
            body = body[asked.end() :]
        if body.startswith('"'):
            body = body[1:]
            body = body[: body.rfind('"')] if '"' in body else body
        at = body.find("=", 1)
        if at < 0:
            self._no_equals(body)
            return
        name, hidden = self.unknowns.resolve(body[:at])
        value = self.unknowns.mark(asked[0].strip().lower()) if asked else body[at + 1 :]
        if not hidden:
            self._named(name, value[:LINE_LIMIT])

    def _named(self, name: str, value: str) -> None:
        line, plain = self.node.line, name.strip()
        if name != plain and watched_name(plain, BAT):
            detail = f'This sets a variable named "{name}", with the blank; {plain} stays as it was.'
            self.record.problem("space-before-equals", line, detail, watched_name(plain, BAT))
        elif known := watched_name(name, BAT):
            self._assign(known, *self.unknowns.resolve(value))
        elif (meant := misspelt(name, BAT)) and not self.record.uses(name):
            detail = f"This sets {name}, which nothing reads; {meant} was probably meant."
            self.record.problem("misspelt-variable", line, detail, meant)
        if not self.node.piped:
            # With the marks of what is not known, so that they follow the value.
            unsure = self.unknowns.mark(name.upper()) if self.conditional else ""
            self.record.variables[name.upper()] = value + unsure

    def _assign(self, name: str, value: str, expanded: tuple[str, ...]) -> None:
        node, record = self.node, self.record
        for kind, line in node.notes:
            record.problem(kind, line, f"In the value of {name}: {PROBLEM_KINDS[kind]}.", name)
        if node.piped:  # Each side of a pipe runs in a cmd.exe of its own.
            return
        record.assign(
            Assignment(
                name=name,
                value=value,
                raw=record.raw(node.line, node.last_line),
                line=node.line,
                last_line=node.last_line,
                conditional=self.conditional,
                removed=not value,
                expanded=expanded,
            )
        )
        if name == ARGS:
            for kind, detail in value_problems(value, BAT):
                record.problem(kind, node.line, detail, name)

    def _no_equals(self, body: str) -> None:
        name, _, rest = self.unknowns.resolve(body)[0].strip().partition(" ")
        meant = watched_name(name, BAT) or misspelt(name, BAT)
        if rest.strip() and meant:
            detail = f"Without = this only lists variables whose names begin so; {meant} is not set."
            self.record.problem("missing-equals", self.node.line, detail, meant)
