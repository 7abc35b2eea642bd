"""The same settings from the registry, for where PowerShell is missing, forbidden or slow. Needs no rights."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from forgedoctor.facts._windows_netsh import proxy
from forgedoctor.facts._windows_rules import parse_registry_rules
from forgedoctor.facts._windows_types import FirewallProfile, FirewallRule, PortProxy
from forgedoctor.facts._windows_values import number

_LOCAL = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
# Store, key: this machine's own settings, then those of group policy and device management, which win. Source: MS-GPFAS
# 2.2.2.19 and the Firewall CSP.
_STORES = (
    ("local", _LOCAL),
    ("mdm", _LOCAL + r"\Mdm"),
    ("group-policy", r"SOFTWARE\Policies\Microsoft\WindowsFirewall"),
)
_KEYS = {"domain": ("DomainProfile",), "private": ("PrivateProfile", "StandardProfile"), "public": ("PublicProfile",)}
_PROXIES = r"SYSTEM\CurrentControlSet\Services\PortProxy"
_KINDS = ("v4tov4", "v4tov6", "v6tov4", "v6tov6")
_MOST = 20_000  # values of one key

Values = dict[str, Any]


class Registry(NamedTuple):
    """What the registry says; None where the key may not be read."""

    profiles: tuple[FirewallProfile, ...] | None
    rules: tuple[FirewallRule, ...] | None
    proxies: tuple[PortProxy, ...] | None


def read(variables: Mapping[str, str]) -> Registry:
    """Read the settings; ``variables`` fill in ``%SystemRoot%`` and the like."""
    try:
        winreg: Any = importlib.import_module("winreg")
    except ImportError:
        return Registry(None, None, None)
    return gathered(lambda key: _values(winreg, key), variables)


def gathered(look: Any, variables: Mapping[str, str]) -> Registry:
    """The settings out of ``look(key)``, which gives a key's values by name, None where it may not be read."""
    stores = [(store, {name: _profile(look, key, names) for name, names in _KEYS.items()}) for store, key in _STORES]
    known = all(values is not None for _, found in stores for values in found.values())
    rules: list[FirewallRule] | None = []
    for store, key in _STORES:
        values = look(key + r"\FirewallRules")
        if values is None or rules is None or (store == "local" and not values):
            rules = None  # Windows always has rules of its own: none means a key that is elsewhere
            continue
        words = {name: value for name, value in values.items() if isinstance(value, str)}
        rules += parse_registry_rules(words, store, variables)
    profiles = tuple(profile_of(name, [(s, f[name] or {}) for s, f in stores]) for name in _KEYS) if known else None
    return Registry(profiles, None if rules is None else tuple(rules), _proxies(look))


def _profile(look: Any, key: str, names: tuple[str, ...]) -> Values | None:
    merged: Values = {}
    for name in names:
        values = look(f"{key}\\{name}")
        if values is None:
            return None
        merged = values | merged
    return merged


def profile_of(name: str, stores: list[tuple[str, Values]]) -> FirewallProfile:
    """One profile from its values in each store, the strongest last; DefaultInboundAction 0 allows."""
    merged: Values = {}
    local_rules = True
    for store, values in stores:
        merged |= values
        if store != "local" and number(values.get("AllowLocalPolicyMerge")) == 0:
            local_rules = False
    return FirewallProfile(
        name=name,
        on=number(merged.get("EnableFirewall")) != 0,
        inbound="allow" if number(merged.get("DefaultInboundAction")) == 0 else "block",
        rules_count=number(merged.get("DoNotAllowExceptions")) != 1 and number(merged.get("Shielded")) != 1,
        local_rules=local_rules,
    )


def _proxies(look: Any) -> tuple[PortProxy, ...] | None:
    found: list[PortProxy] = []
    for kind in _KINDS:
        values = look(f"{_PROXIES}\\{kind}\\tcp")
        if values is None:
            return None
        found += parse_proxy_values(values, kind)
    return tuple(found)


def parse_proxy_values(values: Mapping[str, Any], kind: str) -> Iterator[PortProxy]:
    """The values of PortProxy\\v4tov4\\tcp: ``0.0.0.0/7860`` = ``172.23.21.232/7860``."""
    for name, value in values.items():
        listen, sign, port = name.rpartition("/")
        connect, other, connect_port = str(value).rpartition("/")
        numbers = port.isdecimal() and connect_port.isdecimal() and int(port) <= 65535
        if sign and other and numbers:
            yield proxy(listen, port, connect, connect_port, kind)


def _values(winreg: Any, key: str) -> Values | None:
    """The values of a key: none where it is not there, None where it may not be read."""
    found: Values = {}
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            for at in range(_MOST):
                name, value, _ = winreg.EnumValue(opened, at)
                found[name] = value
    except FileNotFoundError:
        return {}
    except PermissionError:
        return None
    except OSError:  # no more values
        pass
    return found
