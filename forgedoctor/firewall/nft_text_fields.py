"""The left side of a match in nftables' text: which field is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.firewall import nft_words as words
from forgedoctor.firewall._nft_build import Number, combine
from forgedoctor.firewall._nft_match import OPERATORS, Key, flag_mask, joined, key
from forgedoctor.firewall._nft_values import number
from forgedoctor.firewall.nft_text_words import NotUnderstood, plain, united

_BINARY = {
    "&": "&",
    "and": "&",
    "|": "|",
    "or": "|",
    "^": "^",
    "xor": "^",
    "<<": "<<",
    "lshift": "<<",
    ">>": ">>",
    "rshift": ">>",
}
_STRENGTH = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4}
_TUNNELS = ("vxlan", "geneve", "gre", "gretap")
_RAW = ("@ll", "@nh", "@th", "@ih")


def left(tokens: Sequence[str], at: int) -> tuple[Key, list[str], int]:
    """What is compared, the words of its mask where they are names, and where it ends."""
    first, mask, at = _masked(tokens, at)
    if tokens[at] != ".":
        return first, mask, at
    keys = [first]
    while tokens[at] == ".":
        if number(tokens[at + 1]) is not None:  # a constant, which only the key of a set that is filled may have
            keys.append(Key((), (), tokens[at + 1], clear=False))
            at += 2
            continue
        one, _, at = _masked(tokens, at + 1)
        keys.append(one)
    return joined(keys), [], at


def _masked(tokens: Sequence[str], at: int) -> tuple[Key, list[str], int]:
    what, at = primary(tokens, at)
    mask: list[str] = []
    while (sign := _BINARY.get(tokens[at])) is not None:
        if sign != "&" or mask or what.mask is not None or not what.clear:
            what = what._replace(clear=False)
        mask, at = united(tokens, at + 1)
        if sign == "&" and (bits := flag_mask(what.kinds[0], mask)) is not None:
            what, mask = what._replace(mask=bits if what.mask is None else what.mask), []
        elif sign != "&":
            what, mask = what._replace(clear=False), []
    return what, mask, at


def primary(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    """One field."""
    token = tokens[at]
    if token in words.META_UNQUALIFIED:
        return key("meta", token), at + 1
    if token in words.KINDS:
        following = tokens[at + 1]
        if following in words.KINDS[token]:
            return key(token, following), at + 2
        return _header(token, tokens, at + 1)
    if token == "meta":
        return key("meta", plain(tokens, at + 1)), at + 2
    if token in _OTHERS:
        return _OTHERS[token](tokens, at + 1)
    if token[:3] in _RAW and tokens[at + 1] == tokens[at + 3] == ",":
        return key("".join(tokens[at : at + 5]), ""), at + 5
    if token == "(":
        inner, _, at = left(tokens, at + 1)
        if tokens[at] != ")":
            raise NotUnderstood
        return inner._replace(clear=False), at + 1
    raise NotUnderstood


def _header(head: str, tokens: Sequence[str], at: int) -> tuple[Key, int]:
    name = plain(tokens, at)
    at += 1
    if name in ("option", "chunk"):
        return _option(head, name, tokens, at)
    if head == "arp" and name in ("saddr", "daddr") and tokens[at] in ("ip", "ether"):
        return key(head, f"{name} {tokens[at]}"), at + 1
    if name in words.KINDS and (head in _TUNNELS or (head == "rt" and name in words.NFPROTO)):
        return key(head, f"{name} {plain(tokens, at)}"), at + 1
    if head == "socket" and name == "cgroupv2" and tokens[at] == "level":
        return key(head, name), at + 2
    if not name[:1].isalpha() or name in _BINARY:
        raise NotUnderstood
    return key(head, name), at


def _option(head: str, name: str, tokens: Sequence[str], at: int) -> tuple[Key, int]:
    """``tcp option maxseg size``, ``ip option rr``, ``sctp chunk data``, ``tcp option @255,8,8``."""
    if tokens[at][0] == "@":
        return key(head, f"{name} {''.join(tokens[at : at + 5])}"), at + 5
    name = f"{name} {plain(tokens, at)}"
    following = tokens[at + 1]
    if following in ("exists", "missing") or following in OPERATORS or not following[0].isalpha():
        return key(head, name), at + 1
    return key(head, f"{name} {following}"), at + 2


def _ct(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    found = [plain(tokens, at)]
    if found[0] in ("original", "reply"):
        at += 1
        found.append(plain(tokens, at))
    if found[-1] in words.NFPROTO:
        at += 1
        found.append(plain(tokens, at))
    elif found[-1] in ("saddr", "daddr"):  # as old versions write it
        address = next((one for one in tokens[at + 1 : at + 4] if "." in one or ":" in one), "")
        found.insert(-1, "ip6" if ":" in address else "ip")
    return key("ct", " ".join(found)), at + 1


def _fib(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    flags = [plain(tokens, at)]
    while tokens[at + 1] == ".":
        at += 2
        flags.append(plain(tokens, at))
    return key("fib", f"{' . '.join(flags)} {plain(tokens, at + 1)}"), at + 2


def _numgen(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    mode, at = plain(tokens, at), at + 1
    size, offset, at = _modulo(tokens, at)
    return key("numgen", f"{mode} mod {size}{offset}"), at


def _modulo(tokens: Sequence[str], at: int) -> tuple[str, str, int]:
    if tokens[at] != "mod":
        raise NotUnderstood
    size, offset, at = plain(tokens, at + 1), "", at + 2
    while tokens[at] in ("seed", "offset"):
        if tokens[at] == "offset" and tokens[at + 1] != "0":
            offset = f" offset {tokens[at + 1]}"
        at += 2
    return size, offset, at


def _jhash(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    _, _, at = left(tokens, at)
    _, _, at = _modulo(tokens, at)
    return key("jhash", ""), at


def _symhash(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    _, _, at = _modulo(tokens, at)
    return key("symhash", ""), at


def _osf(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    at += 2 if tokens[at] == "ttl" else 0
    return key("osf", plain(tokens, at)), at + 1


def _ipsec(tokens: Sequence[str], at: int) -> tuple[Key, int]:
    if tokens[at] in ("exists", "missing"):
        return key("meta", "ipsec"), at
    direction, at = plain(tokens, at), at + 1
    at += 2 if tokens[at] == "spnum" else 0
    name, at = plain(tokens, at), at + 1
    if name in words.NFPROTO:
        name, at = f"{name} {plain(tokens, at)}", at + 1
    return key("ipsec", f"{direction} {name}"), at


_OTHERS = {
    "ct": _ct,
    "fib": _fib,
    "numgen": _numgen,
    "jhash": _jhash,
    "symhash": _symhash,
    "osf": _osf,
    "ipsec": _ipsec,
}


def computed(tokens: Sequence[str], at: int, floor: int = 0) -> tuple[Number | None, int]:
    """A number, or a field with a mask and the like: the value that a mark is set to."""
    found, at = _operand(tokens, at)
    while (sign := _BINARY.get(tokens[at])) is not None and _STRENGTH[sign] > floor:
        other, at = computed(tokens, at + 1, _STRENGTH[sign])
        found = combine(found, sign, other)
    return found, at


def _operand(tokens: Sequence[str], at: int) -> tuple[Number | None, int]:
    token = tokens[at]
    if token == "(":
        found, at = computed(tokens, at + 1)
        if tokens[at] != ")":
            raise NotUnderstood
        return found, at + 1
    value = number(token)
    if value is not None:
        return Number("", 0, value), at + 1
    if token in words.KINDS or token in words.META_UNQUALIFIED or token in _OTHERS or token == "meta":
        what, at = primary(tokens, at)
        kept = what.kinds[0] == "number" and len(what.fields) == 1
        return Number(what.name, (1 << 128) - 1, 0) if kept else None, at
    plain(tokens, at)
    return None, at + 1
