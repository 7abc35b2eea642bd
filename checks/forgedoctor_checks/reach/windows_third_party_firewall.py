from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Processes, WindowsNetwork
from forgedoctor_checks.reach._windows import port_of


@check("windows-third-party-firewall", severity=INFO, group="reach", systems=["windows"])
def windows_third_party_firewall(
    launch: Launch, network: WindowsNetwork, processes: Processes | None
) -> Iterator[Finding]:
    """Another maker's firewall is in charge: the rules of Windows do not say who gets in to Forge.

    What happens: others may time out although Windows Firewall allows the port, or shows itself as off.
    Why: security suites register a firewall of their own with Windows and put it in the place of Windows'.
    Fix: allow python.exe, or the port, in that program.
    Source: root/SecurityCenter2 FirewallProduct, productState bit 0x1000.
    """
    port = port_of(launch, processes)
    names = [one.name for one in network.products or () if one.on]
    if not names:
        return
    program = next(iter(network.programs), "python.exe")
    template = "In {product}, let {program} accept connections on TCP port {port} from the local network"
    yield Finding(
        t(
            "{product} is the firewall here: whether others get in to port {port} is up to it.",
            product=names[0],
            port=port,
        ),
        evidence=[Evidence(t("{product} is registered and on", product=name), "SecurityCenter2") for name in names],
        fixes=[fixes.advise(t(template, product=names[0], program=program, port=port))],
        confidence=LIKELY,
    )
