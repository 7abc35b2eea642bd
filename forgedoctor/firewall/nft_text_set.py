"""Named sets and maps in nftables' text."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.firewall._nft_maps import value
from forgedoctor.firewall._nft_tables import SetDraft, data_kind
from forgedoctor.firewall.nft_text_fields import left
from forgedoctor.firewall.nft_text_words import END, NotUnderstood, braces, guessed, pairs, unquoted, verdict
from forgedoctor.firewall.nft_words import kind_of_type

UNREAD = "not understood"


def set_statement(draft: SetDraft, found: list[str]) -> None:
    """One line of a set's block: its type, flags or elements."""
    if found[0] == "auto-merge" and len(found) > 1:
        found = found[1:]
    if found[0] in ("type", "typeof"):
        _type(draft, found)
    elif found[0] == "timeout" or (found[0] == "flags" and "timeout" in found):
        draft.why = "timeout"
    elif found[0] == "flags" and "dynamic" in found:
        draft.why = draft.why or "dynamic"
    elif found[0] == "elements":
        fill(draft, found, 2)


def _type(draft: SetDraft, found: Sequence[str]) -> None:
    """``type ipv4_addr . inet_service : verdict``, ``typeof ip saddr . tcp dport``."""
    key, _, data = " ".join(found[1:]).partition(" :")
    if not data and found[0] == "type":
        key, _, data = key.partition(":")
    given = [one for one in data.replace(".", " ").split() if one != "interval"]
    if found[0] == "type":
        draft.kinds = tuple(kind_of_type(one) for one in key.split() if one != ".")
    else:
        draft.kinds = _kinds(key)
        known = {"ip4": "ipv4_addr", "ip6": "ipv6_addr", "port": "inet_service", "number": "mark"}
        if given and given not in (["verdict"], ["counter"], ["quota"], ["limit"]):
            given = [known.get(kind, kind) for kind in _kinds(data)]
    if given:
        draft.data = data_kind(given)


def _kinds(text: str) -> tuple[str, ...]:
    try:
        return left([*text.replace(".", " . ").split(), END, END, END, END, END], 0)[0].kinds
    except (NotUnderstood, IndexError, RecursionError):
        return ()


def fill(draft: SetDraft, tokens: Sequence[str], at: int) -> None:
    """Put the elements between the braces there into the set or map."""
    try:
        if tokens[at] != "{":
            raise NotUnderstood
        if draft.data:
            _fill_map(draft, tokens, at)
            return
        kinds = draft.kinds or guessed(tokens, at)
        elements, whole, _ = braces(tokens, at, kinds)
    except (NotUnderstood, IndexError):
        draft.why = draft.why or UNREAD
        return
    draft.elements += elements
    if not whole:
        draft.why = draft.why or UNREAD


def _fill_map(draft: SetDraft, tokens: Sequence[str], at: int) -> None:
    if draft.data == "object":
        return
    read, _ = pairs(tokens, at, draft.kinds or ("any",))
    for key, data in read:
        given: object | None
        if draft.data == "verdict":
            given = verdict(data)
        else:
            given = value(draft.data, [unquoted(one) for one in data if one != "."])
        if key is None or given is None:
            draft.why = draft.why or UNREAD
        else:
            draft.entries.append((key, given))
