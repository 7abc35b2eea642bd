"""Text of nftables cut into words, and the values and sets made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_match import OPERATORS, Key, Values
from forgedoctor.firewall._nft_values import looks_like, part
from forgedoctor.firewall.model import Element, Part, Verdict

# A word may hold what joins numbers and addresses (1-2, 10.0.0.0/8, [::1]:80); quotes are kept: "accept" is a name.
cut = re.compile(r'"[^"]*"?|#.*|<<|>>|[=!<>]=?|[{}();,|^&]|[^\s"#{}();,|^&<>=!]+').findall
END = ";"  # stands after the last word of every statement
_SIGNS = frozenset('{};,|^&()=<>!#"')
# What may follow the key of an element.
_OPTIONS = frozenset({"timeout", "expires", "comment", "counter", "limit", "quota", "ct", "last"})
_GLUED = re.compile(r"([^:]+):([^:]+)\Z")
VERDICTS = frozenset({"accept", "drop", "continue", "return", "jump", "goto"})


class NotUnderstood(Exception):
    """What stands there is not known, so neither is where it ends."""


def unquoted(word: str) -> str:
    """The word, less the quotes round it."""
    return word.strip('"') if word[0] == '"' else word


def plain(tokens: Sequence[str], at: int) -> str:
    """The word at that place, which must be one."""
    word = tokens[at]
    if word[0] in "{};,|^&()=<>!#$":
        raise NotUnderstood
    return unquoted(word)


def value(tokens: Sequence[str], at: int, kind: str) -> tuple[str, int]:
    """One value with a range or prefix, as one word."""
    if tokens[at] == "(" and tokens[at + 2] == ")":
        word, at = plain(tokens, at + 1), at + 3
    else:
        word, at = plain(tokens, at), at + 1
    sign = tokens[at]
    if sign == "-" or (sign == "/" and kind not in words.BITS and tokens[at + 1].isdigit()):
        return f"{word}{sign}{plain(tokens, at + 1)}", at + 2
    return word, at


def united(tokens: Sequence[str], at: int) -> tuple[list[str], int]:
    """The words of ``a``, ``(a)``, ``a | b`` or ``(a | b)``."""
    inside = tokens[at] == "("
    at += inside
    found = [plain(tokens, at)]
    at += 1
    while tokens[at] in ("|", "or") and (inside or tokens[at + 1][0] not in _SIGNS):
        found.append(plain(tokens, at + 1))
        at += 2
    if inside and tokens[at] != ")":
        raise NotUnderstood
    return found, at + inside


@lru_cache(maxsize=8192)
def read_words(kind: str, form: str, found: tuple[str, ...]) -> Values:
    """One value or several, by their kind."""
    parts = [part(kind, word) for word in found]
    elements = [(one,) for one in parts if one is not None]
    return Values(form, elements if len(elements) == len(parts) else None)


def right(tokens: Sequence[str], at: int, what: Key) -> tuple[Values, list[str], int]:
    """What a key is compared with, its words where they are single, and where that ends."""
    token = tokens[at]
    if token == "{":
        elements, whole, at = braces(tokens, at, what.kinds)
        return Values("set", elements if whole else None), [], at
    if token[0] == "@" and len(token) > 1 and tokens[at + 1] != ",":
        return Values("ref", None, token[1:]), [], at + 1
    if len(what.kinds) > 1:
        return _concatenated(tokens, at, what.kinds)
    kind = what.kinds[0]
    if token == "(" and tokens[at + 2] != ")":
        found, at = united(tokens, at)
        return read_words(kind, "or", tuple(found)), found, at
    word, at = value(tokens, at, kind)
    form, found = "one", [word]
    sign = tokens[at]
    while sign in (",", "|", "or") and sign == tokens[at]:
        form = "list" if sign == "," else "or"
        word, at = value(tokens, at + 1, kind)
        found.append(word)
    return read_words(kind, form, tuple(found)), found, at


def _concatenated(tokens: Sequence[str], at: int, kinds: tuple[str, ...]) -> tuple[Values, list[str], int]:
    parts: list[Part | None] = []
    for kind in kinds:
        if parts:
            if tokens[at] != ".":
                raise NotUnderstood
            at += 1
        word, at = value(tokens, at, kind)
        parts.append(part(kind, word))
    element = tuple(one for one in parts if one is not None)
    return Values("one", [element] if len(element) == len(kinds) else None), [], at


def groups(tokens: Sequence[str], at: int) -> Iterator[tuple[list[str], int]]:
    """The words of each element between the braces that begin there, and where they end (of the last: after them).

    Sets within the set, which come of variables, are part of it.
    """
    depth, size = 0, len(tokens)
    group: list[str] = []
    while at < size:
        token = tokens[at]
        at += 1
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                yield group, at
                return
        elif token == ",":
            yield group, at
            group = []
        else:
            group.append(token)
    raise NotUnderstood


def braces(tokens: Sequence[str], at: int, kinds: tuple[str, ...]) -> tuple[list[Element], bool, int]:
    """The elements of a set, whether all of them were understood, and where it ends."""
    found: list[Element] = []
    whole, kind = True, kinds[0]
    last: Element | None = None
    read: Element | None
    for group, end in groups(tokens, at):
        at = end
        if len(group) == 1 and len(kinds) == 1 and group[0] != "*":
            one = part(kind, unquoted(group[0]))
            read = None if one is None else (one,)
        elif not group:
            continue
        elif group == ["*"]:
            last = ("*",) * len(kinds)
            continue
        else:
            read = element(group, kinds)
        if read is None:
            whole = False
        else:
            found.append(read)
    if last is not None:
        found.append(last)
    return found, whole, at


def element(group: Sequence[str], kinds: tuple[str, ...]) -> Element | None:
    """One element, less its options; None if it is not understood."""
    pieces: list[list[str]] = [[]]
    for number, token in enumerate(group):
        if token in _OPTIONS and number:
            break
        if token == ".":
            pieces.append([])
        elif token not in "()":
            pieces[-1].append(token)
    if pieces == [["*"]] and len(kinds) > 1:
        return ("*",) * len(kinds)
    if len(pieces) != len(kinds):
        return None
    parts = [_piece(kind, piece) for kind, piece in zip(kinds, pieces, strict=True)]
    found = tuple(one for one in parts if one is not None)
    return found if len(found) == len(kinds) else None


def _piece(kind: str, piece: list[str]) -> Part | None:
    if not piece:
        return None
    if "|" in piece:
        total = 0
        for word in piece[::2]:
            one = part(kind, unquoted(word))
            if one is None or isinstance(one, str):
                return None
            total |= one[0]
        return (total, total)
    if len(piece) == 1:
        return part(kind, unquoted(piece[0]))
    if len(piece) in (2, 3) and all(word[0] not in _SIGNS or word[0] == '"' for word in piece):
        return part(kind, "".join(unquoted(word) for word in piece))
    return None


def pairs(tokens: Sequence[str], at: int, kinds: tuple[str, ...]) -> tuple[list[tuple[Element | None, list[str]]], int]:
    """The keys of a map with the words of their values; a key of None is not understood.

    The key for all others, alone whatever the fields, comes last.
    """
    found: list[tuple[Element | None, list[str]]] = []
    last: list[tuple[Element | None, list[str]]] = []
    for group, end in groups(tokens, at):
        at = end
        if group:
            key, data = _divided(group)
            if key[:1] == ["*"]:
                last.append((("*",), data))
            else:
                found.append((element(key, kinds) if key else None, data))
    return found + last, at


def _divided(group: list[str]) -> tuple[list[str], list[str]]:
    if ":" in group:
        at = group.index(":")
        return group[:at], group[at + 1 :]
    for at, token in enumerate(group):
        if token[0] == '"':
            continue
        if ":::" in token[:-3]:
            end = token.index(":::") + 2
            return [*group[:at], token[:end]], [token[end + 1 :], *group[at + 1 :]]
        if token[-1] == ":" and (not token.endswith("::") or token.endswith(":::")):
            return [*group[:at], token[:-1]], group[at + 1 :]
        if token[0] == ":" and token[1:2] != ":":
            return group[:at], [token[1:], *group[at + 1 :]]
        if found := _GLUED.match(token):
            return [*group[:at], found[1]], [found[2], *group[at + 1 :]]
    return group, []


def verdict(tokens: Sequence[str]) -> Verdict | None:
    """``accept``, ``drop``, ``jump other`` …, as a map's value."""
    if not tokens or tokens[0] not in VERDICTS:
        return None
    if tokens[0] in ("jump", "goto"):
        return Verdict(kind=tokens[0], target=unquoted(tokens[1])) if len(tokens) > 1 else None
    return Verdict(kind=tokens[0])


def guessed(tokens: Sequence[str], at: int) -> tuple[str, ...]:
    """The kinds of the elements of a set that says nothing of its type."""
    for group, _ in groups(tokens, at):
        if group:
            return tuple(looks_like(unquoted(token)) for token in group if token != "." and token not in _OPTIONS)
    return ("any",)


def operator(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """The operator that stands there, or none."""
    op = OPERATORS.get(tokens[at])
    return ("", at) if op is None else (op, at + 1)
