"""What each match of iptables asks, in the words of the model. Source: iptables-extensions(8), and measured.

A match that the text alone does not decide, or that is not known here, becomes an ``Unknown`` that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from forgedoctor.firewall import iptables_values as read
from forgedoctor.firewall.iptables_options import OPTIONS, Context, Found, names, never
from forgedoctor.firewall.iptables_words import Option
from forgedoctor.firewall.model import Match, Unknown


def _nothing(options: Sequence[Option], context: Context) -> Found:
    return []


def _recent(options: Sequence[Option], context: Context) -> Found:
    """``--set`` notes the address and always holds; the others ask what was noted."""
    asks = any(one.name in ("--rcheck", "--update", "--remove", "--set") and one.negated for one in options)
    sets = any(one.name == "--set" for one in options)
    return [] if sets and not asks else [Unknown(construct="recent")]


def _reverse_path(options: Sequence[Option], context: Context) -> Found:
    names = {one.name for one in options}
    if names - {"--loose", "--validmark", "--accept-local", "--invert"}:
        return [Unknown(construct="rpfilter")]
    mark = " . mark" if "--validmark" in names else ""
    interface = "" if "--loose" in names else " . iif"
    return [read.matching(f"fib saddr{mark}{interface} oif", ("missing",), "--invert" not in names)]


def _policy(options: Sequence[Option], context: Context) -> Found:
    """Whether the packet came (or leaves) through IPsec."""
    by_name = {one.name: one for one in options}
    way, kind = by_name.pop("--dir", None), by_name.pop("--pol", None)
    if way is None or kind is None or kind.value not in ("ipsec", "none") or kind.negated:
        return [Unknown(construct="policy")]
    if way.value != "in":
        return [Unknown(construct="policy")]
    there = 1 if kind.value == "ipsec" else 0
    held = read.matching("meta secpath", ((there, there),), False)
    return [held, Unknown(construct="policy")] if by_name else [held]


def _address_type(options: Sequence[Option], context: Context) -> Found:
    given = {one.name for one in options}
    interface = " . iif" if "--limit-iface-in" in given else " . oif" if "--limit-iface-out" in given else ""
    found: Found = []
    for one in options:
        if one.name in ("--src-type", "--dst-type"):
            which = "saddr" if one.name == "--src-type" else "daddr"
            found.append(read.matching(f"fib {which}{interface} type", names(one.value), one.negated))
    return found


def _set(options: Sequence[Option], context: Context) -> Found:
    """``--match-set NAME src,dst``: the set's type says what each word stands for."""
    found: Found = []
    for one in options:
        if one.name == "--match-set" and len(one.values) == 2:
            found.append(_of_set(one, context))
        elif one.name not in ("--return-nomatch", "--update-counters", "--update-subcounters"):
            found.append(Unknown(construct=f"set {one.name}"))
    return found


def _of_set(option: Option, context: Context) -> Match:
    name, ways = option.values
    op = "!=" if option.negated else "=="
    known = context.sets.get(name) if context.sets is not None else None
    if known is None:
        fields = tuple(f"{context.ip} {way[0]}addr" for way in ways.split(","))
        return Match(fields=fields, op=op, named=name)
    fields = known.fields(ways.split(","), context.six)
    if not fields:  # a set of the other family, or of more dimensions: the kernel finds nothing in it
        return never(option.negated)
    return Match(fields=fields, op=op, named=name)


def _header(name: str) -> Callable[[Sequence[Option], Context], Found]:
    """A header between IPv6 and the protocol: it must be there; what is asked of it is left open."""

    def there(options: Sequence[Option], context: Context) -> Found:
        held: Found = [read.matching(f"exthdr {name}", ((1, 1),), False)]
        return [*held, Unknown(construct=name)] if options else held

    return there


# Matches whose options belong together.
GROUPS: dict[str, Callable[[Sequence[Option], Context], Found]] = {
    "comment": _nothing,
    "nfacct": _nothing,
    "standard": _nothing,
    "recent": _recent,
    "rpfilter": _reverse_path,
    "policy": _policy,
    "addrtype": _address_type,
    "set": _set,
    "rt": _header("rt"),
    "frag": _header("frag"),
    "hbh": _header("hbh"),
    "dst": _header("dst"),
    "srh": _header("srh"),
}


def match(module: str, options: Sequence[Option], context: Context) -> Found:
    """What ``-m MODULE`` with those options asks."""
    module = "icmp6" if module == "icmpv6" else module
    try:
        if context.six and module in ("ah", "length"):  # ah is a header between there; length counts more than a field
            return _header("ah")(options, context) if module == "ah" else [Unknown(construct=module)]
        if module in GROUPS:
            return GROUPS[module](options, context)
        if module not in OPTIONS or (not options and module not in ("tcp", "udp")):
            return [Unknown(construct=module)]
        found: Found = []
        for one in options:
            reader = OPTIONS[module].get(one.name)
            found += reader(one, context) if reader else [Unknown(construct=f"{module} {one.name.lstrip('-')}")]
        return found
    except (ValueError, KeyError):
        return [Unknown(construct=module)]
