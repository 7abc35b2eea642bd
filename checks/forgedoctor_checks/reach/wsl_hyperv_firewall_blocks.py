from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, Undecided, check, t
from forgedoctor.facts import Launch, Processes, Wsl
from forgedoctor.firewall.decision import OPEN, UNDECIDED
from forgedoctor.firewall.wsl import evaluate
from forgedoctor_checks.reach._offered import offered, weight
from forgedoctor_checks.reach._windows_side import allow_in_hyperv


@check(
    "wsl-hyperv-firewall-blocks", severity=WARNING, group="reach", systems=["linux"], explains=["endpoint-unreachable"]
)
def wsl_hyperv_firewall_blocks(wsl: Wsl, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """WSL has mirrored networking, and the Hyper-V firewall of Windows lets nobody in.

    What happens: Forge works in WSL and in Windows; other devices time out, whatever a firewall in WSL says.
    Why: in mirrored mode WSL has the addresses of Windows, and a firewall of its own stands before it. Its default is
    to block; a rule of Windows' own firewall for the port may count too (AllowHostPolicyMerge), one for a program not.
    Fix: New-NetFirewallHyperVRule for the port.
    Source: Microsoft, "Configure Hyper-V firewall"; Get-NetFirewallHyperVVMSetting.
    """
    port = offered(launch, processes)
    if wsl.mode != "mirrored":
        return
    decision = evaluate(wsl, port=port)
    if decision.verdict == OPEN:
        return
    gate = wsl.hyperv
    # A rule of Windows' own firewall may let it in after all; by default nothing does.
    by_default = gate and gate.inbound == "block" and gate.rules is not None and not decision.rule
    if gate is None or (decision.verdict == UNDECIDED and not by_default):
        raise Undecided(decision.because[0], decision.settle)
    yield Finding(
        t("The Hyper-V firewall of Windows lets no other device in to port {port} of WSL.", port=port),
        evidence=[
            Evidence(t("the network of WSL is in the mode {mode}", mode="mirrored"), "wslinfo --networking-mode"),
            *(Evidence(one, "Get-NetFirewallHyperVVMSetting") for one in decision.because),
        ],
        fixes=[allow_in_hyperv(port)],
        severity=weight(launch),
        confidence=CERTAIN if decision.verdict != UNDECIDED else LIKELY,
    )
