"""The model of a packet filter, whichever program listed it: what nftables and iptables have in common.

Readers (``nft_text``, ``nft_json``, ``iptables`` …) make it, ``walk`` evaluates it. Fields are named as ``nft list
ruleset`` prints them, and iptables' matches are given the same names, so that there is one vocabulary:

========================================  ==========================================================================
``iifname`` ``oifname``                   interface names (``iif "lo"`` too: it is printed as a name)
``meta nfproto``                          ``ipv4`` ``ipv6``
``meta l4proto``                          protocol numbers (6 is TCP); ``ip protocol``, ``ip6 nexthdr`` likewise
``ip saddr`` ``ip daddr`` ``ip6 …``       addresses, as integers
``tcp dport`` ``th sport`` ``udp …``      ports; ``tcp flags``: fin 1, syn 2, rst 4, psh 8, ack 16, urg 32
``icmp type`` ``icmpv6 type``             numbers
``ct state``                              ``new`` ``established`` ``related`` ``invalid`` ``untracked``
``ct status``                             ``dnat`` ``snat`` …; ``ct direction``: ``original`` ``reply``
``ct original proto-dst``                 the port before translation; ``ct original ip daddr`` … likewise
``meta mark`` ``ct mark``                 numbers
``meta pkttype``                          ``host`` ``broadcast`` ``multicast`` (``unicast`` is printed for host)
``fib daddr type`` ``fib saddr type``     ``local`` ``unicast`` ``broadcast`` ``multicast``
``fib saddr oif`` (also ``. iif``)        an interface name, or ``missing``
========================================  ==========================================================================

A field that the packet does not know is no error: such a match may or may not hold.
"""

from __future__ import annotations

import msgspec

from forgedoctor.message import Message

# An inclusive range of numbers, or a name; a name that ends in ``*`` matches any name that begins so.
Part = tuple[int, int] | str
Element = tuple[Part, ...]  # one part for each field


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """The elements of a set, named or written in a rule.

    ``complete`` is false where it may hold others at the moment of the connection: rules or programs fill it, its
    elements expire, or it could not be read whole. ``why`` names that (``dynamic``, ``timeout``, ``ipset``).
    """

    elements: tuple[Element, ...] = ()
    complete: bool = True
    why: str = ""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Holds when the fields' values stand in relation to the members (or the named set).

    ``op`` is ``==``, ``!=``, ``<``, ``>``, ``<=``, ``>=``. A ``mask`` is applied to the (only) field before.
    A field that the packet cannot have (``ip saddr`` of an IPv6 packet) makes the match false whatever ``op`` is.
    """

    fields: tuple[str, ...]
    op: str = "=="
    members: Members = Members()
    named: str = ""
    mask: int | None = None


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the text alone does not decide, or that is not understood: it may hold or not.

    ``construct`` names it for people (``limit``, ``recent``, ``queue``, ``set @x``). With ``anything`` it may do
    whatever a rule can do: accept, drop, jump.
    """

    construct: str
    anything: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What ends or diverts the walk: ``accept``, ``drop``, ``reject``, ``jump``, ``goto``, ``return``, ``continue``.

    ``target``: the chain of a jump or goto; of a reject what is sent: ``tcp reset`` or the ICMP type as nft names it
    (``port-unreachable``, ``admin-prohibited``, ``host-prohibited``, ``host-unreachable``, ``no-route`` …).
    """

    kind: str
    target: str = ""


class VerdictMap(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict looked up by the fields' values; none found: the next rule."""

    fields: tuple[str, ...]
    entries: tuple[tuple[Element, Verdict], ...] = ()
    named: str = ""


class SetField(msgspec.Struct, frozen=True, kw_only=True):
    """``field`` becomes ``(old & keep) ^ value``; ``value`` None: a number that is not known.

    ``source``: the value is that of another field (``meta mark set ct mark``), masked by ``source_mask``.
    ``fields`` and ``entries``: it is looked up (``meta mark set ip saddr map { … }``); ``named`` a named map.
    """

    field: str
    value: int | None = None
    keep: int = 0
    source: str = ""
    source_mask: int = 0xFFFFFFFF
    fields: tuple[str, ...] = ()
    entries: tuple[tuple[Element, int], ...] = ()
    named: str = ""


class Translate(msgspec.Struct, frozen=True, kw_only=True):
    """NAT: ``dnat``, ``snat``, ``redirect``, ``masquerade``; or ``tproxy``.

    ``address``: the (first) new address, empty where it stays; ``last`` the last of a range. ``port``: new ports
    (first, last), None where they stay. ``fields`` and ``entries`` (or ``named``): address and port are looked up.
    """

    kind: str
    address: str = ""
    last: str = ""
    port: tuple[int, int] | None = None
    fields: tuple[str, ...] = ()
    entries: tuple[tuple[Element, tuple[str, int | None]], ...] = ()
    named: str = ""


class NoTrack(msgspec.Struct, frozen=True, kw_only=True):
    """The packet is not tracked: its ``ct state`` is ``untracked``."""


Statement = Match | Unknown | Verdict | VerdictMap | SetField | Translate | NoTrack


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its statements in order (counters, logs and comments left out), as written, and the line it is in."""

    statements: tuple[Statement, ...] = ()
    text: str = ""
    line: int = 0


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain; a base chain has a ``hook`` (``ingress``, ``prerouting``, ``input``, ``forward``, ``output``,
    ``postrouting``), a ``type`` (``filter``, ``nat``, ``route``), a ``priority`` and a ``policy``.

    ``devices``: those of an ingress chain; None where the listing does not say.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    hook: str = ""
    type: str = "filter"
    priority: int = 0
    policy: str = "accept"
    devices: tuple[str, ...] | None = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of one family: ``ip``, ``ip6``, ``inet``, ``netdev``, ``bridge``, ``arp``.

    ``engine`` says who evaluates and lists it: ``nft``; ``iptables-nft`` (in an nft listing too, there without its
    extensions); ``iptables-legacy``. ``dormant``: None where the listing does not say. ``maps`` hold the entries of
    named maps: verdicts, numbers, or (address, port).
    """

    family: str
    name: str
    chains: dict[str, Chain] = {}
    sets: dict[str, Members] = {}
    maps: dict[str, tuple[tuple[Element, object], ...]] = {}
    dormant: bool | None = False
    engine: str = "nft"


class Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    """One listing, read. ``kind``: ``nft-text``, ``nft-json``, ``iptables``, ``ip6tables`` (each nft or legacy, see
    ``engine`` of its tables), ``ipset``, ``ufw-status``, ``firewalld`` …

    ``source``: the file or command. ``legacy``: an iptables listing of the legacy engine. ``problems``: what of it
    could not be read, in sentences (with file and line). ``cut``: it ends in the middle, so rules may be missing.
    """

    kind: str
    source: str = ""
    tables: tuple[Table, ...] = ()
    sets: dict[str, Members] = {}
    legacy: bool = False
    problems: tuple[Message, ...] = ()
    cut: bool = False
