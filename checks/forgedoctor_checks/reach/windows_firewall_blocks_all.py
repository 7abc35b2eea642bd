from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Interfaces, Launch, Processes, WindowsNetwork
from forgedoctor_checks.reach._windows import in_charge, port_of, ways, weight


@check(
    "windows-firewall-blocks-all", severity=ERROR, group="reach", systems=["windows"],
    explains=["firewall-or-antivirus-blocks"],
)  # fmt: skip
def windows_firewall_blocks_all(
    launch: Launch, network: WindowsNetwork, processes: Processes | None, interfaces: Interfaces | None
) -> Iterator[Finding]:
    """Windows Firewall blocks all incoming connections on this kind of network, also those that its rules allow.

    What happens: the page opens on this machine; from others it times out, whatever rules are made.
    Why: "Block all incoming connections, including those in the list of allowed apps" is ticked.
    Fix: take the tick out.
    Source: Set-NetFirewallProfile -AllowInboundRules; Microsoft's page "Windows Firewall rules".
    """
    port = port_of(launch, processes)
    in_charge(network)
    found = ways(launch, network, interfaces, port)
    for way in found:
        profile = network.profile(way.network.category)
        if way.network.interface and profile and profile.on and not profile.rules_count:
            name = profile.name.capitalize()
            yield Finding(
                t(
                    "Windows Firewall blocks all incoming connections on {kind} networks, allowed or not.",
                    kind=way.kind,
                ),
                evidence=[Evidence(reason) for reason in way.decision.because] + [way.shown],
                fixes=[
                    Fix(
                        title=t("Let the rules count again:"),
                        steps=(shell(f"Set-NetFirewallProfile -Profile {name} -AllowInboundRules True", "powershell"),),
                        needs_admin=True,
                        undo=plain(f"Set-NetFirewallProfile -Profile {name} -AllowInboundRules False"),
                    )
                ],
                severity=weight(launch, found, WARNING, ERROR),
                confidence=CERTAIN,
            )
            return
