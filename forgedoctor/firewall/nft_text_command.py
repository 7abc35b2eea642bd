"""Commands as they stand in rule files: ``add rule inet filter input tcp dport 22 accept``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall.nft_text_paste import COMMANDS
from forgedoctor.firewall.nft_text_words import unquoted

OBJECTS = frozenset({"flowtable", "counter", "quota", "limit", "secmark", "synproxy", "ct", "tunnel"})
BLOCKS = OBJECTS | {"table", "chain", "set", "map"}
_WHATS = BLOCKS | {"rule", "element", "ruleset"}


class Command(NamedTuple):
    """One command. ``what`` is empty where the words are none; ``rest``: what follows the name."""

    verb: str = ""
    what: str = ""
    family: str = "ip"
    table: str = ""
    name: str = ""
    rest: tuple[str, ...] = ()


def command(found: Sequence[str]) -> Command:
    """The command that these words make; ``add`` where none is named, the family ``ip``."""
    left = list(found)
    verb = left.pop(0) if left and left[0] in COMMANDS else ""
    if left and left[0] in _WHATS:
        what = left.pop(0)
    elif verb in ("add", "insert") and left:
        what = "rule"
    else:
        return Command()
    if what == "ct" and left:
        left.pop(0)
    family = left.pop(0) if left and left[0] in words.FAMILIES else ""
    if what == "ruleset":
        return Command(verb=verb, what=what, family=family)
    table = unquoted(left.pop(0)) if left else ""
    name = unquoted(left.pop(0)) if left and what != "table" else ""
    return Command(verb or "add", what, family or "ip", table, name, tuple(left))
