"""How the WindowsNetwork fact is put together: PowerShell's word first, then the registry's, and netsh's digits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from forgedoctor.fact import State
from forgedoctor.facts import _windows_netsh, _windows_powershell, _windows_registry
from forgedoctor.facts._windows_powershell import Answer, gaps
from forgedoctor.facts._windows_programs import programs
from forgedoctor.facts._windows_registry import Registry
from forgedoctor.facts._windows_rules import FILTERS, parse_networks, parse_products, parse_profiles, parse_rules
from forgedoctor.facts._windows_types import Gap
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import Processes
from forgedoctor.facts.windows_network import WindowsNetwork
from forgedoctor.message import t

_NETSH = {
    "reserved": "interface ipv4 show excludedportrange protocol=tcp",
    "dynamic": "interface ipv4 show dynamicport tcp",
    "proxies": "interface portproxy show all",
}


def read(limit: float, *, powershell: bool) -> WindowsNetwork:
    """Ask everything at once, with ``limit`` seconds for PowerShell, which may be left out."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=len(_NETSH)) as pool:
        asked = {part: pool.submit(_netsh, words, min(limit, 5.0)) for part, words in _NETSH.items()}
        answer = _windows_powershell.ask(limit) if powershell else _not_asked()
        said = {part: future.result() for part, future in asked.items()}
    return combined(answer, _windows_registry.read(os.environ), said, os.environ)


def with_programs(
    network: WindowsNetwork, launch: Launch | None, processes: Processes | None, packages: Packages | None
) -> WindowsNetwork:
    """The same, with the python.exe that listens or will."""
    return msgspec.structs.replace(network, programs=programs(launch, processes, packages))


def _not_asked() -> Answer:
    why = t("it was not asked for, as only this machine can reach Forge")
    return Answer({}, gaps(_windows_powershell.PARTS, State.ABSENT, why))


def _netsh(words: str, timeout: float) -> str | None:
    """What netsh prints, digits being all that is read of it; None where it could not be asked."""
    import subprocess

    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    try:
        done = subprocess.run(
            [os.path.join(root, "System32", "netsh.exe"), *words.split()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[:1_000_000].decode("ascii", "replace") if done.returncode == 0 else None


def combined(
    answer: Answer, registry: Registry, netsh: Mapping[str, str | None], variables: Mapping[str, str]
) -> WindowsNetwork:
    """One fact of all sources: PowerShell's word first, which is what is in force; then the registry.

    Rules of PowerShell count where all their conditions were answered too, or the registry cannot be read.
    """
    parts = answer.parts
    filters = {name: parts[name] for name in FILTERS if name in parts}
    profiles = parse_profiles(parts["profiles"]) if "profiles" in parts else None
    rules = parse_rules(parts["rules"], filters, variables) if "rules" in parts else None
    by_registry = registry.rules is not None and not (rules and len(filters) == len(FILTERS))
    rules = registry.rules if by_registry else rules or None
    proxies = registry.proxies
    if proxies is None and netsh.get("proxies") is not None:
        proxies = _windows_netsh.parse_proxies(netsh["proxies"] or "")
    known: dict[str, Any] = {
        "profiles": profiles or registry.profiles,
        "rules": rules,
        "networks": parse_networks(parts["networks"]) if "networks" in parts else None,
        "products": parse_products(parts["products"]) if "products" in parts else None,
        "proxies": proxies,
        "reserved": _read(netsh, "reserved", _windows_netsh.parse_ranges),
        "dynamic": _read(netsh, "dynamic", _windows_netsh.parse_dynamic),
    }
    sources = ["PowerShell"] * bool(parts) + ["registry"] * (by_registry or not profiles) + ["netsh"]
    return WindowsNetwork(source=", ".join(sources), gaps=_gaps(known, answer), **known)


def _read(netsh: Mapping[str, str | None], part: str, parse: Any) -> Any:
    said = netsh.get(part)
    return None if said is None else parse(said)


def _gaps(known: Mapping[str, Any], answer: Answer) -> tuple[Gap, ...]:
    """Why each missing part is missing: PowerShell's reason, else that netsh gave none."""
    reasons = {gap.part: gap for gap in answer.gaps}
    missing = [part for part, value in known.items() if value is None]
    silent = [part for part in missing if part not in reasons]
    told = tuple(reasons[part] for part in missing if part in reasons)
    return told + gaps(silent, State.ABSENT, t("Windows did not tell"))
