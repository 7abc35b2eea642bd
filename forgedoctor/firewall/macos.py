"""What macOS does with a new connection from another machine to a program that listens. Pure: facts in, a decision out.

The application firewall asks who listens, not on which port; the packet filter (pf) asks the opposite. Apple ships pf
without rules of its own. Source: Apple, "Firewall security in macOS"; pf.conf(5).
"""

from __future__ import annotations

import re

from forgedoctor.facts.macos_network import SOCKETFILTERFW, MacApp, MacNetwork
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED, Decision
from forgedoctor.message import Message, plain, t

_MANAGER = "macos"
# Where Apple keeps software that it signed itself: the Python of Xcode and of its command line tools among them.
_APPLE = ("/System/", "/usr/bin/", "/usr/libexec/", "/Library/Developer/CommandLineTools/", "/Applications/Xcode.app/")
_OTHERS = {"udp", "icmp", "icmp6", "ipv6-icmp", "esp", "gre", "igmp"}
# Ports that are named one by one, as numbers or services; ranges and comparisons are left to a person.
_PORT = re.compile(r"\bport\s+(?P<which>=\s*[\w-]+|\{[\w\s,=-]*\})\s*(?:$|\w)")


def evaluate(network: MacNetwork, *, program: str, port: int) -> Decision:
    """Whether a connection to that program (its real path; empty: not known) and TCP port is let in.

    Loopback is never filtered by the application firewall: this is about other machines.
    """
    gate = _application_firewall(network, program)
    rule = suspect(network, port)
    if gate.verdict != OPEN or not rule:
        return gate
    return Decision(
        verdict=UNDECIDED,
        because=(t("the packet filter has rules of its own, which were not evaluated: {rule}", rule=rule),),
        rule=rule,
        where="pf",
        manager="pf",
        settle=plain("sudo pfctl -sr"),
    )


def _application_firewall(network: MacNetwork, program: str) -> Decision:
    if network.state is None:
        ask = plain(f"{SOCKETFILTERFW} --getglobalstate")
        return _undecided(t("the application firewall does not tell its state"), settle=ask)
    if network.state == 0:
        return _decided(OPEN, t("the application firewall is off"))
    if network.state == 2 or network.block_all:
        return _decided(FILTERED, t("the application firewall blocks all incoming connections"))
    entry = entry_of(network, program)
    if entry:
        return _listed(entry)
    if program and program == network.python and network.python_listed in ("allow", "block"):
        return _listed(MacApp(path=program, allowed=network.python_listed == "allow"))
    return _unlisted(network, program)


def _listed(entry: MacApp) -> Decision:
    if entry.allowed:
        return _decided(OPEN, t("the application firewall allows {path}", path=entry.path), _line(entry))
    return _decided(FILTERED, t("the application firewall blocks {path}", path=entry.path), _line(entry))


def _unlisted(network: MacNetwork, program: str) -> Decision:
    """Signed software may be let in unasked; for any other macOS asks at the screen, and lets nobody in till then."""
    if program.startswith(_APPLE) and network.allow_builtin:
        return _decided(OPEN, t("macOS lets its own signed software in, and {path} belongs to it", path=program))
    settle = plain(f"{SOCKETFILTERFW} --listapps")
    if not program:
        return _undecided(t("the application firewall is on, and the program that listens is not known"), settle=settle)
    if network.apps is None and not network.python_listed:
        return _undecided(t("the list of the application firewall could not be read"), settle=settle)
    why = [t("the application firewall is on, and {path} is not in its list", path=program)]
    if network.allow_downloaded is not False:
        why.append(t("it lets in programs that are signed by a known developer, and asks at the screen about others"))
    else:
        why.append(
            t("it asks at the screen when such a program begins to listen, and lets nobody in before the answer")
        )
    return _undecided(*why, settle=t("look for that question on the screen of the Mac, or open the page from a phone"))


def entry_of(network: MacNetwork, program: str) -> MacApp | None:
    """The entry of the firewall's list that speaks of this program: itself, or the bundle that holds it."""
    if not program:
        return None
    entries = [one for one in network.apps or () if _same(one.path, program)]
    blocked = [one for one in entries if not one.allowed]
    return next(iter(blocked or entries), None)


def _same(entry: str, program: str) -> bool:
    return program == entry or program.startswith(f"{entry}/") or entry.startswith(f"{program}/")


def other_pythons(network: MacNetwork, program: str) -> tuple[MacApp, ...]:
    """Entries of the list that are a Python, but not this one: an update leaves the old path behind."""
    return tuple(
        one
        for one in network.apps or ()
        if re.search(r"/python[^/]*$", one.path, re.IGNORECASE) and not _same(one.path, program)
    )


def suspect(network: MacNetwork, port: int) -> str:
    """The first rule of pf that might stop a connection to that port; empty where none can, or none was read."""
    if network.pf is None or network.pf_enabled is False:
        return ""
    return next((rule for rule in network.pf if _may_block(rule, port)), "")


def _may_block(rule: str, port: int) -> bool:
    words = re.findall(r"[\w-]+", rule)
    if words[:1] != ["block"] or {"out", "lo0"} & set(words):
        return False
    if _OTHERS & set(words) and "tcp" not in words:
        return False
    single = _PORT.search(rule.partition(" to ")[2])
    return str(port) in re.findall(r"\w+", single["which"]) if single else True


def _line(entry: MacApp) -> str:
    return f"{entry.path} ( {'Allow' if entry.allowed else 'Block'} incoming connections )"


def _decided(verdict: str, why: Message, rule: str = "") -> Decision:
    return Decision(verdict=verdict, because=(why,), rule=rule, where="socketfilterfw --listapps", manager=_MANAGER)


def _undecided(*why: Message, settle: Message) -> Decision:
    return Decision(verdict=UNDECIDED, because=why, manager=_MANAGER, settle=settle)
