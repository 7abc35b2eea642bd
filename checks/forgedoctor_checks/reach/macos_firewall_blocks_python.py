from __future__ import annotations

import shlex
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, Undecided, check, plain, shell, t
from forgedoctor.facts import Launch, MacNetwork, Processes
from forgedoctor.facts.macos_network import SOCKETFILTERFW
from forgedoctor.firewall.decision import FILTERED, UNDECIDED
from forgedoctor.firewall.macos import entry_of, evaluate, other_pythons
from forgedoctor_checks.reach._offered import offered, weight


@check(
    "macos-firewall-blocks-python",
    severity=WARNING,
    group="reach",
    systems=["macos"],
    explains=["endpoint-unreachable"],
)
def macos_firewall_blocks_python(
    network: MacNetwork, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """The macOS firewall blocks the very Python that Forge runs in.

    What happens: Forge works on the Mac itself; other devices time out, or connect and then get no data.
    Why: the firewall decides by program, by its real path. Somebody answered "Deny" once, or the list holds the path
    of an older Python: each update of Python (3.10.13, 3.10.14 …) is a new program to it.
    Fix: allow that program: socketfilterfw --unblockapp, or System Settings > Network > Firewall > Options.
    Source: Apple, "Change Firewall settings on Mac"; socketfilterfw --help.
    """
    port = offered(launch, processes)
    decision = evaluate(network, program=network.python, port=port)
    if network.state == 2 or network.block_all:
        return  # blocks all: another cause
    if decision.verdict == UNDECIDED:
        raise Undecided(decision.because[0], decision.settle)
    if decision.verdict != FILTERED:
        return
    entry = entry_of(network, network.python)
    path = entry.path if entry else network.python
    evidence = [
        Evidence(plain(decision.rule), decision.where),
        Evidence(t("Forge runs in {path}", path=network.python)),
    ]
    older = [one.path for one in other_pythons(network, network.python)]
    if older:
        evidence.append(Evidence(t("its list also holds other Pythons: {paths}", paths=", ".join(older[:3]))))
    yield Finding(
        t("The macOS firewall blocks the Python that Forge runs in, so other devices cannot connect."),
        evidence=evidence,
        fixes=_fixes(path),
        severity=weight(launch),
        confidence=CERTAIN,
    )


def _fixes(path: str) -> list[Fix]:
    program = f"sudo {SOCKETFILTERFW}"
    allow = Fix(
        title=t("Let connections to this Python in, then restart Forge:"),
        steps=(shell(f"{program} --unblockapp {shlex.quote(path)}"),),
        needs_admin=True,
        undo=plain(f"{program} --blockapp {shlex.quote(path)}"),
    )
    by_hand = t(
        "Or in System Settings > Network > Firewall > Options set python to Allow incoming connections; on a Mac that is managed by a company only there, or by its administrator"
    )
    return [allow, fixes.advise(by_hand)]
