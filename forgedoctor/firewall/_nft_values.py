"""What nftables prints for a value, read by the kind of the field it is compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall.model import Element, Part

_BITS = {"ip4": (AF_INET, 32), "ip6": (AF_INET6, 128)}
_TIME = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:\d+ms)?\Z")
_BOOLEANS = {"exists": 1, "missing": 0}
_SPAN = re.compile(r"(\w+)-(\w+)\Z")


@lru_cache(maxsize=16384)
def part(kind: str, word: str) -> Part | None:
    """The value that a word stands for: a range of numbers or a name; None where it is not understood."""
    if word == "*":
        return "*"
    if kind in _BITS:
        return _address(word, *_BITS[kind])
    numbers = words.NUMBERS.get(kind)
    if numbers is not None:
        return _numeric(word, numbers)
    if kind == "name":
        return None if "\\" in word or not word else word
    if kind in words.NAMES:
        return _named(kind, word)
    if kind == "iif":
        index = number(word)
        return word if index is None else (index, index)
    if kind == "fib":
        return "missing" if word in ("0", "false") else word
    return _time(word) if kind == "time" else _any(word)


def number(word: str) -> int | None:
    """A number as nft writes it: decimal, 0x… or, with a leading 0, octal."""
    try:
        if word.isdigit() and word.isascii() and len(word) < 40:
            return int(word) if word[0] != "0" or len(word) == 1 else int(word, 8)
        return int(word, 16) if word[:2] in ("0x", "0X") and len(word) < 40 and "_" not in word else None
    except ValueError:
        return None


def _address(word: str, family: int, bits: int) -> Part | None:
    try:
        if "/" in word:
            first, _, length = word.partition("/")
            low = int.from_bytes(inet_pton(family, first), "big")
            free = bits - int(length)
            if not 0 <= free <= bits:
                return None
            low = low >> free << free
            return (low, low + (1 << free) - 1)
        if "-" in word:
            first, _, last = word.partition("-")
            return (
                int.from_bytes(inet_pton(family, first), "big"),
                int.from_bytes(inet_pton(family, last), "big"),
            )
        low = int.from_bytes(inet_pton(family, word), "big")
    except (OSError, ValueError):
        return None
    return (low, low)


def _numeric(word: str, names: dict[str, int]) -> Part | None:
    found = names.get(word) if word in names else number(word)
    if found is not None:
        return (found, found)
    for at, sign in enumerate(word[:80]):
        if sign == "-":
            low, high = _single(word[:at], names), _single(word[at + 1 :], names)
            if low is not None and high is not None:
                return (low, high)
    return None


def _single(word: str, names: dict[str, int]) -> int | None:
    return names[word] if word in names else number(word)


def _named(kind: str, word: str) -> Part | None:
    names = words.NAMES[kind]
    value = number(word)
    if value is not None:
        return names.get(value)
    if kind == "pkttype" and word == "unicast":
        return "host"
    return word if word in names.values() else None


def _time(word: str) -> Part | None:
    """A time span (``1h30m``) or a range of them, in seconds."""
    first, sign, last = word.partition("-")
    if sign:
        low, high = _time(first), _time(last)
        return (low[0], high[1]) if isinstance(low, tuple) and isinstance(high, tuple) else word
    found = _TIME.match(word)
    if word and found and not word.isdigit():
        weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
        total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
        return (total, total)
    return _any(word)


def _any(word: str) -> Part:
    """A value of a field or set whose type is not known, by its looks."""
    value = _BOOLEANS.get(word) if word in _BOOLEANS else number(word)
    if value is not None:
        return (value, value)
    if word[:1].isdigit() and (found := _SPAN.match(word)):
        low, high = number(found[1]), number(found[2])
        if low is not None and high is not None:
            return (low, high)
    return word


def looks_like(word: str) -> str:
    """The kind of an element of a set whose type is not known."""
    if part("ip4", word) is not None:
        return "ip4"
    return "ip6" if ":" in word and part("ip6", word) is not None else "any"


def single(kind: str, word: str) -> int | None:
    """A value that is one number, such as a mask."""
    found = part(kind, word)
    return found[0] if isinstance(found, tuple) and found[0] == found[1] else None


def elements(kind: str, found: Iterable[str]) -> list[Element] | None:
    """The elements of a set with one field; None if one of them is not understood."""
    read: list[Element] = []
    for word in found:
        value = part(kind, word)
        if value is None:
            return None
        read.append((value,))
    return read
