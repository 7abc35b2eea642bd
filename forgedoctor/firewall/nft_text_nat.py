"""Translations in nftables' text: dnat, snat, masquerade, redirect, tproxy."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_build import translate
from forgedoctor.firewall._nft_maps import Data, place, translation
from forgedoctor.firewall._nft_match import Key
from forgedoctor.firewall._nft_values import part
from forgedoctor.firewall.model import Statement, Translate
from forgedoctor.firewall.nft_text_fields import left
from forgedoctor.firewall.nft_text_words import NotUnderstood, pairs, plain, unquoted

_FLAGS = frozenset({"random", "fully-random", "persistent", "netmap"})


def nat(tokens: Sequence[str], at: int, found: list[Statement], family: str) -> int:
    """Read one translation; where it ends."""
    kind, at = tokens[at], at + 1
    wanted, prefix = "", False
    if tokens[at] in words.NFPROTO and tokens[at + 1] in ("to", "addr", "prefix", "interval"):
        wanted, at = tokens[at], at + 1
    while tokens[at] in ("addr", ".", "port", "prefix", "interval"):
        prefix, at = prefix or tokens[at] == "prefix", at + 1
    given = tokens[at] == "to"
    at += given
    made: Translate | None = Translate(kind=kind)
    if given or tokens[at] not in _FLAGS:
        made, at = _where(kind, tokens, at, given or kind in ("dnat", "snat"))
    while tokens[at] in _FLAGS:
        prefix = prefix or tokens[at] == "netmap"
        at += 2 if tokens[at + 1] == "," else 1
    found.extend(translate(kind, family, wanted, None if prefix else made))
    return at


def _where(kind: str, tokens: Sequence[str], at: int, needed: bool) -> tuple[Translate | None, int]:
    """Address and port, or the map in which they are."""
    if not needed and (tokens[at][0] not in ":[" and not tokens[at][0].isdigit()):
        return Translate(kind=kind), at
    looked, after = _looked_up(tokens, at)
    if looked is not None:
        made, at = _mapped(kind, "", "", looked, tokens, after)
        if tokens[at][0] == ":":  # a port after a looked-up address
            _, at = _address(tokens, at)
            return None, at
        return made, at
    text, at = _address(tokens, at)
    address, port = split(text)
    if kind == "redirect" and address and not port and part("port", address) is not None:
        address, port = "", address
    if port in words.KINDS or text.endswith(":"):  # 10.0.0.2:tcp dport map { … }
        at -= port in words.KINDS
        looked, after = _looked_up([*tokens[:at], port, *tokens[at + 1 :]] if port else tokens, at)
        if looked is None:
            raise NotUnderstood
        return _mapped(kind, *_ends(address), looked, tokens, after)
    return fixed(kind, address, port), at


def _looked_up(tokens: Sequence[str], at: int) -> tuple[Key | None, int]:
    """The key of a map that stands there, and where its elements begin."""
    if tokens[at] == ":" or tokens[at][0] == "[":
        return None, at
    try:
        what, _, after = left(tokens, at)
    except (NotUnderstood, IndexError):
        return None, at
    return (what, after + 1) if tokens[after] == "map" else (None, at)


def _mapped(
    kind: str, address: str, last: str, what: Key, tokens: Sequence[str], at: int
) -> tuple[Translate | None, int]:
    named, entries = "", []
    whole = what.clear and not last
    if tokens[at][0] == "@":
        named, at = tokens[at][1:], at + 1
    else:
        read, at = pairs(tokens, at, what.kinds)
        for key, data in read:
            target = place(_joined(data))
            if key is None or target is None:
                whole = False
            else:
                entries.append((key, target))
    return (translation(kind, address, what, tuple(entries), named) if whole else None), at


def _joined(data: Sequence[str]) -> Data:
    """The words of a map's value: an address, a port, or both."""
    if len(data) == 3 and data[1] == ".":
        return [unquoted(data[0]), unquoted(data[2])]
    return [unquoted(data[0])] if len(data) == 1 else []


def _address(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """An address with range and port as one word, however it is spaced; a port to look up keeps its first word."""
    text, at = plain(tokens, at), at + 1
    while True:
        token = tokens[at]
        glue = token in ("-", ":", "/") or token[0] in ":-" or (text[-1] in ":-/" and not _new_statement(token))
        if not glue or (text[-1] == ":" and token in words.KINDS):
            return text, at
        text, at = text + plain(tokens, at), at + 1


def _new_statement(token: str) -> bool:
    return not (token[0].isdigit() or token[0] == "[")


def split(text: str) -> tuple[str, str]:
    """Address and port of ``10.0.0.2-10.0.0.9:80-90``, ``[fd::2]:80``, ``fd::2``, ``:80``."""
    if "]" in text:
        address, _, port = text.rpartition("]")
        return address.replace("[", "").replace("]", ""), port.lstrip(":")
    if text.count(":") > 1:
        return text, ""
    address, _, port = text.partition(":")
    return address, port


def _ends(address: str) -> tuple[str, str]:
    first, _, last = address.partition("-")
    return first, last


def fixed(kind: str, address: str, port: str) -> Translate | None:
    """A translation to an address (or range) and a port (or range) that are written there."""
    first, last = _ends(address)
    ports = part("port", port) if port else None
    for one in (first, last):
        if one and part("ip6" if ":" in one else "ip4", one) is None:
            return None
    if "/" in address or (port and not isinstance(ports, tuple)):
        return None
    return Translate(kind=kind, address=first, last=last, port=ports if isinstance(ports, tuple) else None)
