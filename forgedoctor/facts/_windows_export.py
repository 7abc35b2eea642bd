"""Settings of Windows that somebody pasted: JSON from PowerShell, the registry's rule strings, what netsh prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from forgedoctor.fact import State
from forgedoctor.facts import _windows_netsh
from forgedoctor.facts._windows_rules import (
    FILTERS,
    parse_networks,
    parse_products,
    parse_profiles,
    parse_registry_rules,
    parse_rules,
)
from forgedoctor.facts._windows_types import FirewallRule, Gap
from forgedoctor.facts._windows_values import text as word_of
from forgedoctor.facts.windows_network import WindowsNetwork
from forgedoctor.message import t

# An object of PowerShell is known by the properties that only its kind has.
_KINDS = (
    ("networks", "NetworkCategory"),
    ("products", "productState"),
    ("profiles", "DefaultInboundAction"),
    ("rules", "Direction"),
    ("ports", "LocalPort"),
    ("applications", "Program"),
    ("addresses", "RemoteAddress"),
    ("services", "Service"),
    ("media", "InterfaceType"),
    ("interfaces", "InterfaceAlias"),
    ("security", "OverrideBlockRules"),
)
# ``reg query`` and ``reg export`` of a FirewallRules key: the same in every language.
_REG_QUERY = re.compile(r"^[ \t]+(\S[^\n]*?)[ \t]+REG_SZ[ \t]+(v\d+\.\d+\|[^\n]*\|)[ \t]*$", re.M)
_REG_EXPORT = re.compile(r'^"((?:[^"\\]|\\.)+)"="(v\d+\.\d+\|(?:[^"\\]|\\.)*)"\s*$', re.M)
_LIMIT = 20_000_000
_DEEPEST = 12


def read_export(text: str) -> WindowsNetwork | None:
    """The settings in a pasted text; None where it holds none.

    JSON of Get-NetFirewallRule and its filters, Get-NetFirewallProfile, Get-NetConnectionProfile and FirewallProduct,
    alone or in one object; ``reg query`` of FirewallRules; ``netsh advfirewall firewall show rule name=all verbose`` in
    English; netsh's profiles, reserved ports and port proxies. A list of rules in another language is named as a gap.
    Rules count as the whole list only where those that every Windows has are among them.
    """
    text = text[:_LIMIT].lstrip("\ufeff").replace("\r\n", "\n")
    found = _from_json(text) or _from_registry(text) or _from_netsh(text)
    return WindowsNetwork(source="pasted", **found) if found else None


def _from_json(text: str) -> dict[str, Any]:
    data = list(_documents(text))
    if not data:
        return {}
    objects: dict[str, list[dict[str, Any]]] = {}
    strings: dict[str, str] = {}
    for row in _flattened(data):
        kind = next((kind for kind, key in _KINDS if key in row), "")
        if kind:
            objects.setdefault(kind, []).append(row)
        strings |= {str(key): value for key, value in row.items() if _is_rule(value)}
    found: dict[str, Any] = {}
    if "rules" in objects:
        filters = {name: objects[name] for name in FILTERS if name in objects}
        found |= _rules(parse_rules(objects["rules"], filters))
    if strings:
        found |= _rules(parse_registry_rules(strings))
    for part, parse in (("networks", parse_networks), ("products", parse_products), ("profiles", parse_profiles)):
        if part in objects:
            found[part] = parse(objects[part])
    return found


def _documents(text: str) -> Iterator[Any]:
    """One JSON document, or one a line."""
    if not text.lstrip().startswith(("{", "[")):
        return
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue


def _flattened(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object in it, however it is wrapped."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list) and depth < _DEEPEST:
        for one in value:
            yield from _flattened(one, depth + 1)


def _is_rule(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"v\d+\.\d+\|", value)) and "Dir=" in value


def _rules(rules: tuple[FirewallRule, ...]) -> dict[str, Any]:
    """The rules, and whether they are all: those of "Core Networking" are in every Windows."""
    whole = any(one.id.startswith("CoreNet-") or one.name.startswith("Core Networking") for one in rules)
    return {"rules": rules, "rules_whole": whole}


def _from_registry(text: str) -> dict[str, Any]:
    values = dict(_REG_QUERY.findall(text))
    values |= {_unescaped(key): _unescaped(value) for key, value in _REG_EXPORT.findall(text)}
    return _rules(parse_registry_rules({key: word_of(value) for key, value in values.items()})) if values else {}


def _unescaped(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word)


def _from_netsh(text: str) -> dict[str, Any]:
    if _windows_netsh.has_rules(text):
        rules = _windows_netsh.parse_rules_text(text)
        if rules is not None:
            return _rules(rules)
        why = t("these rules are in a language that is not read; PowerShell's JSON is the same in every language")
        return {"gaps": (Gap(part="rules", state=State.ABSENT, why=why),)}
    profiles = _windows_netsh.parse_profiles_text(text)
    if profiles:
        return {"profiles": profiles}
    if not re.search("^-{4,}", text, re.M):
        return {}
    proxies, ranges = _windows_netsh.parse_proxies(text), _windows_netsh.parse_ranges(text)
    dynamic = _windows_netsh.parse_dynamic(text) if len(text.split("\n")) < 12 else None
    found = {"proxies": proxies or None, "reserved": ranges or None, "dynamic": dynamic}
    return {part: value for part, value in found.items() if value}
