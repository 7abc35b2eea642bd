from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Launch, Processes, Wsl
from forgedoctor_checks.reach._offered import offered, weight


@check(
    "wsl-mirrored-not-in-force", severity=WARNING, group="reach", systems=["linux"],
    explains=["wsl-lan-needs-portproxy", "wsl-portproxy-stale", "wsl-nat"],
)  # fmt: skip
def wsl_mirrored_not_in_force(wsl: Wsl, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """.wslconfig asks for mirrored networking, and WSL runs with NAT all the same.

    What happens: other devices cannot reach Forge in WSL, although networkingMode=mirrored is written down.
    Why: WSL was not shut down since, or this Windows cannot do it (it needs Windows 11 22H2) and falls back to NAT with
    one line at the start of WSL.
    Fix: wsl --shutdown and start it again; update WSL; else use a portproxy.
    Source: Microsoft, "Advanced settings configuration in WSL"; wslinfo --networking-mode tells what is in force.
    """
    offered(launch, processes)
    if wsl.wished != "mirrored" or wsl.mode != "nat":
        return
    evidence = [
        Evidence(t("networkingMode=mirrored under [{section}]", section=wsl.wished_section), wsl.wished_in),
        Evidence(t("the network of WSL is in the mode {mode}", mode="nat"), "wslinfo --networking-mode"),
    ]
    restart = Fix(
        title=t("In Windows; it ends everything that runs in WSL, so save first:"),
        steps=(shell("wsl --update", "powershell"), shell("wsl --shutdown", "powershell")),
        safety="needs-person",
        undo=t("start WSL again"),
    )
    fixed = [restart]
    if wsl.wished_section != "wsl2":
        fixed.append(fixes.advise(t("Put the line under [wsl2]: [experimental] was its place before WSL 2.0.5")))
    fixed.append(fixes.advise(t("If it stays at nat: it needs Windows 11 22H2 or later; WSL says so when it starts")))
    yield Finding(
        t("Mirrored networking is asked for, and WSL runs with NAT."),
        evidence=evidence,
        fixes=fixed,
        severity=weight(launch),
        confidence=CERTAIN,
    )
