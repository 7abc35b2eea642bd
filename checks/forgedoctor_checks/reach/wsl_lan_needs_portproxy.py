from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Undecided, check, t
from forgedoctor.facts import Launch, Processes, Wsl
from forgedoctor.firewall.decision import FILTERED, UNDECIDED
from forgedoctor.firewall.wsl import evaluate, forwards, from_outside
from forgedoctor_checks.reach._offered import offered, weight
from forgedoctor_checks.reach._windows_side import add_portproxy, allow_in_windows, mirrored


@check("wsl-lan-needs-portproxy", severity=WARNING, group="reach", systems=["linux"])
def wsl_lan_needs_portproxy(wsl: Wsl, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """Forge runs in WSL2 behind NAT, so other devices cannot reach it, with --listen or without.

    What happens: http://localhost:7860 works in WSL and in a browser of Windows; other devices time out.
    Why: WSL2 is a machine of its own behind Windows. Windows hands its own localhost on by itself, and its LAN
    address only where a portproxy says so.
    Fix: netsh interface portproxy and a rule of Windows' firewall for the port, anew after each restart of WSL, whose
    address changes; or networkingMode=mirrored (Windows 11 22H2).
    Source: Microsoft, "Accessing network applications with WSL".
    """
    port = offered(launch, processes)
    if wsl.mode != "nat":
        if not wsl.mode and wsl.version == 2:
            decision = evaluate(wsl, port=port)
            raise Undecided(decision.because[0], decision.settle)
        return
    decision = evaluate(wsl, port=port)
    if decision.verdict == UNDECIDED:
        raise Undecided(decision.because[0], decision.settle)
    if decision.verdict != FILTERED or any(from_outside(one) for one in forwards(wsl, port)):
        return  # open, or a portproxy that leads elsewhere: another cause
    evidence = [
        Evidence(t("the network of WSL is in the mode {mode}", mode="nat"), "wslinfo --networking-mode"),
        Evidence(decision.because[0], "netsh interface portproxy show all"),
        Evidence(t("http://localhost:{port} works in WSL and in Windows; other devices get no answer", port=port)),
    ]
    yield Finding(
        t("WSL2 is behind NAT: other devices cannot reach port {port} without a portproxy on Windows.", port=port),
        evidence=evidence if wsl.localhost_forwarding is not False else evidence[:2],
        fixes=[add_portproxy(wsl, port), allow_in_windows(port), mirrored()],
        severity=weight(launch),
        confidence=CERTAIN,
    )
