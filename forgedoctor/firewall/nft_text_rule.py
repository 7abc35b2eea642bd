"""The statements of one rule in nftables' text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_build import Number, assign, guards
from forgedoctor.firewall._nft_match import Key, compare, flag_mask, masked
from forgedoctor.firewall._nft_tables import TableDraft
from forgedoctor.firewall._nft_values import number, single
from forgedoctor.firewall.model import Match, Members, NoTrack, SetField, Statement, Unknown, Verdict, VerdictMap
from forgedoctor.firewall.nft_text_fields import computed, left
from forgedoctor.firewall.nft_text_nat import nat
from forgedoctor.firewall.nft_text_simple import Simple
from forgedoctor.firewall.nft_text_words import (
    END,
    NotUnderstood,
    cut,
    operator,
    pairs,
    plain,
    right,
    unquoted,
    verdict,
)

_ALONE: dict[str, Statement] = {
    "accept": Verdict(kind="accept"),
    "drop": Verdict(kind="drop"),
    "continue": Verdict(kind="continue"),
    "return": Verdict(kind="return"),
    "notrack": NoTrack(),
}
_NAT = frozenset({"dnat", "snat", "masquerade", "redirect", "tproxy", "fullcone"})
_CT_OBJECTS = ("helper", "timeout", "expectation")


class RuleReader(Simple):
    """Reads rules of one table, and notes there which sets they fill."""

    def __init__(self, table: TableDraft) -> None:
        super().__init__(table)
        self._lines: dict[str, tuple[Statement, ...]] = {}

    def line(self, text: str) -> tuple[Statement, ...]:
        """The statements of a rule that has a line of its own."""
        found = self._lines.get(text)
        if found is None:
            found = self._lines[text] = self.read(cut(text))
        return found

    def read(self, tokens: list[str]) -> tuple[Statement, ...]:
        """The statements that these words make; from one that is not understood on, it may do anything."""
        found: list[Statement] = []
        size = len(tokens)
        tokens += (END,) * 5  # so that one may look ahead
        at = 0
        while at < size:
            try:
                at = self._one(tokens, at, found)
            except (NotUnderstood, IndexError, RecursionError):
                construct = " ".join(tokens[at : min(size, at + 3)])
                found.append(Unknown(construct=construct, anything=True))
                break
        return tuple(found)

    def _one(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        token = tokens[at]
        if token in words.KINDS or token in words.META_UNQUALIFIED:
            return self._field(tokens, at, found)
        if token == "counter":
            at = self._counter(tokens, at + 1, found)
            while tokens[at] in ("packets", "bytes"):
                at += 2
            return at
        alone = _ALONE.get(token)
        if alone is not None:
            found.append(alone)
            return at + 1
        if token in ("jump", "goto"):
            found.append(Verdict(kind=token, target=plain(tokens, at + 1)))
            return at + 2
        if token in _NAT:
            return nat(tokens, at, found, self.family)
        reader = _STATEMENTS.get(token)
        if reader is not None:
            return reader(self, tokens, at + 1, found)
        return self._field(tokens, at, found)

    def _field(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """A match, a lookup of a verdict, or a field that is set."""
        what, mask, at = left(tokens, at)
        token = tokens[at]
        if token == "set":
            return self._set(what, tokens, at + 1, found)
        if token == "vmap":
            return self._vmap(what, tokens, at + 1, found)
        op, at = operator(tokens, at)
        values, given, at = right(tokens, at, what)
        if what.kinds[0] == "flags" and given and (tokens[at] == "/" or "/" in given[-1]):
            return self._flags(what, op, given, tokens, at, found)
        found.append(masked(what, mask, op, given) if mask else compare(what, op, values))
        return at

    def _flags(
        self, what: Key, op: str, given: list[str], tokens: Sequence[str], at: int, found: list[Statement]
    ) -> int:
        """``tcp flags syn / fin,syn,rst``: the flags that are set of those after the slash."""
        *before, last = given
        mask: list[str] = []
        if "/" in last:
            last, _, second = last.partition("/")
            mask.append(second)
        while tokens[at] in ("/", ","):
            mask.append(plain(tokens, at + 1))
            at += 2
        value, bits = flag_mask("flags", [*before, last]), flag_mask("flags", mask)
        if value is None or bits is None:
            found.append(Unknown(construct=what.name))
        else:
            members = Members(elements=(((value, value),),))
            found.append(Match(fields=what.fields, op=op or "==", members=members, mask=bits))
        return at

    def _vmap(self, what: Key, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if not what.clear:
            raise NotUnderstood
        if tokens[at][0] == "@":
            found.append(VerdictMap(fields=what.fields, named=tokens[at][1:]))
            return at + 1
        read, at = pairs(tokens, at, what.kinds)
        entries = tuple((key, made) for key, data in read if key and (made := verdict(data)))
        if len(entries) < len(read):
            found.append(Unknown(construct=f"{what.name} vmap", anything=True))
        else:
            found.append(VerdictMap(fields=what.fields, entries=entries))
        return at

    def _set(self, what: Key, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """``meta mark set 1``, ``ct mark set ip saddr map { … }``, ``tcp dport set 80``, ``ip dscp set cs1``."""
        start = at
        try:
            source, _, at = left(tokens, at)
        except NotUnderstood:
            at = start
        else:
            if tokens[at] == "map":
                return self._set_looked_up(what, source, tokens, at + 1, found)
            at = start
        plainly = single(what.kinds[0], tokens[at]) if what.kinds[0] in ("ip4", "ip6", "port") else None
        if plainly is not None:
            at += 1
            made: Number | None = Number("", 0, plainly)
        else:
            made, at = computed(tokens, at)
        while tokens[at] == ",":  # ct event set new,related
            at += 2
        found.extend(assign(what, made, self.family))
        return at

    def _set_looked_up(self, what: Key, source: Key, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        found.extend(guards((*source.fields, what.name), self.family))
        named, entries = "", []
        if tokens[at][0] == "@":
            named, at = tokens[at][1:], at + 1
        else:
            read, at = pairs(tokens, at, source.kinds)
            entries = [(key, value) for key, data in read if key and data and (value := number(data[0])) is not None]
            if len(entries) < len(read):
                source = source._replace(clear=False)
        if what.name in words.SET_WITHOUT_EFFECT or what.name not in ("meta mark", "ct mark"):
            found.append(Unknown(construct=f"{source.name} map"))  # nothing found there ends the rule
            found.extend(assign(what, None, self.family))
        elif source.clear:
            found.append(SetField(field=what.name, fields=source.fields, entries=tuple(entries), named=named))
        else:
            found.extend((Unknown(construct=f"{source.name} map"), SetField(field=what.name)))
        return at

    def _ct(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "count":
            found.append(Unknown(construct="ct count"))
            return at + 3 if tokens[at + 1] == "over" else at + 2
        if tokens[at] in _CT_OBJECTS and tokens[at + 1] == "set":
            return self._object("", tokens, at + 2, found)
        return self._field(tokens, at - 1, found)

    def _secmark(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] == "secmark" and tokens[at + 1] == "set" and tokens[at + 2][0] == '"':
            return at + 3
        return self._field(tokens, at - 1, found)

    def _flow(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        if tokens[at] in ("add", "offload") and tokens[at + 1][0] == "@":
            return at + 2
        if tokens[at] == "table":
            return self._meter(tokens, at + 1, found)
        raise NotUnderstood

    def _fill(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """``add @set { key … }``; also ``set add key @set``."""
        if tokens[at][0] != "@":
            what, _, at = left(tokens, at + 1)
            while tokens[at][0] != "@":
                at += 1
                if tokens[at] == END:
                    raise NotUnderstood
            self.table.filled.add(tokens[at][1:])
            found.extend(guards(what.fields, self.family))
            return at + 1
        (self.table.emptied if tokens[at - 1] == "delete" else self.table.filled).add(tokens[at][1:])
        return self._keyed(tokens, at + 1, found)

    def _meter(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """``meter name size 5 { key limit … }``."""
        self.table.filled.add(unquoted(tokens[at]))
        at += 3 if tokens[at + 1] == "size" else 1
        return self._keyed(tokens, at, found)

    def _keyed(self, tokens: Sequence[str], at: int, found: list[Statement]) -> int:
        """A key and what is done for each value of it; a limit there ends the rule as one outside does."""
        if tokens[at] != "{":
            raise NotUnderstood
        what, _, at = left(tokens, at + 1)
        found.extend(guards(what.fields, self.family))
        while tokens[at] != "}":
            if tokens[at] in ("timeout", "expires", "comment"):
                at += 2
            elif tokens[at] == ":":  # what a map gets for the key
                while tokens[at] not in ("}", END):
                    at += 1
            else:
                at = self._one(tokens, at, found)
        return at + 1


Reader = Callable[[RuleReader, Sequence[str], int, list[Statement]], int]
_STATEMENTS: dict[str, Reader] = {
    "limit": RuleReader._limit,
    "quota": RuleReader._quota,
    "last": RuleReader._last,
    "log": RuleReader._log,
    "reject": RuleReader._reject,
    "ct": RuleReader._ct,
    "meta": RuleReader._secmark,
    "queue": RuleReader._queue,
    "fwd": RuleReader._fwd,
    "dup": RuleReader._dup,
    "flow": RuleReader._flow,
    "synproxy": RuleReader._synproxy,
    "add": RuleReader._fill,
    "update": RuleReader._fill,
    "delete": RuleReader._fill,
    "set": RuleReader._fill,
    "meter": RuleReader._meter,
    "reset": RuleReader._reset,
    "comment": RuleReader._comment,
    "xt": RuleReader._xt,
}
