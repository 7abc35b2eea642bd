"""Whether one rule of Windows Defender Firewall is for a connection: yes, no, or not to be told."""

from __future__ import annotations

import ntpath
import re

from forgedoctor.facts._windows_types import FirewallRule
from forgedoctor.facts._windows_values import FOREIGN, covers

_TCP = 6
_INTERPRETER = re.compile(r"python|pyw?\.exe", re.I)


def shown_rule(rule: FirewallRule) -> str:
    """A rule in one line, in the words of netsh."""
    ports = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in rule.ports)
    protocol = {6: "TCP", 17: "UDP", None: "Any"}.get(rule.protocol, str(rule.protocol))
    parts = {
        "Action": rule.action or "?",
        "Profiles": ",".join(rule.profiles) or "Any",
        "Protocol": protocol,
        "LocalPort": ",".join(filter(None, (ports, *rule.keywords))),
        "Program": rule.program,
        "Service": rule.service,
        "RemoteIP": ",".join(rule.remote),
    }
    return f'"{rule.shown}" ' + " ".join(f"{name}={value}" for name, value in parts.items() if value)


def matches(
    rule: FirewallRule,
    *,
    program: str,
    port: int,
    category: str,
    source: str = "",
    interface: str = "",
    address: str = "",
    medium: str = "",
) -> bool | None:
    """Whether a rule is for a TCP connection; None where a condition that matters cannot be weighed.

    Parameters as for :func:`evaluate`. A rule that is switched off is for none.
    """
    store_app = "windowsapps" in program.lower()
    answers: list[tuple[bool | None, tuple[str, ...]]] = [
        (rule.enabled, ()),
        (rule.protocol in (None, _TCP), ("protocol", "ports")),
        (not rule.profiles or category in rule.profiles, ("profiles",)),
        (_port(rule, port), ("ports",)),
        (_program(rule.program, program), ("program", "applications")),
        (_service(rule.service), ("services",)),
        (not rule.package or (None if store_app or not program else False), ("applications",)),
        (_remote(rule.remote, source), ("addresses",)),
        (_local(rule.local, address), ("addresses",)),
        (_one_of(rule.interfaces, interface), ("interfaces",)),
        (_one_of(rule.media, medium), ("media",)),
        (None if rule.conditions else True, ("security", "version")),
    ]
    held = [None if set(parts) & set(rule.unread) else answer for answer, parts in answers]
    if False in held:
        return False
    return None if None in held else True


def doubts(rule: FirewallRule, *, program: str) -> list[str]:
    """The conditions of a rule that may be why it cannot be weighed, as words of Windows."""
    found = [*(f"{name}=?" for name in rule.unread), *rule.conditions]
    found += [f"RemoteIP={one}" for one in rule.remote[:3]] + [f"LocalIP={one}" for one in rule.local[:3]]
    found += [f"Interface={one}" for one in (*rule.interfaces[:3], *rule.media)]
    found += [f"LocalPort={one}" for one in rule.keywords] + [f"Package={rule.package}"] * bool(rule.package)
    if rule.program and (not program or re.search("[%~]", rule.program)):
        found.insert(0, rule.program)
    return found + [f"Service={rule.service}"] * bool(rule.service)


def _port(rule: FirewallRule, port: int) -> bool | None:
    if any(first <= port <= last for first, last in rule.ports) or not (rule.ports or rule.keywords):
        return True
    return False if all(name.lower() in FOREIGN for name in rule.keywords) else None


def _program(wanted: str, program: str) -> bool | None:
    """Whether a rule's program is the one that listens. Windows compares paths without regard to case."""
    if not wanted:
        return True
    name = ntpath.basename(wanted).lower()
    if not program:  # Forge is run by a Python, wherever that is
        return None if _INTERPRETER.match(name) or "%" in name or "~" in name else False
    ours = ntpath.normpath(program).lower()
    theirs = ntpath.normpath(wanted).lower()
    if "%" in theirs:
        tail = theirs.rpartition("%")[2]
        return None if ours.endswith(tail) else False
    if "~" in theirs or "~" in ours:  # a short name (PROGRA~1) may be the same file
        return None if name == ntpath.basename(ours) or "~" in name else False
    return ours == theirs


def _service(service: str) -> bool | None:
    """A rule for one service is not for Forge; one for any service may be, where Forge was made one."""
    return True if not service else (None if service == "*" else False)


def _remote(words: tuple[str, ...], source: str) -> bool | None:
    """Whether the client's address is among them; without one it is some machine of the same subnet."""
    if not words:
        return True
    low = {word.lower() for word in words}
    if not source:
        everywhere = low & {"localsubnet", "localsubnet4", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "0.0.0.0-255.255.255.255"}
        return True if everywhere else None
    held = [covers(word, source) for word in words]
    return True if True in held else (None if None in held else False)


def _local(words: tuple[str, ...], address: str) -> bool | None:
    if not words:
        return True
    held = [covers(word, address) if address else None for word in words]
    return True if True in held else (None if None in held else False)


def _one_of(words: tuple[str, ...], word: str) -> bool | None:
    if not words:
        return True
    if not word or any(one.startswith("{") for one in words):
        return None
    return word.lower() in {one.lower() for one in words}
