"""What each target of iptables does, in the words of the model. Source: iptables-extensions(8), and measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from forgedoctor.firewall import iptables_values as read
from forgedoctor.firewall.iptables_options import Context
from forgedoctor.firewall.iptables_words import Option
from forgedoctor.firewall.model import NoTrack, SetField, Statement, Translate, Unknown, Verdict

_Done = list[Statement]
# They write a log, count, or change what no later rule asks for, and the next rule follows.
HARMLESS = {
    "ACCOUNT", "AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "DSCP", "ECN", "HL", "IDLETIMER", "LED", "LOG", "NFLOG",
    "RATEEST", "SECMARK", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG",
}  # fmt: skip
# The names of ``reject with`` in nft, by those of ``--reject-with``.
REJECTS = {
    "icmp-net-unreachable": "net-unreachable",
    "icmp-host-unreachable": "host-unreachable",
    "icmp-proto-unreachable": "prot-unreachable",
    "icmp-port-unreachable": "port-unreachable",
    "icmp-net-prohibited": "net-prohibited",
    "icmp-host-prohibited": "host-prohibited",
    "icmp-admin-prohibited": "admin-prohibited",
    "net-unreach": "net-unreachable",
    "host-unreach": "host-unreachable",
    "proto-unreach": "prot-unreachable",
    "port-unreach": "port-unreachable",
    "net-prohib": "net-prohibited",
    "host-prohib": "host-prohibited",
    "admin-prohib": "admin-prohibited",
    "icmp6-no-route": "no-route",
    "no-route": "no-route",
    "icmp6-adm-prohibited": "admin-prohibited",
    "adm-prohibited": "admin-prohibited",
    "icmp6-addr-unreachable": "addr-unreachable",
    "addr-unreach": "addr-unreachable",
    "icmp6-port-unreachable": "port-unreachable",
    "icmp6-policy-fail": "policy-fail",
    "policy-fail": "policy-fail",
    "icmp6-reject-route": "reject-route",
    "reject-route": "reject-route",
    "tcp-reset": "tcp reset",
    "tcp-rst": "tcp reset",
}
_DESTINATION = re.compile(r"(?:\[([^\]/]*)\]|([^:\[\]/]*))(?::(\d+)(?:-(\d+))?)?")


def _reject(options: Sequence[Option], context: Context) -> _Done:
    asked = [one.value for one in options if one.name == "--reject-with"]
    return [Verdict(kind="reject", target=REJECTS.get(asked[-1], asked[-1]) if asked else "port-unreachable")]


def _mark(options: Sequence[Option], context: Context) -> _Done:
    return [_set_mark("meta mark", one) for one in options]


def _set_mark(field: str, option: Option) -> SetField:
    """``--set-mark`` clears the bits of the mask and of the value, ``--set-xmark`` those of the mask."""
    value, mask = read.marks(option.value)
    if option.name == "--set-mark":
        return SetField(field=field, value=value, keep=read.WHOLE & ~(mask | value))
    if option.name == "--set-xmark":
        return SetField(field=field, value=value, keep=read.WHOLE & ~mask)
    if option.name == "--and-mark":
        return SetField(field=field, value=0, keep=value)
    if option.name == "--or-mark":
        return SetField(field=field, value=value, keep=read.WHOLE & ~value)
    if option.name == "--xor-mark":
        return SetField(field=field, value=value, keep=read.WHOLE)
    raise ValueError(f"no mark: {option.name}")


def _connection_mark(options: Sequence[Option], context: Context) -> _Done:
    by_name = {one.name: one.value for one in options}
    mask = by_name.get("--mask", "0xffffffff")
    packet, connection = (read.number(by_name.get(name, mask)) for name in ("--nfmask", "--ctmask"))
    if "--save-mark" in by_name:
        keep = read.WHOLE & ~connection
        return [SetField(field="ct mark", keep=keep, source="meta mark", source_mask=packet)]
    if "--restore-mark" in by_name:
        keep = read.WHOLE & ~packet
        return [SetField(field="meta mark", keep=keep, source="ct mark", source_mask=connection)]
    return [_set_mark("ct mark", one) for one in options if one.name.endswith("mark")]


def _translated(kind: str, name: str) -> Callable[[Sequence[Option], Context], _Done]:
    def one(options: Sequence[Option], context: Context) -> _Done:
        asked = [option.value for option in options if option.name == name]
        text = asked[0] if len(asked) == 1 else "/"
        found = _DESTINATION.fullmatch(f"[{text}]" if context.six and "[" not in text else text)
        if found is None:  # several, or ports that are shifted
            return [Unknown(construct=kind.upper(), anything=True)]
        bracketed, plain, low, high = found.groups()
        first, _, last = (bracketed or plain or "").partition("-")
        for each in filter(None, (first, last)):
            read.address(each, context.six)
        return [Translate(kind=kind, address=first, last=last, port=_ports(low, high))]

    return one


def _ports(low: str | None, high: str | None) -> tuple[int, int] | None:
    return (int(low), int(high or low)) if low else None


def _redirect(options: Sequence[Option], context: Context) -> _Done:
    asked = [one.value for one in options if one.name == "--to-ports"]
    return [Translate(kind="redirect", port=read.dashed(asked[0]) if asked else None)]


def _masquerade(options: Sequence[Option], context: Context) -> _Done:
    return [Translate(kind="masquerade")]


def _proxy(options: Sequence[Option], context: Context) -> _Done:
    by_name = {one.name: one.value for one in options}
    done: _Done = []
    if "--tproxy-mark" in by_name:
        value, mask = read.marks(by_name["--tproxy-mark"])
        done.append(SetField(field="meta mark", value=value, keep=read.WHOLE & ~mask))
    port, address = by_name.get("--on-port", "0"), by_name.get("--on-ip", "")
    address = "" if address in ("0.0.0.0", "::") else address
    return [*done, Translate(kind="tproxy", address=address, port=read.dashed(port) if port != "0" else None)]


def _tracking(options: Sequence[Option], context: Context) -> _Done:
    return [NoTrack()] if any(one.name == "--notrack" for one in options) else []


def _untracked(options: Sequence[Option], context: Context) -> _Done:
    return [NoTrack()]


def _hashed_mark(options: Sequence[Option], context: Context) -> _Done:
    return [SetField(field="meta mark")]


def _set(options: Sequence[Option], context: Context) -> _Done:
    """What it adds or deletes is noted with the set; ``--map-set`` may change the mark."""
    return [SetField(field="meta mark")] if any(one.name == "--map-mark" for one in options) else []


TARGETS: dict[str, Callable[[Sequence[Option], Context], _Done]] = {
    "REJECT": _reject,
    "MARK": _mark,
    "CONNMARK": _connection_mark,
    "DNAT": _translated("dnat", "--to-destination"),
    "SNAT": _translated("snat", "--to-source"),
    "REDIRECT": _redirect,
    "MASQUERADE": _masquerade,
    "TPROXY": _proxy,
    "CT": _tracking,
    "NOTRACK": _untracked,
    "HMARK": _hashed_mark,
    "SET": _set,
}
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}
_NAMED = {"NFQUEUE": "queue", "QUEUE": "queue"}


def target(name: str, options: Sequence[Option], context: Context, goto: bool) -> _Done:
    """What ``-j NAME`` (or ``-g NAME``) with those options does; a target that is not known may do anything."""
    if name in context.chains:
        return [Verdict(kind="goto" if goto else "jump", target=name)]
    if name in _VERDICTS and not goto:
        return [Verdict(kind=_VERDICTS[name])]
    if name in HARMLESS:
        return []
    if name in TARGETS:
        try:
            return TARGETS[name](options, context)
        except ValueError:
            pass
    return [Unknown(construct=_NAMED.get(name, name), anything=True)]
