from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Interfaces, Launch, Processes, WindowsNetwork
from forgedoctor_checks.reach._windows import Way, allow_port, in_charge, port_of, quoted, ways, weight
from forgedoctor_checks.reach._windows_public import only_for_private


@check(
    "windows-network-public", severity=ERROR, group="reach", systems=["windows"],
    explains=["firewall-or-antivirus-blocks"],
)  # fmt: skip
def windows_network_public(
    launch: Launch, network: WindowsNetwork, processes: Processes | None, interfaces: Interfaces | None
) -> Iterator[Finding]:
    """The network counts as public, and the firewall rule that lets others in is for private ones.

    What happens: the page opens on this machine; from others it times out, although a rule allows it.
    Why: Windows takes every new network for a public one, as in a café; the rules that people make are for private
    networks as a rule.
    Fix: at home make the network a private one; elsewhere allow the port on public networks, for the own subnet.
    Source: Microsoft's pages on network categories and Set-NetConnectionProfile.
    """
    port = port_of(launch, processes)
    in_charge(network)
    found = ways(launch, network, interfaces, port)
    for way in found:
        rule = only_for_private(network, way, port)
        if rule:
            yield Finding(
                t(
                    "{interface} counts as a public network, and the rule that lets others in is for private ones.",
                    interface=way.network.interface,
                ),
                evidence=[Evidence(plain(rule), "Get-NetFirewallRule"), way.shown],
                fixes=_fixes(way, port),
                severity=weight(launch, found, WARNING, ERROR),
                confidence=CERTAIN,
            )
            return


def _fixes(way: Way, port: int) -> list[Fix]:
    name = quoted(way.network.interface)
    private = Fix(
        title=t("If this is your own network, at home or at work, say so to Windows:"),
        steps=(shell(f"Set-NetConnectionProfile -InterfaceAlias {name} -NetworkCategory Private", "powershell"),),
        safety="needs-person",
        needs_admin=True,
        undo=plain(f"Set-NetConnectionProfile -InterfaceAlias {name} -NetworkCategory Public"),
    )
    return [private, allow_port(port, "public", t("Or allow the port on public networks too, for the same subnet:"))]
