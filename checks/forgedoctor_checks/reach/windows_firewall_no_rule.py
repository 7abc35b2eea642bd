from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, Fix, Undecided, check, t
from forgedoctor.facts import Interfaces, Launch, Processes, WindowsNetwork
from forgedoctor.firewall.decision import UNDECIDED
from forgedoctor_checks.reach._windows import (
    Way,
    allow_port,
    asked_for,
    by_policy,
    closed_by_default,
    in_charge,
    port_of,
    ways,
    weight,
)
from forgedoctor_checks.reach._windows_public import only_for_private


@check(
    "windows-firewall-no-rule", severity=ERROR, group="reach", systems=["windows"],
    explains=["firewall-or-antivirus-blocks"],
)  # fmt: skip
def windows_firewall_no_rule(
    launch: Launch, network: WindowsNetwork, processes: Processes | None, interfaces: Interfaces | None
) -> Iterator[Finding]:
    """Windows Firewall has no rule that lets others in to Forge, and drops what no rule names.

    What happens: the page opens on this machine; from others it times out (it is not refused).
    Why: Windows asks "Allow access?" when a new program first listens; a service, a user without rights or switched-off
    notifications get no question, and no rule.
    Fix: allow the port for machines of the own network.
    Source: Microsoft's page "Windows Firewall rules"; measured: a dropped connection times out.
    """
    port = port_of(launch, processes)
    in_charge(network)
    found = ways(launch, network, interfaces, port)
    shut = [way for way in found if _shut(network, way, port)]
    if shut and (shut[0].network.interface or len(shut) == len(found)):
        yield _finding(launch, network, found, shut, port)
        return
    doubt = next((way.decision for way in found if way.decision.verdict == UNDECIDED), None)
    if doubt:
        raise Undecided(doubt.because[0], doubt.settle)
    if shut:
        settle = t("see which kind it is: Get-NetConnectionProfile")
        raise Undecided(t("one kind of network lets others in; which kind this one is was not seen"), settle)


def _shut(network: WindowsNetwork, way: Way, port: int) -> bool:
    """Closed because nothing names it; not because nothing counts, nor because the network is of the wrong kind."""
    profile = network.profile(way.network.category)
    counts = profile is None or profile.rules_count
    return counts and closed_by_default(way) and not only_for_private(network, way, port)


def _finding(launch: Launch, network: WindowsNetwork, found: list[Way], shut: list[Way], port: int) -> Finding:
    severity = weight(launch, found, WARNING, ERROR if launch.running else WARNING)
    evidence = [way.shown for way in shut[:3] if way.network.interface]
    evidence += [Evidence(reason) for reason in shut[0].decision.because]
    if not launch.running:
        evidence.append(Evidence(t('Windows may ask "Allow access?" when Forge starts: choose Allow')))
    template = "Windows Firewall lets nobody in to port {port} on {kind} networks: no rule allows it."
    return Finding(
        t(template, port=port, kind=shut[0].kind),
        evidence=evidence,
        fixes=_fixes(network, shut, port),
        severity=severity if asked_for(launch) else INFO,
        confidence=CERTAIN if shut[0].network.interface else LIKELY,
    )


def _fixes(network: WindowsNetwork, shut: list[Way], port: int) -> list[Fix]:
    profile = network.profile(shut[0].network.category)
    if profile and not profile.local_rules:
        return [fixes.advise(by_policy())]
    title = t("Allow the port for machines of your own network:")
    return [allow_port(port, shut[0].network.category, title)]
