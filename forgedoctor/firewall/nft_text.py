"""Reads ``nft list ruleset``, and rule files as people write them, into the model of a packet filter.

Known to nft 0.9 to 1.1; the grammar is that of nft(8) and of nftables 1.0.6. What is not understood becomes
``Unknown(anything=True)`` in its place, so that no rule is taken for more or less than it is.
"""

from __future__ import annotations

import re

from forgedoctor.firewall._nft_tables import TableDraft, Tables
from forgedoctor.firewall.model import Ruleset, Statement, Verdict
from forgedoctor.firewall.nft_text_block import Blocks
from forgedoctor.firewall.nft_text_paste import lines
from forgedoctor.firewall.nft_text_words import cut
from forgedoctor.message import t

_SPECIAL = re.compile(r"[{};#$\\]|^\s*(?:type|policy|comment|flags|include|(?:re|un)?define) ").search
# Written to the error output, which may be mixed into a listing, even in the middle of a rule.
_XT_WARNING = re.compile(r"#?\s*Warning: XT (?:match|target) ")
_MANAGED = re.compile(r"#?\s*Warning: table (\S+) (\S+) is managed by iptables-nft")
_NEWER = re.compile(r"#?\s*Warning: table (\S+) (\S+) was created by a newer version")
_MOST = 2_000_000
_COUNT = re.compile(r"# count (\d+)")


def read(text: str, source: str) -> Ruleset:
    """Read a listing or a rule file; ``source`` names it in messages.

    Raises ``ValueError`` with a sentence where the text is none of nft's. An empty listing is an empty ruleset.
    """
    reader = _Reader(source)
    try:
        for number, line in lines(text, source):
            reader.line(number, line)
    except RecursionError:
        raise ValueError(t("{source} nests too deep to be a ruleset of nftables.", source=source)) from None
    reader.end(text)
    if reader.blocks.strange and not reader.blocks.known:
        raise ValueError(t("{source} is no listing of nftables: run “sudo nft list ruleset”.", source=source))
    return Ruleset(
        kind="nft-text",
        source=source,
        tables=reader.tables.made(reader.cut or reader.blocks.uncertain),
        problems=tuple(reader.blocks.problems),
        cut=reader.cut or reader.blocks.uncertain,
    )


def chain_of(table: TableDraft, outer: str, text: str) -> tuple[Statement, ...]:
    """Read a statement that holds a chain (``jump { … }``) of a rule in the chain ``outer``; nothing if it is none."""
    head, _, body = text.partition("{")
    body = body.rstrip()
    kind = head.strip()
    if kind not in ("jump", "goto") or body[-1:] != "}":
        return ()
    chain = table.inner(outer)
    reader = _Reader("")
    reader.blocks.enter(table, chain, [])
    for line in body[:-1].split("\n"):
        reader.line(0, line)
    return (Verdict(kind=kind, target=chain.name),)


class _Reader:
    """Cuts lines into statements and blocks. A brace opens a block or a set, which depends on what stands before."""

    def __init__(self, source: str) -> None:
        self.tables = Tables()
        self.blocks = Blocks(self.tables, source)
        self.cut = False
        self.words: list[str] = []  # of the statement that is being read
        self.depth = 0  # of the braces of a set
        self.started = 0
        self.alone = True  # it has a line of its own
        self.variables: dict[str, list[str]] = {}
        self.spent = 0  # words that variables were replaced with

    def line(self, number: int, line: str) -> None:
        """One line as written."""
        if self.blocks.in_chain and not self.words and not _SPECIAL(line):
            text = line.strip()
            if text:
                self.blocks.rule_line(text, number)
            return
        found = cut(line)
        if not found:
            return
        if found[0] == "Warning:":
            line = f"# {line.strip()}"
            found = [line]
        goes_on = found[-1].endswith("\\") and found[-1][0] != "#"
        if goes_on:
            found[-1] = found[-1][:-1]
        self.alone = not self.words
        for token in found:
            if token[:1] == "#":
                line = line[: line.rindex(token)]
                goes_on = self._comment(token) or goes_on
                break
            if token:
                self._token(token, number)
        if not self.depth and not goes_on and self.words:
            self._finish(line.strip() if self.alone else "")

    def _comment(self, token: str) -> bool:
        """Read a comment; whether the line goes on after it."""
        if found := _MANAGED.match(token):
            self.tables.iptables.add((found[1], found[2]))
        elif found := _NEWER.match(token):
            self.cut = True
            self.blocks.problem(
                t("Table {table} was made by a newer nft, so its listing may leave things out.", table=found[2])
            )
        elif found := _COUNT.match(token):
            self.blocks.counted(int(found[1]))
        return _XT_WARNING.match(token) is not None

    def _token(self, token: str, number: int) -> None:
        if not self.words:
            self.started = number
        if "$" in token and token[0] != '"' and self.words[:1] != ["define"]:
            for one in self._replaced(token):
                self._put(one, number)
        else:
            self._put(token, number)

    def _put(self, token: str, number: int) -> None:
        if self.depth:
            self.depth += (token == "{") - (token == "}")
            self.words.append(token)
        elif token == "{" and not self.blocks.opens(self.words):
            self.depth = 1
            self.words.append(token)
        elif token in ("{", "}", ";"):
            self.alone = False
            if token == "{":
                self.blocks.open(self.words, self.started)
                self.words = []
            else:
                self._finish("")
            if token == "}":
                self.words = self.blocks.close(self.started)
        else:
            self.words.append(token)

    def _replaced(self, token: str) -> list[str]:
        """The words a variable stands for; a name that is not defined stays, and will not be understood."""
        name = token[1:]
        if token[0] == "$" and name in self.variables:
            self.spent += len(self.variables[name])
            if self.spent > _MOST:
                raise ValueError(
                    t("{source} grows without end where its variables are put in.", source=self.blocks.source)
                )
            return self.variables[name]

        def one(found: re.Match[str]) -> str:
            value = self.variables.get(found[1], [])
            return value[0] if len(value) == 1 else found[0]

        return [re.sub(r"\$(\w+)", one, token)]

    def _finish(self, line: str) -> None:
        """The end of a statement. ``line``: the whole of it as written, where it has a line of its own."""
        words, self.words = self.words, []
        if not words:
            return
        if words[0] in ("define", "redefine", "undefine"):
            self._define(words)
        elif words[0] == "include":
            self.cut = True
            self.blocks.known = True
            self.blocks.problem(t("{source} includes other files, which were not read.", source=self.blocks.source))
        else:
            self.blocks.statement(words, line or shown(words), self.started)

    def _define(self, words: list[str]) -> None:
        if words[0] == "undefine":
            self.variables.pop(words[1] if len(words) > 1 else "", None)
        elif len(words) > 3 and words[2] == "=":
            replaced: list[str] = []
            for word in words[3:]:
                replaced += self._replaced(word) if "$" in word and word[0] != '"' else [word]
            self.variables[words[1]] = replaced

    def end(self, text: str) -> None:
        """The end of the text: inside a block it was cut off, and what the last statement was is not known."""
        inside = bool(self.words) or self.blocks.depth > 0
        if not inside:
            return
        self.cut = True
        if self.words and self.depth:
            self.words += ["}"] * min(self.depth, 50)
        if self.words:
            self._finish("")
        self.blocks.cut_off(not text.endswith("\n") or self.depth > 0)
        self.blocks.problem(t("{source} ends in the middle of a block: its end is missing.", source=self.blocks.source))


def shown(tokens: list[str]) -> str:
    """A rule that shares its line with others, as it would stand alone."""
    return " ".join(tokens[:2000]).replace(" ,", ",")
