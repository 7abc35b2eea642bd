from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch, Processes, Wsl
from forgedoctor.firewall.decision import FILTERED
from forgedoctor.firewall.wsl import LOOPBACK, evaluate, forwards, from_outside, line
from forgedoctor_checks.reach._offered import offered, weight
from forgedoctor_checks.reach._windows_side import add_portproxy, mirrored


@check("wsl-portproxy-stale", severity=WARNING, group="reach", systems=["linux"], explains=["endpoint-unreachable"])
def wsl_portproxy_stale(wsl: Wsl, launch: Launch | None, processes: Processes | None) -> Iterator[Finding]:
    """The portproxy on Windows leads to an address that WSL no longer has, or to another port.

    What happens: other devices reached Forge before, and since WSL or Windows was restarted they time out.
    Why: under NAT WSL gets a new address at each start; the portproxy keeps the old one.
    Fix: set the portproxy anew; or networkingMode=mirrored, which needs none.
    Source: Microsoft, "Accessing network applications with WSL".
    """
    port = offered(launch, processes)
    decision = evaluate(wsl, port=port)
    rows = [one for one in forwards(wsl, port) if from_outside(one)]
    if wsl.mode != "nat" or decision.verdict != FILTERED or not rows or not wsl.address:
        return
    row = next((one for one in rows if one.listen_port == port), rows[0])
    evidence = [
        Evidence(plain(line(row)), "netsh interface portproxy show all"),
        Evidence(t("the address of WSL now: {address}", address=wsl.address), "eth0"),
    ]
    if row.connect_address in LOOPBACK:
        evidence.append(Evidence(t("localhostForwarding=false: localhost of Windows leads nowhere"), wsl.wished_in))
    target = f"{row.connect_address}:{row.connect_port}"
    yield Finding(
        t("The portproxy on Windows leads to {old}, and Forge is at {now}.", old=target, now=f"{wsl.address}:{port}"),
        evidence=evidence,
        fixes=[add_portproxy(wsl, port, row), mirrored()],
        severity=weight(launch),
        confidence=CERTAIN if row.listen_port == port else LIKELY,
    )
