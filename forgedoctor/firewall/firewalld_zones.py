"""The zones in a listing of firewall-cmd. Source: firewalld 1.3.3 (command.py); 2.x marks the default zone too."""

from __future__ import annotations

import re

import msgspec

_HEAD = re.compile(r"(\S+)(?: \(([a-z, ]+)\))?")
_ENTRY = re.compile(r"\s+([a-z]+(?:[- ][a-z]+)*):[ \t]*(.*)")
_LISTED = ("interfaces", "sources", "services", "ports", "protocols", "source-ports", "icmp-blocks")


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """One zone as firewall-cmd lists it; the rest as in firewalld.zone(5)."""

    name: str
    active: bool = False
    default: bool = False
    target: str = "default"
    interfaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    source_ports: tuple[str, ...] = ()
    icmp_blocks: tuple[str, ...] = ()
    icmp_block_inversion: bool = False
    forward: bool = False
    masquerade: bool = False
    forward_ports: tuple[str, ...] = ()
    rich_rules: tuple[str, ...] = ()


def zones(text: str) -> tuple[Zone, ...]:
    """The zones of ``--list-all`` or ``--list-all-zones`` (those with a ``target:``)."""
    return tuple(one for one, whole in _blocks(text) if whole)


def active_zones(text: str) -> tuple[Zone, ...]:
    """The zones of ``--get-active-zones``, with nothing but their interfaces and sources."""
    return tuple(one for one, whole in _blocks(text) if not whole and (one.interfaces or one.sources))


def _blocks(text: str) -> list[tuple[Zone, bool]]:
    found: list[tuple[Zone, bool]] = []
    head: re.Match[str] | None = None
    entries: dict[str, list[str]] = {}
    label = ""
    for raw in [*text.replace("\r", "").split("\n"), "end"]:
        entry = _ENTRY.fullmatch(raw) if raw[:1] in (" ", "\t") else None
        known = entry is not None and not raw.startswith("\t")
        if head is not None and entry is not None and known:
            label = entry[1]
            entries[label] = [entry[2].strip()] if entry[2].strip() else []
        elif head is not None and raw[:1] in ("\t", " ") and raw.strip():
            entries.setdefault(label, []).append(raw.strip())
        elif raw.strip():
            if head is not None and entries:
                found.append((_zone(head, entries), "target" in entries))
            head, entries, label = _HEAD.fullmatch(raw.rstrip()), {}, ""
    return found


def _zone(head: re.Match[str], entries: dict[str, list[str]]) -> Zone:
    marks = [one.strip() for one in (head[2] or "").split(",")]
    words = {name: tuple(word for line in entries.get(name, []) for word in line.split()) for name in _LISTED}
    return Zone(
        name=head[1],
        active="active" in marks,
        default="default" in marks,
        target=" ".join(entries.get("target", [])) or "default",
        interfaces=words["interfaces"],
        sources=words["sources"],
        services=words["services"],
        ports=words["ports"],
        protocols=words["protocols"],
        source_ports=words["source-ports"],
        icmp_blocks=words["icmp-blocks"],
        icmp_block_inversion=entries.get("icmp-block-inversion") == ["yes"],
        forward=entries.get("forward") == ["yes"],
        masquerade=entries.get("masquerade") == ["yes"],
        forward_ports=tuple(entries.get("forward-ports", [])),
        rich_rules=tuple(entries.get("rich rules", [])),
    )
