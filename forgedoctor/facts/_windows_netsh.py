"""What netsh prints, read by digits and addresses wherever the language does not matter, else by known words only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from forgedoctor.facts._windows_rules import media_of
from forgedoctor.facts._windows_types import PROFILES, FirewallProfile, FirewallRule, PortProxy, PortRange
from forgedoctor.facts._windows_values import listed, path, ports, protocol

_RANGE = re.compile(r"^[ \t]*(\d{1,5})[ \t]+(\d{1,5})[ \t]*(\*?)[ \t\r]*$", re.M | re.ASCII)
_NUMBER = re.compile(r"[::]\s*(\d{1,5})\s*$", re.M | re.ASCII)
_ADDRESS = r"(\*|(?=\S*[A-Za-z.:])\S+)"
_PROXY = re.compile(rf"^[ \t]*{_ADDRESS}[ \t]+(\d{{1,5}})[ \t]+{_ADDRESS}[ \t]+(\d{{1,5}})[ \t\r]*$", re.M | re.ASCII)
_RULER = re.compile(r"^-{20,}\s*$", re.M)
_LINE = re.compile(r"^([^::\n]{1,40}?)[::][ \t]*(.*)$")
_POLICY = re.compile(r"\b(Block|Allow)Inbound(Always)?,", re.ASCII)
# The words of the two languages whose output is known. Chinese Windows says the state in more than one way.
_HEADINGS = {
    "domain profile": "domain", "private profile": "private", "public profile": "public",
    "域配置文件": "domain", "专用配置文件": "private", "公用配置文件": "public",
}  # fmt: skip
_STATES = {
    "state on": True, "state off": False,
    "状态 打开": True, "状态 启用": True, "状态 关闭": False, "状态 禁用": False,
}  # fmt: skip
# The labels of ``netsh advfirewall firewall show rule`` in English.
_LABELS = frozenset({"rule name", "enabled", "direction", "profiles", "protocol", "action", "localip", "remoteip"})


def parse_ranges(text: str) -> tuple[PortRange, ...]:
    """``netsh interface ipv4 show excludedportrange protocol=tcp``, in any language: two numbers, maybe a ``*``."""
    found = (PortRange(first=int(a), last=int(b), administered=bool(mark)) for a, b, mark in _RANGE.findall(text))
    return tuple(one for one in found if one.first <= one.last <= 65535)


def parse_dynamic(text: str) -> PortRange | None:
    """``netsh interface ipv4 show dynamicport tcp``, in any language: the first port, then how many."""
    numbers = [int(word) for word in _NUMBER.findall(text)]
    if len(numbers) != 2 or not numbers[1] or sum(numbers) > 65536:
        return None
    return PortRange(first=numbers[0], last=sum(numbers) - 1)


def parse_proxies(text: str) -> tuple[PortProxy, ...]:
    """``netsh interface portproxy show all``, in any language: address and port, twice."""
    return tuple(proxy(*found) for found in _PROXY.findall(text) if int(found[1]) <= 65535)


def proxy(listen: str, port: str, connect: str, connect_port: str, kind: str = "") -> PortProxy:
    """One entry; ``kind`` by the addresses where it is not told."""
    sides = tuple("v6" if ":" in address else "v4" for address in (listen, connect))
    return PortProxy(
        kind=kind or "to".join(sides), listen=listen, port=int(port), connect=connect, connect_port=int(connect_port)
    )


def parse_profiles_text(text: str) -> tuple[FirewallProfile, ...]:
    """``netsh advfirewall show allprofiles`` in English or Chinese: the profiles whose heading is understood.

    ``BlockInbound`` is the same in every language, the state is not; one in an unknown word stays unknown.
    """
    found: dict[str, FirewallProfile] = {}
    heading = ""
    for line in text.splitlines():
        words = " ".join(line.split()).lower()
        if words.endswith((":", ":")):
            named = [name for known, name in _HEADINGS.items() if words.startswith(known)]
            heading = named[0] if named else ""
        if not heading:
            continue
        one = found.setdefault(heading, FirewallProfile(name=heading))
        state = _STATES.get(words, one.on)
        policy = _POLICY.search(line)
        found[heading] = FirewallProfile(
            name=heading,
            on=state,
            inbound=policy[1].lower() if policy else one.inbound,
            rules_count=one.rules_count and not (policy and policy[2]),
            local_rules=one.local_rules,
        )
    return tuple(found[name] for name in PROFILES if name in found)


def has_rules(text: str) -> bool:
    """Whether a text looks like netsh's list of rules, in whatever language: labels and values under a ruler."""
    lines = [line for line in text.splitlines() if line.strip()]
    for above, ruler, below in zip(lines, lines[1:], lines[2:], strict=False):
        heading = _LINE.match(above) if _RULER.match(ruler) else None
        if heading and heading[2].strip() and _LINE.match(below):
            return True
    return False


def parse_rules_text(text: str, variables: Mapping[str, str] | None = None) -> tuple[FirewallRule, ...] | None:
    """``netsh advfirewall firewall show rule``, English only; None where a rule is in words that are not known."""
    found: list[FirewallRule] = []
    for block in _blocks(text):
        if not block.keys() >= _LABELS:
            return None
        if block["direction"].lower() == "in":
            found.append(_rule(block, variables))
    return tuple(found)


def _blocks(text: str) -> list[dict[str, str]]:
    """The labelled lines of each rule, label in small letters; a line without one goes on with the last."""
    blocks: list[dict[str, str]] = []
    lines = text.splitlines()
    label = ""
    for number, line in enumerate(lines):
        ruled = number + 1 < len(lines) and bool(_RULER.match(lines[number + 1]))
        matched = _LINE.match(line)
        if ruled and matched:
            blocks.append({})
        if not blocks or _RULER.match(line):
            continue
        if matched:
            label = matched[1].strip().lower()
            blocks[-1][label] = matched[2].strip()
        elif line.startswith(" " * 30) and line.strip():
            blocks[-1][label] += "," + line.strip()
        elif not line.strip():
            label = ""
    return blocks


def _rule(block: Mapping[str, str], variables: Mapping[str, str] | None) -> FirewallRule:
    kind, known = protocol(block["protocol"])
    ranges, names, plain = ports(listed(block.get("localport")))
    media, media_known = media_of(block.get("interfacetypes"))
    profiles = tuple(word.lower() for word in listed(block["profiles"]))
    action = {"allow": "allow", "block": "block", "bypass": "bypass"}.get(block["action"].lower(), "")
    doubtful = {
        "protocol": not known,
        "ports": not plain,
        "profiles": any(word not in PROFILES for word in profiles),
        "media": not media_known,
        "program": "program" not in block and "edge traversal" in block and "security" not in block,
    }
    remote = listed(block.get("remoteport"))
    security = block.get("security", "")
    conditions = [f"RemotePort={','.join(remote)}"] if remote else []
    if security and security.lower() != "notrequired":
        conditions.append(f"Security={security}")
    return FirewallRule(
        name=block["rule name"],
        enabled=block["enabled"].lower() == "yes",
        action=action,
        profiles=() if set(profiles) == set(PROFILES) else tuple(word for word in profiles if word in PROFILES),
        protocol=kind,
        ports=ranges,
        keywords=names,
        program=path(block.get("program"), variables),
        service=block.get("service", ""),
        remote=listed(block["remoteip"]),
        local=listed(block["localip"]),
        media=media,
        conditions=tuple(conditions),
        unread=tuple(name for name, holds in doubtful.items() if holds),
        store="local" if "local" in block.get("rule source", "local").lower() else "group-policy",
    )
