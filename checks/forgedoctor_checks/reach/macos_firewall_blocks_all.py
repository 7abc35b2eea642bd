from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, Undecided, check, plain, shell, t
from forgedoctor.facts import Launch, MacNetwork, Processes
from forgedoctor.facts.macos_network import SOCKETFILTERFW
from forgedoctor_checks.reach._offered import offered, weight


@check(
    "macos-firewall-blocks-all",
    severity=WARNING,
    group="reach",
    systems=["macos"],
    explains=["endpoint-unreachable", "macos-firewall-blocks-python"],
)
def macos_firewall_blocks_all(
    network: MacNetwork, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """The macOS firewall is set to block all incoming connections.

    What happens: Forge works on the Mac itself; no other device can connect, whatever is allowed for Python.
    Why: "Block all incoming connections" is on in the firewall's options.
    Fix: switch that off; the firewall then asks by program.
    Source: Apple, "Change Firewall settings on Mac"; socketfilterfw --getblockall.
    """
    offered(launch, processes)
    if network.state is None:
        raise Undecided(
            t("the application firewall does not tell its state"), plain(f"{SOCKETFILTERFW} --getglobalstate")
        )
    if network.state == 0 or not (network.state == 2 or network.block_all):
        return
    seen = f"State = {network.state}" if network.state == 2 else "block all: on"
    program = f"sudo {SOCKETFILTERFW}"
    yield Finding(
        t("The macOS firewall blocks all incoming connections, so other devices cannot reach Forge."),
        evidence=[Evidence(plain(seen), "socketfilterfw")],
        fixes=[
            Fix(
                title=t("Switch off only that: the firewall stays on, and decides by program:"),
                steps=(shell(f"{program} --setblockall off"),),
                needs_admin=True,
                undo=plain(f"{program} --setblockall on"),
            )
        ],
        severity=weight(launch),
        confidence=CERTAIN,
    )
