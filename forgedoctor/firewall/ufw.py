"""What ``ufw status`` lists, as a ruleset; and ufw's own settings. Source: ufw(8), ufw 0.36.2 (backend_iptables.py).

The listing is a summary: it holds what was asked of ufw, and not the rules that ufw brings along (``before.rules``),
which are taken as they are shipped. A listing of iptables is better where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from forgedoctor.firewall.iptables_values import matching
from forgedoctor.firewall.model import Chain, Rule, Ruleset, Statement, Table, Unknown, Verdict
from forgedoctor.firewall.ufw_rows import Row, rows
from forgedoctor.message import Message, t

STATUS = re.compile(r"^Status: (active|inactive)\s*$", re.MULTILINE)
# The same in other languages ("Status: Aktiv", "状态： 激活"), or the line under the head of its table.
FOREIGN = re.compile(r"^\s*-+\s+-+\s+-+\s*$|^(?:Status|状态|狀態|État|Estado|Stato)\s*[:：]", re.MULTILINE)
_DEFAULT = re.compile(r"^Default: (\w+) \(incoming\), (\w+) \(outgoing\)(?:, (\w+) \(routed\))?", re.MULTILINE)
_SETTING = re.compile(r"""^\s*(\w+)\s*=\s*["']?([^"'#\s]*)""", re.MULTILINE)
_POLICIES = {"allow": "accept", "deny": "drop", "reject": "reject"}
_PINGS = {"ip": ("icmp", 1, (3, 8, 11, 12)), "ip6": ("icmpv6", 58, (1, 2, 3, 4, 128, 129))}
# Neighbour discovery, which is let in only with the hop limit that no router passes on.
_NEIGHBOURS = (133, 134, 135, 136, 141, 142)


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """``/etc/default/ufw``: whether ufw keeps IPv6 too (None: not said), and its policies.

    A policy is ``accept``, ``drop`` or ``reject``; empty: not said.
    """

    ipv6: bool | None = None
    incoming: str = ""
    outgoing: str = ""
    routed: str = ""


def defaults(text: str) -> Defaults:
    """Read ``/etc/default/ufw``. It is read when ufw starts, so that it may differ from what is loaded."""
    found = {name: value.lower() for name, value in _SETTING.findall(text)}
    policy = {name: found.get(f"DEFAULT_{name}_POLICY", "") for name in ("INPUT", "OUTPUT", "FORWARD")}
    known = {name: value if value in ("accept", "drop", "reject") else "" for name, value in policy.items()}
    ipv6 = {"yes": True, "no": False}.get(found.get("IPV6", ""))
    return Defaults(ipv6=ipv6, incoming=known["INPUT"], outgoing=known["OUTPUT"], routed=known["FORWARD"])


def boot_state(text: str) -> bool | None:
    """Whether ``/etc/ufw/ufw.conf`` has ufw start with the machine; None: not said. No proof of what runs now."""
    found = dict(_SETTING.findall(text))
    return {"yes": True, "no": False}.get(found.get("ENABLED", "").lower())


def foreign(text: str) -> bool:
    """Whether it looks like the status in another language than English."""
    if STATUS.search(text):
        return False
    return bool(FOREIGN.search(text))


def read(text: str, source: str = "", *, settings: Defaults | None = None) -> Ruleset:
    """The rules of ``ufw status``, ``ufw status verbose`` or ``ufw status numbered``.

    ``settings`` fill in what the listing leaves out: the policies, and whether IPv6 is kept. Raises ValueError (one
    sentence) where the text is no such listing, or not in English.
    """
    state = STATUS.search(text)
    if state is None:
        raise ValueError(_refused(text, source or "ufw"))
    if state[1] == "inactive":
        off = t("{source}: ufw is off: it filters nothing.", source=source or "ufw")
        return Ruleset(kind="ufw-status", source=source, problems=(off,))
    bad: list[tuple[int, str]] = []
    found = list(rows(text, bad))
    policies = _policies(text, settings or Defaults())
    ipv6 = True if any(one.six for one in found) else settings.ipv6 if settings else None
    problems = [
        t("{source} is a summary: the rules that ufw brings along are taken to be as they are shipped.", source=source),
        *_unread(bad, source),
    ]
    if not _DEFAULT.search(text) and not policies["incoming"]:
        problems.append(
            t("{source} does not say ufw's default policy: run “sudo LC_ALL=C ufw status verbose”.", source=source)
        )
    tables = [_table("ip", [one for one in found if not one.six], policies, text)]
    if ipv6:
        tables.append(_table("ip6", [one for one in found if one.six], policies, text))
    elif ipv6 is None:
        tables.append(_unsure())
    return Ruleset(kind="ufw-status", source=source, tables=tuple(tables), problems=tuple(problems), cut=bool(bad))


def _refused(text: str, source: str) -> Message:
    if foreign(text):
        return t("{source} is not in English: run “sudo LC_ALL=C ufw status verbose”.", source=source)
    return t("{source} is no status of ufw: run “sudo LC_ALL=C ufw status verbose”.", source=source)


def _unread(bad: list[tuple[int, str]], source: str) -> Iterator[Message]:
    for line, text in bad[:5]:
        yield t("{source}, line {line}: this is no rule of ufw: {text}", source=source, line=line, text=text[:120])
    if len(bad) > 5:
        yield t("{source}: {count} more lines could not be read.", source=source, count=len(bad) - 5)


def _policies(text: str, settings: Defaults) -> dict[str, str]:
    """By direction; empty where it is not known. "disabled": the machine does not forward."""
    listed = _DEFAULT.search(text)
    if listed is None:
        return {"incoming": settings.incoming, "outgoing": settings.outgoing, "routed": settings.routed}
    read = [_POLICIES.get(word or "", "") for word in listed.groups()]
    return dict(zip(("incoming", "outgoing", "routed"), read, strict=True))


def _unsure() -> Table:
    """IPv6, where nothing says whether ufw keeps it."""
    rule = Rule(statements=(Unknown(construct="IPV6 in /etc/default/ufw", anything=True),))
    chain = Chain(name="INPUT", hook="input", rules=(rule,))
    return Table(family="ip6", name="filter", chains={"INPUT": chain}, engine="iptables-nft")


def _table(family: str, found: list[Row], policies: dict[str, str], text: str) -> Table:
    chains = {
        "INPUT": _chain("input", family, [one for one in found if one.way == "IN"], policies["incoming"], text),
        "FORWARD": _chain("forward", family, [one for one in found if one.way == "FWD"], policies["routed"], text),
        "OUTPUT": _chain("output", family, [one for one in found if one.way == "OUT"], policies["outgoing"], text),
    }
    return Table(family=family, name="filter", chains=chains, engine="iptables-nft")


def _chain(hook: str, family: str, found: list[Row], policy: str, text: str) -> Chain:
    before = [Rule(statements=one, text="before.rules") for one in _before(hook, family)]
    listed = [rule for one in found for rule in one.rules()]
    default = _DEFAULT.search(text)
    line, words = (text[: default.start()].count("\n") + 1, default[0]) if default else (0, "")
    verdict: Statement = Unknown(construct="default policy of ufw", anything=True)
    if policy:
        words = words or f'DEFAULT_{hook.upper()}_POLICY="{policy.upper()}"'
        verdict = Verdict(kind=policy, target="port-unreachable" if policy == "reject" else "")
    last = Rule(statements=(verdict,), text=words, line=line)
    return Chain(name=hook.upper(), hook=hook, rules=(*before, *listed, last))


def _before(hook: str, family: str) -> Iterator[tuple[Statement, ...]]:
    """What comes first of the rules that ufw ships, as far as a new connection may meet it."""
    accept, drop = Verdict(kind="accept"), Verdict(kind="drop")
    if hook != "forward":
        yield matching("oifname" if hook == "output" else "iifname", ("lo",), False), accept
    if family == "ip6":
        yield matching("exthdr rt", ((1, 1),), False), drop
    yield matching("ct state", ("related", "established"), False), accept
    name, protocol, types = _PINGS[family]
    icmp = matching("meta l4proto", ((protocol, protocol),), False)
    if family == "ip6" and hook != "forward":
        near = matching("ip6 hoplimit", ((255, 255),), False)
        yield icmp, matching("icmpv6 type", tuple((one, one) for one in _NEIGHBOURS), False), near, accept
    if hook == "input":
        yield matching("ct state", ("invalid",), False), drop
    if hook != "output":
        yield icmp, matching(f"{name} type", tuple((one, one) for one in types), False), accept
