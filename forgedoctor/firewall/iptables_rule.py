"""One rule of iptables: from its words to the statements of the model."""

from __future__ import annotations

from itertools import pairwise, product
from math import prod
from typing import NamedTuple

from forgedoctor.firewall import iptables_values as read
from forgedoctor.firewall.iptables_matches import match
from forgedoctor.firewall.iptables_options import IMPLICIT, OPTIONS, Context, Either, Found
from forgedoctor.firewall.iptables_targets import target
from forgedoctor.firewall.iptables_words import Option, Quoted, option
from forgedoctor.firewall.model import Match, Statement, Unknown

_MOST = 16  # ways in which a rule with "either" is written out
_GENERIC = {
    "-s": "saddr", "--source": "saddr", "--src": "saddr",
    "-d": "daddr", "--destination": "daddr", "--dst": "daddr",
    "-i": "iifname", "--in-interface": "iifname", "-o": "oifname", "--out-interface": "oifname",
    "-p": "protocol", "--protocol": "protocol", "--proto": "protocol",
    "-m": "match", "--match": "match", "-j": "jump", "--jump": "jump", "-g": "goto", "--goto": "goto",
    "-f": "fragment", "--fragment": "fragment", "--fragments": "fragment",
    "-c": "counters", "--set-counters": "counters",
    "-4": "version", "-6": "version", "--ipv4": "version", "--ipv6": "version",
}  # fmt: skip
_PROTOCOL_MODULES = {"ipv6-icmp": "icmp6", "icmpv6": "icmp6", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmp6"}


class Group(NamedTuple):
    """A match with its options, or (``module`` empty) the target with its own."""

    module: str
    options: list[Option]


class Parsed(NamedTuple):
    """A rule taken apart: matches in order, target, and whether it goes there for good."""

    found: list[Statement | Either]
    target: str
    goto: bool
    options: list[Option]


class _Parser:
    """Takes one rule apart, word by word."""

    def __init__(self, words: list[str], context: Context) -> None:
        self.words, self.context = words, context
        self.found: Found = []
        self.groups: list[Group] = []
        self.open: Group | None = None
        self.after = Group("", [])
        self.target, self.goto, self.protocol = "", False, ""

    def parse(self, at: int) -> Parsed:
        words, negated = self.words, False
        while at < len(words):
            word = words[at]
            kind = _GENERIC.get(word)
            if kind is not None and not (word == "--proto" and self._takes_any()):
                at = self._generic(kind, at + 1, negated)
                negated = False
            elif word == "!":
                negated, at = True, at + 1
            elif word.startswith("--") and not isinstance(word, Quoted):
                one, at = option(words, at, negated)
                self._place(one)
                negated = False
            else:
                self.found.append(Unknown(construct=word[:40]))
                at += 1
        for module, options in self.groups:
            self.found += match(module, options, self.context)
        return Parsed(self.found, self.target, self.goto, self.after.options)

    def _generic(self, kind: str, at: int, negated: bool) -> int:
        words = self.words
        if kind == "version":
            return at
        if kind == "counters":
            return at + 2
        if kind == "fragment":
            self.found.append(read.matching("ip frag-off", ((0, 0),), not negated, 0x1FFF))
            return at
        if at < len(words) and words[at] == "!":
            negated, at = True, at + 1
        value = words[at] if at < len(words) else ""
        if kind == "match":
            self.open = Group(value, [])
            self.groups.append(self.open)
        elif kind in ("jump", "goto"):
            self.target, self.goto, self.open = value, kind == "goto", self.after
        else:
            self._basic(kind, value, negated)
        return at + 1

    def _basic(self, kind: str, value: str, negated: bool) -> None:
        try:
            if kind in ("iifname", "oifname"):
                self.found.append(read.matching(kind, (read.interface(value),), negated))
            elif kind == "protocol":
                self.protocol = value
                number = read.protocol(value)
                if number or negated:
                    self.found.append(read.matching("meta l4proto", ((number, number),), negated))
            else:
                self.found.append(read.networks(f"{self.context.ip} {kind}", value, self.context.six, negated))
        except ValueError:
            self.found.append(Unknown(construct=f"{kind} {value}"[:60]))

    def _place(self, one: Option) -> None:
        """Put an option with the match or target that it belongs to: usually the one before it."""
        group = self.open
        if group is None or (one.name in IMPLICIT and one.name not in OPTIONS.get(group.module, ())):
            group = self._implicit(one)
        elif self._has_none() if group is self.after else one.name not in OPTIONS.get(group.module, (one.name,)):
            group = self._owner(one.name) or group
        group.options.append(one)

    def _takes_any(self) -> bool:
        """Whether the last match is one whose options are not known here (policy and ndpi have a --proto)."""
        return self.open is not None and self.open is not self.after and self.open.module not in OPTIONS

    def _has_none(self) -> bool:
        """Whether the target is one that takes no options."""
        return self.target in ("ACCEPT", "DROP", "RETURN") or self.target in self.context.chains

    def _owner(self, name: str) -> Group | None:
        return next((one for one in reversed(self.groups) if name in OPTIONS.get(one.module, ())), None)

    def _implicit(self, one: Option) -> Group:
        name = IMPLICIT.get(one.name) or _PROTOCOL_MODULES.get(self.protocol, self.protocol)
        for group in self.groups:
            if group.module == name:
                return group
        self.groups.append(Group(name or one.name.lstrip("-"), []))
        return self.groups[-1]


def statements(words: list[str], at: int, context: Context) -> list[tuple[Statement, ...]]:
    """The statements of a rule whose matches and target begin at that word; several where "either" is written out."""
    parsed = _Parser(words, context).parse(at)
    done = target(parsed.target, parsed.options, context, parsed.goto) if parsed.target else []
    plain: list[Statement] = [one for one in parsed.found if not isinstance(one, Either)]
    either = [one.choices for one in parsed.found if isinstance(one, Either)]
    if not either:
        return [(*plain, *done)]
    if prod(len(choices) for choices in either) > _MOST:
        return [(*plain, Unknown(construct="either"), *done)]
    ways = product(*either)
    return [(*plain, *(each for choice in way for each in choice), *done) for way in ways]


def changed_sets(words: list[str]) -> list[tuple[str, bool]]:
    """The sets that a rule with ``-j SET`` fills (True) or empties (False)."""
    return [(name, word == "--add-set") for word, name in pairwise(words) if word in ("--add-set", "--del-set")]


def asked_sets(found: tuple[Statement, ...]) -> list[str]:
    """The named sets that a rule asks."""
    return [one.named for one in found if isinstance(one, Match) and one.named]
