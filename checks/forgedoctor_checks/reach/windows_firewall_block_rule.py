from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, Undecided, check, plain, shell, t
from forgedoctor.facts import Interfaces, Launch, Processes, WindowsNetwork
from forgedoctor.facts.windows_network import FirewallRule
from forgedoctor.firewall.decision import FILTERED, UNDECIDED
from forgedoctor.firewall.windows import evaluate, matches, shown_rule
from forgedoctor_checks.reach._windows import Way, allow_port, by_policy, in_charge, port_of, quoted, ways, weight


@check(
    "windows-firewall-block-rule", severity=ERROR, group="reach", systems=["windows"],
    explains=["firewall-or-antivirus-blocks"],
)  # fmt: skip
def windows_firewall_block_rule(
    launch: Launch, network: WindowsNetwork, processes: Processes | None, interfaces: Interfaces | None
) -> Iterator[Finding]:
    """A block rule of Windows Firewall catches Forge, mostly the one that "Cancel" in its first question left.

    What happens: the page opens on this machine; from others it times out. A rule that allows the port changes nothing.
    Why: whoever closes Windows' question "Allow access?" with Cancel makes two rules that block this very python.exe,
    for TCP and UDP, and a block beats every allow. Each further Python (moved, embedded, newer) is asked about anew.
    Fix: switch off the block rules of that python.exe, then allow the port.
    Source: Microsoft's page "Windows Firewall rules", which tells of these rules and the order.
    """
    port = port_of(launch, processes)
    in_charge(network)
    if network.rules is None:
        why = network.why_missing("rules") or t("the rules of Windows Firewall were not seen")
        raise Undecided(why, t("run in PowerShell as administrator: Get-NetFirewallRule -PolicyStore ActiveStore"))
    found = ways(launch, network, interfaces, port)
    blocked = [way for way in found if way.decision.verdict == FILTERED and way.decision.rule]
    if blocked and not blocked[0].network.interface and len(blocked) < len(found):
        settle = t("see which kind it is: Get-NetConnectionProfile")
        raise Undecided(
            t("a block rule is there, for one kind of network; which kind this one is was not seen"), settle
        )
    if not blocked:
        _doubtful(network, found)
        return
    rules = _blocks(network, blocked[0], port)
    yield Finding(
        t(
            'Windows Firewall blocks Forge on {kind} networks: the rule "{rule}" beats every rule that allows it.',
            kind=blocked[0].kind,
            rule=rules[0].shown,
        ),
        evidence=_evidence(rules, blocked),
        fixes=_fixes(network, blocked[0], rules, port),
        severity=weight(launch, found, WARNING, ERROR),
        confidence=CERTAIN if len(network.programs) == 1 and blocked[0].network.interface else LIKELY,
    )


def _doubtful(network: WindowsNetwork, found: Sequence[Way]) -> None:
    """Raises Undecided where it hangs on which Python runs Forge; other doubts are told by another check."""
    blocks = any(
        one.action == "block" and one.enabled and "python" in one.program.lower() for one in network.rules or ()
    )
    for way in found:
        if way.decision.verdict == UNDECIDED and blocks and len(network.programs) != 1:
            raise Undecided(way.decision.because[0], t("start Forge, then run forgedoctor again"))


def _blocks(network: WindowsNetwork, way: Way, port: int) -> list[FirewallRule]:
    """All block rules that catch it there, the deciding one first."""
    return [
        rule
        for rule in network.rules or ()
        if rule.action == "block"
        and any(
            matches(rule, program=program, port=port, category=way.network.category, interface=way.network.interface)
            for program in network.programs or ("",)
        )
    ]


def _evidence(rules: Sequence[FirewallRule], blocked: Sequence[Way]) -> list[Evidence]:
    found = [Evidence(plain(shown_rule(rule)), rule.id) for rule in rules[:4]]
    if any(rule.from_prompt for rule in rules):
        found.append(Evidence(t('Windows made it when its question "Allow access?" was closed with Cancel')))
    return [*found, *(way.shown for way in blocked[:3] if way.network.interface)]


def _fixes(network: WindowsNetwork, way: Way, rules: Sequence[FirewallRule], port: int) -> list[Fix]:
    if any(rule.store != "local" for rule in rules):
        return [fixes.advise(by_policy())]
    named = [rule.id for rule in rules if rule.id]
    if not named:
        return [fixes.advise(t("Delete the block rules for that program in wf.msc, under Inbound Rules"))]
    names = ", ".join(quoted(name) for name in named)
    made = [
        Fix(
            title=t("Switch off the rules that block it:"),
            steps=(shell(f"Disable-NetFirewallRule -Name {names}", "powershell"),),
            needs_admin=True,
            undo=plain(f"Enable-NetFirewallRule -Name {names}"),
        )
    ]
    without = msgspec.structs.replace(network, rules=tuple(one for one in network.rules or () if one not in rules))
    category = way.network.category
    program = next(iter(network.programs), "")
    if evaluate(without, program=program, port=port, category=category).verdict == FILTERED:
        made.append(allow_port(port, category, t("Then allow the port for machines of your own network:")))
    return made
