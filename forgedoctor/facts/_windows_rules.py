"""Firewall settings read into our own terms: PowerShell's objects, and the strings that the registry keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from forgedoctor.facts._windows_types import PROFILES, ConnectedNetwork, FirewallProduct, FirewallProfile, FirewallRule
from forgedoctor.facts._windows_values import chosen, listed, number, path, ports, protocol, rows, text

# Numbers and English names as Get-NetFirewallRule, -Profile and Get-NetConnectionProfile give them. Source: the classes
# MSFT_NetFirewallRule, MSFT_NetFirewallProfile, MSFT_NetConnectionProfile; FW_RULE_ORIGIN_TYPE of MS-FASP.
_ACTIONS: dict[int | str, str] = {
    2: "allow", 3: "bypass", 4: "block",
    "allow": "allow", "allowbypass": "bypass", "bypass": "bypass", "block": "block",
}  # fmt: skip
_BITS = {"domain": 1, "private": 2, "public": 4}
_CATEGORIES: dict[int | str, str] = {
    0: "public", 1: "private", 2: "domain", "public": "public", "private": "private",
    "domainauthenticated": "domain", "domain": "domain",
}  # fmt: skip
_STORES: dict[int | str, str] = {
    1: "local", 2: "group-policy", 3: "dynamic", 4: "generated", 5: "hardcoded", 6: "mdm",
    "local": "local", "grouppolicy": "group-policy", "dynamic": "dynamic", "generated": "generated",
    "hardcoded": "hardcoded", "mdm": "mdm",
}  # fmt: skip
_MEDIA_BITS = {1: "lan", 2: "wireless", 4: "remoteaccess"}  # FW_INTERFACE_TYPE of MS-FASP; 8 is mobile broadband
_MEDIA = {"lan": "wired", "wired": "wired", "wireless": "wireless", "remoteaccess": "remote", "ras": "remote"}
# Get-NetFirewallRule knows a rule's conditions only through filter objects of the same InstanceID.
FILTERS = ("ports", "addresses", "applications", "services", "interfaces", "media", "security")
_OURS = ("Windows Firewall", "Windows Defender", "Microsoft Defender")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*=")
# Fields that say nothing about which connections a rule is for. Source: MS-GPFAS 2.2.2.19.
_SILENT = frozenset({
    "name", "desc", "embedctxt", "edge", "defer", "skipver", "icmp4", "icmp6", "pfn", "nnm", "lom", "lsm", "prov",
})  # fmt: skip
_TAKEN = frozenset({
    "action", "active", "dir", "protocol", "profile", "lport", "lport2_10", "lport2_20", "lport2_24", "la4", "la6",
    "ra4", "ra6", "ra42", "ra62", "app", "svc", "apppkgid", "if", "iftype",
})  # fmt: skip


def parse_networks(value: Any) -> tuple[ConnectedNetwork, ...]:
    """Get-NetConnectionProfile: which kind of network each interface is in."""
    return tuple(
        ConnectedNetwork(
            interface=text(row.get("InterfaceAlias")),
            category=chosen(row.get("NetworkCategory"), _CATEGORIES),
            index=number(row.get("InterfaceIndex")),
            name=text(row.get("Name")),
        )
        for row in rows(value)
    )


def parse_products(value: Any) -> tuple[FirewallProduct, ...]:
    """root/SecurityCenter2 FirewallProduct: bit 0x1000 of productState says on. Windows' own is left out."""
    found = []
    for row in rows(value):
        name, state = text(row.get("displayName")), number(row.get("productState"))
        if name and not name.startswith(_OURS):
            found.append(FirewallProduct(name=name, on=None if state is None else bool(state & 0x1000)))
    return tuple(found)


def parse_profiles(value: Any) -> tuple[FirewallProfile, ...]:
    """Get-NetFirewallProfile. NotConfigured is Windows' default: on, block, rules of this machine count."""
    found = []
    for row in rows(value):
        name = text(row.get("Name")).lower()
        if name in PROFILES:
            on = chosen(row.get("Enabled"), {1: "on", 0: "off", 2: "on", "true": "on", "false": "off"})
            inbound = chosen(
                row.get("DefaultInboundAction"),
                {0: "block", 2: "allow", 4: "block", "notconfigured": "block", "allow": "allow", "block": "block"},
            )
            found.append(
                FirewallProfile(
                    name=name,
                    on={"on": True, "off": False}.get(on),
                    inbound=inbound,
                    rules_count=not _false(row.get("AllowInboundRules")),
                    local_rules=not _false(row.get("AllowLocalFirewallRules")),
                )
            )
    return tuple(found)


def _false(value: Any) -> bool:
    return chosen(value, {0: "no", "false": "no"}) == "no"


def parse_rules(
    value: Any, filters: Mapping[str, Any], variables: Mapping[str, str] | None = None
) -> tuple[FirewallRule, ...]:
    """Get-NetFirewallRule, its filters joined on InstanceID; incoming rules only.

    ``filters``: the answers of the Get-NetFirewall...Filter commands by the names in ``FILTERS``. A filter that is not
    there, or that two rules of one InstanceID disagree in, is named in ``unread``.
    """
    tables = {name: _by_id(filters[name]) for name in FILTERS if name in filters}
    found = []
    for row in rows(value):
        if chosen(row.get("Direction"), {1: "in", "inbound": "in", "in": "in"}) == "in":
            key = text(row.get("InstanceID")) or text(row.get("Name"))
            unread = [name for name in FILTERS if name not in tables or tables[name].get(key) is None]
            joined = {name: table.get(key) or {} for name, table in tables.items()}
            found.append(_rule(row, key, joined, unread, variables))
    return tuple(found)


def _by_id(value: Any) -> dict[str, dict[str, Any] | None]:
    """Filter objects by InstanceID; None where several differ."""
    table: dict[str, dict[str, Any] | None] = {}
    for row in rows(value):
        key = text(row.get("InstanceID"))
        table[key] = row if table.get(key, row) == row else None
    return table


def _rule(
    row: Mapping[str, Any],
    key: str,
    joined: Mapping[str, Mapping[str, Any]],
    unread: list[str],
    variables: Mapping[str, str] | None,
) -> FirewallRule:
    port, application, address = (joined.get(name, {}) for name in ("ports", "applications", "addresses"))
    kind, known = protocol(port.get("Protocol"))
    ranges, names, plain = ports(listed(port.get("LocalPort")))
    media, media_known = media_of(joined.get("media", {}).get("InterfaceType"))
    profiles, profiles_known = _profiles(row.get("Profiles", row.get("Profile")))
    program = path(application.get("Program"), variables)
    doubtful = {
        "protocol": not known,
        "ports": not plain,
        "profiles": not profiles_known,
        "program": "?" in program or "\ufffd" in program,
        "media": not media_known,
    }
    action = chosen(row.get("Action"), _ACTIONS)
    past_blocks = action == "allow" and number(joined.get("security", {}).get("OverrideBlockRules")) == 1
    return FirewallRule(
        id=key,
        name=text(row.get("DisplayName")),
        enabled=chosen(row.get("Enabled"), {1: "yes", "true": "yes"}) == "yes",
        action="bypass" if past_blocks else action,
        profiles=profiles,
        protocol=kind,
        ports=ranges,
        keywords=names,
        program=program,
        service=text(joined.get("services", {}).get("Service")).replace("Any", ""),
        package=text(application.get("Package")),
        remote=listed(address.get("RemoteAddress")),
        local=listed(address.get("LocalAddress")),
        interfaces=listed(joined.get("interfaces", {}).get("InterfaceAlias")),
        media=media,
        conditions=tuple(_further(port, joined.get("security", {}))),
        unread=tuple(dict.fromkeys([*unread, *(name for name, holds in doubtful.items() if holds)])),
        store=chosen(row.get("PolicyStoreSourceType"), _STORES) or "local",
    )


def media_of(value: Any) -> tuple[tuple[str, ...], bool]:
    """(kinds of interfaces, whether all were understood) from bits (0: any) or names."""
    bits = number(value)
    if bits is not None:
        return tuple(_MEDIA[name] for bit, name in _MEDIA_BITS.items() if bits & bit), bits <= 7
    words = [word.lower() for word in listed(value)]
    return tuple(_MEDIA[word] for word in words if word in _MEDIA), all(word in _MEDIA for word in words)


def _profiles(value: Any) -> tuple[tuple[str, ...], bool]:
    """(profiles, whether they were understood) from bits (0: any; 0x7fffffff: all) or English names."""
    bits = number(value)
    if bits is not None:
        named = tuple(name for name, bit in _BITS.items() if bits & bit)
        return (() if len(named) == len(_BITS) else named), bool(named) or bits == 0
    words = tuple(word.lower() for word in listed(value))
    return tuple(word for word in words if word in _BITS), all(word in _BITS for word in words)


def _further(port: Mapping[str, Any], security: Mapping[str, Any]) -> Iterable[str]:
    """Conditions that are kept, not weighed: the client's port, who logs on, IPsec."""
    remote = listed(port.get("RemotePort"))
    if remote:
        yield f"RemotePort={','.join(remote)}"
    for name in ("Authentication", "Encryption", "LocalUser", "RemoteUser", "RemoteMachine"):
        value = text(security.get(name))
        if value.lower() not in ("", "0", "any", "notrequired"):
            yield f"{name}={value}"


def parse_registry_rules(
    values: Mapping[str, str], store: str = "local", variables: Mapping[str, str] | None = None
) -> tuple[FirewallRule, ...]:
    """The values of a FirewallRules key: ``v2.31|Action=Block|Active=TRUE|Dir=In|...``; incoming rules only."""
    found = (_registry_rule(name, value, store, variables) for name, value in values.items())
    return tuple(rule for rule in found if rule)


def registry_fields(value: str) -> list[tuple[str, str]]:
    """The fields of a rule string. Windows forbids ``|`` in names, so a piece that is no field belongs to the last."""
    fields: list[str] = []
    for piece in value.split("|")[1:]:
        if _FIELD.match(piece) or not fields:
            fields.append(piece)
        elif piece:
            fields[-1] += "|" + piece
    return [(key, held) for key, sign, held in (field.partition("=") for field in fields) if sign]


def _registry_rule(key: str, value: str, store: str, variables: Mapping[str, str] | None) -> FirewallRule | None:
    fields = registry_fields(value)
    many: dict[str, list[str]] = {}
    for name, held in fields:
        many.setdefault(name.lower(), []).append(held)
    one = {name: held[-1] for name, held in many.items()}
    if one.get("dir", "").lower() != "in":
        return None
    profiles, profiles_known = _profiles(many.get("profile"))
    kind, known = protocol(one.get("protocol"))
    words = [word for name, held in many.items() if name.startswith("lport") for word in listed(held)]
    ranges, names, plain = ports(words)
    media, media_known = media_of(many.get("iftype"))
    addresses = {side: tuple(_addresses(many, side)) for side in ("ra", "la")}
    doubtful = {
        "protocol": not known,
        "ports": not plain,
        "profiles": not profiles_known,
        "media": not media_known,
        "version": not value.startswith("v2."),
    }
    return FirewallRule(
        id=key,
        name=one.get("name", ""),
        enabled=one.get("active", "").lower() == "true",
        action=chosen(one.get("action"), _ACTIONS),
        profiles=profiles,
        protocol=kind,
        ports=ranges,
        keywords=names,
        program=path(one.get("app"), variables),
        service=one.get("svc", ""),
        package=one.get("apppkgid", ""),
        remote=addresses["ra"],
        local=addresses["la"],
        interfaces=tuple(many.get("if", ())),
        media=media,
        conditions=tuple(_unweighed(fields)),
        unread=tuple(name for name, holds in doubtful.items() if holds),
        store=store,
    )


def _addresses(many: Mapping[str, list[str]], side: str) -> Iterable[str]:
    for name, held in many.items():
        if name in (f"{side}4", f"{side}6", f"{side}42", f"{side}62"):
            yield from dict.fromkeys(held)


def _unweighed(fields: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, held in fields:
        low = name.lower()
        if low in _SILENT or low in _TAKEN or (low.startswith("security") and held.lower() == "notrequired"):
            continue
        yield f"{name}={held}"
