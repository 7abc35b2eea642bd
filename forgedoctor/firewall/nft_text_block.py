"""Blocks of nftables' text: tables, and the chains and sets in them."""

from __future__ import annotations

import re

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_tables import DEVICE_HOOKS, ChainDraft, SetDraft, TableDraft, Tables
from forgedoctor.firewall._nft_values import number
from forgedoctor.firewall.model import Rule, Unknown
from forgedoctor.firewall.nft_text_command import BLOCKS, Command, command
from forgedoctor.firewall.nft_text_rule import RuleReader
from forgedoctor.firewall.nft_text_set import fill, set_statement
from forgedoctor.firewall.nft_text_words import unquoted
from forgedoctor.message import Message, t

_PRIORITY = re.compile(r"([a-z]\w*)? ?([+-]? ?\d+)?\Z")
_DEEPEST = 20
_PLACES = ("position", "handle", "index")
_CUT_OFF = Rule(statements=(Unknown(construct="what is cut off", anything=True),))


class Blocks:
    """What block the text is in, and what its statements say.

    ``known``: something of nftables was seen; ``strange``: something that is not. ``uncertain``: there are rules that
    cannot be placed.
    """

    def __init__(self, tables: Tables, source: str) -> None:
        self.tables, self.source = tables, source
        self.problems: list[Message] = []
        self.known = self.strange = self.uncertain = self.in_chain = False
        self.table: TableDraft | None = None  # whose block is open
        self.inside: ChainDraft | SetDraft | TableDraft | None = None
        self._stack: list[tuple[TableDraft | None, ChainDraft | SetDraft | TableDraft | None, list[str]]] = []
        self._reader: RuleReader | None = None

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return len(self._stack)

    def problem(self, message: Message) -> None:
        """Note what could not be read, once, and not without end."""
        if message not in self.problems and len(self.problems) < 20:
            self.problems.append(message)

    def opens(self, before: list[str]) -> bool:
        """Whether a brace after these words opens a block; it begins a set's elements otherwise."""
        if self.in_chain:
            return before[-1:] in (["jump"], ["goto"]) and len(self._stack) < _DEEPEST
        if not self._stack:
            return before[:1] not in (["define"], ["redefine"]) and command(before).what not in ("rule", "element")
        return self.inside is None or (self.inside is self.table and before[:1] != [] and before[0] in BLOCKS)

    def open(self, before: list[str], line: int) -> None:
        """The block that these words open."""
        table = self.table
        inside: ChainDraft | SetDraft | TableDraft | None = None
        kept: list[str] = []
        if self.in_chain and isinstance(self.inside, ChainDraft) and table:
            inside = table.inner(self.inside.name)
            kept = [*before, inside.name]
        elif self._stack and table and len(before) > 1:
            inside = _named(table, before[0], unquoted(before[1]))
        elif not self._stack:
            found = command(before)
            if found.what in BLOCKS and found.table:
                self.known = True
                table = self.tables.table(found.family, found.table)
                inside = table if found.what == "table" else _named(table, found.what, found.name)
            else:
                self.strange = True
        self.enter(table, inside, kept)

    def enter(
        self, table: TableDraft | None, inside: ChainDraft | SetDraft | TableDraft | None, kept: list[str]
    ) -> None:
        """Go into a block; ``kept``: the words of the statement that goes on after it."""
        self._stack.append((self.table, self.inside, kept))
        self._go(table, inside)

    def close(self, line: int) -> list[str]:
        """The end of a block; the words of the statement that goes on after it."""
        if not self._stack:
            self.problem(
                t("{source}, line {line}: there is one closing brace too many.", source=self.source, line=line)
            )
            return []
        table, inside, kept = self._stack.pop()
        self._go(table, inside)
        return kept

    def _go(self, table: TableDraft | None, inside: ChainDraft | SetDraft | TableDraft | None) -> None:
        self.table, self.inside = table, inside
        self.in_chain = isinstance(inside, ChainDraft)

    def statement(self, found: list[str], text: str, line: int) -> None:
        """One statement."""
        inside, table = self.inside, self.table
        if isinstance(inside, ChainDraft):
            self._in_chain(inside, found, text, line)
        elif isinstance(inside, SetDraft):
            set_statement(inside, found)
        elif not self._stack:
            self.strange = not self._command(command(found), text, line) or self.strange
        elif table is not None and inside is table and found[0] == "flags":
            table.dormant = "dormant" in found

    def rule_line(self, text: str, line: int) -> None:
        """A line of a chain that is one whole rule."""
        chain, table = self.inside, self.table
        if isinstance(chain, ChainDraft) and table:
            chain.rules.append(Rule(statements=self._rules(table).line(text), text=text, line=line))

    def _rules(self, table: TableDraft) -> RuleReader:
        if self._reader is None or self._reader.table is not table:
            self._reader = RuleReader(table)
        return self._reader

    def _in_chain(self, chain: ChainDraft, found: list[str], text: str, line: int) -> None:
        if found[0] == "type" and "hook" in found:
            self._base(chain, found, line)
        elif found[0] == "policy" and len(found) == 2:
            chain.policy = found[1] if found[1] in ("accept", "drop") else chain.policy
        elif found[0] in ("comment", "flags") and len(found) == 2:
            return
        elif self.table:
            chain.rules.append(Rule(statements=self._rules(self.table).read(found), text=text, line=line))

    def _base(self, chain: ChainDraft, found: list[str], line: int) -> None:
        """``type filter hook input device "eth0" priority filter - 5``."""
        family = self.table.family if self.table else "ip"
        chain.type = found[1]
        at = found.index("hook")
        chain.hook = found[at + 1] if at + 1 < len(found) else ""
        ends = found.index("priority") if "priority" in found else len(found)
        given = [unquoted(one) for one in found[at + 2 : ends] if one not in ("{", "}", ",", "=")]
        if given[:1] in (["device"], ["devices"]):
            chain.devices = tuple(given[1:])
        elif chain.hook in DEVICE_HOOKS and family == "netdev":
            chain.devices = ()
        priority = self._priority(" ".join(found[ends + 1 :]), family)
        if priority is None:
            self.problem(t("{source}, line {line}: the priority is not understood.", source=self.source, line=line))
        chain.priority = priority or 0

    def _priority(self, text: str, family: str) -> int | None:
        found = _PRIORITY.match(text)
        if not found or not text:
            return None
        name, offset = found.groups()
        base = words.priority(name, family) if name else 0
        return None if base is None else base + int((offset or "0").replace(" ", ""))

    def _command(self, found: Command, text: str, line: int) -> bool:
        """Do what a command says; whether it is one."""
        if not found.what:
            return False
        self.known = True
        if found.what == "ruleset":
            if found.verb == "flush":
                self.tables.flush(found.family)
            return True
        if not found.table:
            return False
        if found.verb in ("delete", "destroy", "flush"):
            self._remove(found, line)
            return True
        table = self.tables.table(found.family, found.table)
        if found.what == "rule":
            self._add_rule(table, found, text, line)
        elif found.what == "element":
            fill(table.set(found.name), found.rest, 0)
        elif found.what == "chain" and found.verb == "rename" and found.rest and found.name in table.chains:
            table.chains[found.rest[0]] = table.chains.pop(found.name)
        elif found.name:
            _named(table, found.what, found.name)
        return True

    def _add_rule(self, table: TableDraft, found: Command, text: str, line: int) -> None:
        rest, rules = list(found.rest), table.chain(found.name).rules
        at = 0 if found.verb == "insert" else len(rules)
        if found.verb == "replace" or rest[:1] in (["position"], ["handle"]):
            self._unplaced(line)
        if rest[:1] and rest[0] in _PLACES and len(rest) > 1:
            index = number(rest[1])
            if rest[0] == "index" and index is not None:
                at = index + (found.verb == "add")
            rest = rest[2:]
        rules.insert(at, Rule(statements=self._rules(table).read(rest), text=text, line=line))

    def _unplaced(self, line: int) -> None:
        self.uncertain = True
        self.problem(
            t(
                "{source}, line {line}: a rule is named by its handle, which a file does not tell.",
                source=self.source,
                line=line,
            )
        )

    def _remove(self, found: Command, line: int) -> None:
        """``delete``, ``destroy`` and ``flush``."""
        table = self.tables.drafts.get((found.family, found.table))
        if found.what == "rule":
            self._unplaced(line)
        elif table is None:
            return
        elif found.what == "table" and found.verb != "flush":
            del self.tables.drafts[found.family, found.table]
        elif found.what in ("table", "chain"):
            for name in [found.name] if found.name else list(table.chains):
                if found.verb == "flush" and name in table.chains:
                    table.chains[name].rules.clear()
                else:
                    table.chains.pop(name, None)
        elif found.what == "element" and found.name in table.sets:
            table.emptied.add(found.name)
        elif found.verb == "flush" and found.name in table.sets:
            table.sets[found.name].elements.clear()
            table.sets[found.name].entries.clear()
        else:
            table.sets.pop(found.name, None)

    def counted(self, size: int) -> None:
        """How many elements a set has, as newer versions print it."""
        if isinstance(self.inside, SetDraft):
            self.inside.counted = size

    def cut_off(self, partial: bool) -> None:
        """The text ends here, in the middle of a statement or between two."""
        if isinstance(self.inside, ChainDraft) and partial and self.inside.rules:
            last = self.inside.rules[-1]
            self.inside.rules[-1] = Rule(statements=_CUT_OFF.statements, text=last.text, line=last.line)
        for inside in (self.inside, *(one[1] for one in self._stack)):
            if isinstance(inside, ChainDraft):
                inside.rules.append(_CUT_OFF)
            elif isinstance(inside, SetDraft):
                inside.why = "cut off"
                if partial:
                    del inside.elements[-1:], inside.entries[-1:]


def _named(table: TableDraft, what: str, name: str) -> ChainDraft | SetDraft | None:
    if what == "chain":
        return table.chain(name)
    return table.set(name, "other" if what == "map" else "") if what in ("set", "map") else None
