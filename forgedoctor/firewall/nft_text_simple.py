"""Statements of nftables' text that stand for themselves: limits, logs, rejects and the like."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.firewall._nft_build import guards, reject
from forgedoctor.firewall._nft_tables import TableDraft
from forgedoctor.firewall.model import Statement, Unknown
from forgedoctor.firewall.nft_text_fields import left
from forgedoctor.firewall.nft_text_words import NotUnderstood, pairs, plain

_LOG = frozenset({"prefix", "level", "group", "snaplen", "queue-threshold"})


class Simple:
    """Each method reads what follows a statement's first word, and says where the next statement begins."""

    def __init__(self, table: TableDraft) -> None:
        self.table, self.family = table, table.family

    def _object(self, kind: str, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """A named counter, limit … or one looked up in a map; a ``kind`` of nothing has no effect."""
        try:
            source, _, after = left(tokens, at)
        except NotUnderstood:
            after = at
        if after > at and tokens[after] == "map":
            found.extend(guards(source.fields, self.family))
            found.append(Unknown(construct=f"{source.name} map"))  # nothing found there ends the rule
            return after + 2 if tokens[after + 1][0] == "@" else pairs(tokens, after + 1, source.kinds)[1]
        if kind:
            found.append(Unknown(construct=f"{kind} {plain(tokens, at)}", anything=kind == "synproxy"))
        return at + 1

    def _counter(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "name":
            return self._object("", tokens, at + 1, found)
        return at

    def _limit(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "name":
            return self._object("limit", tokens, at + 1, found)
        if tokens[at] != "rate":
            raise NotUnderstood
        at += 2 if tokens[at + 1] in ("over", "until") else 1
        at = _rate(tokens, at)
        if tokens[at] == "burst":
            at += 3
        found.append(Unknown(construct="limit"))
        return at

    def _quota(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "name":
            return self._object("quota", tokens, at + 1, found)
        at += 3 if tokens[at] in ("over", "until") else 2
        found.append(Unknown(construct="quota"))
        return at + 3 if tokens[at] == "used" else at

    def _last(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        return at + 2 if tokens[at] == "used" else at

    def _log(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        while True:
            if tokens[at] in _LOG:
                at += 2
            elif tokens[at] == "flags":
                at += 3 if tokens[at + 1] in ("tcp", "ip") else 2
                while tokens[at] == ",":
                    at += 2
            else:
                return at

    def _reject(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        how = code = ""
        if tokens[at] == "with":
            how, at = plain(tokens, at + 1), at + 2
            at += tokens[at] == "type"
            code, at = plain(tokens, at), at + 1
        found.extend(one for one in reject(how, code, self.family) if one not in found)
        return at

    def _queue(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        found.append(Unknown(construct="queue", anything=True))
        return _past_the_end(tokens)

    def _fwd(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        found.append(Unknown(construct="fwd", anything=True))
        return _past_the_end(tokens)

    def _dup(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """A copy goes elsewhere; the packet goes on."""
        if tokens[at] != "to":
            raise NotUnderstood
        at = self._object("", tokens, at + 1, found)
        return at + 2 if tokens[at] == "device" else at

    def _synproxy(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "name":
            return self._object("synproxy", tokens, at + 1, found)
        found.append(Unknown(construct="synproxy", anything=True))
        return _past_the_end(tokens)

    def _reset(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """``reset tcp option sack-perm``."""
        if tokens[at] != "tcp" or tokens[at + 1] != "option":
            raise NotUnderstood
        found.extend(guards(("tcp",), self.family))
        return at + 3

    def _comment(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        return at + 1

    def _xt(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """What iptables-nft keeps in its own form; matches decide nothing by their name alone."""
        self.table.foreign = True
        found.append(Unknown(construct=f"xt {plain(tokens, at + 1)}", anything=tokens[at] != "match"))
        return at + 2


def _past_the_end(tokens: Sequence[str]) -> int:
    return len(tokens)


def _rate(tokens: Sequence[str], at: int) -> int:
    """Past ``10/second``, ``10 mbytes/second`` or the same with spaces."""
    for _ in range(4):
        word, at = tokens[at], at + 1
        if "/" in word and word != "/" and word[-1] != "/":
            return at
        if word[-1] == "/":
            return at + 1
    raise NotUnderstood
