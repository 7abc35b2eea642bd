from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, POSSIBLE, WARNING, Evidence, Finding, Severity, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Host, Processes, Wsl
from forgedoctor_checks.reach._urls import host_of, loopback


@check("wsl-nat", severity=ERROR, group="reach", explains=["endpoint-unreachable", "client-wrong-url"])
def wsl_nat(
    host: Host, exchanges: Exchanges | None, endpoint: Endpoint | None, processes: Processes | None, wsl: Wsl | None
) -> Iterator[Finding]:
    """One side is in WSL2 and the other on Windows: 127.0.0.1 is not the same place.

    What happens: "connection refused" from WSL to a Forge on Windows (or the other way from the LAN), although each
    works on its own side.
    Why: WSL2 is a machine of its own behind NAT, unless mirrored networking is switched on.
    Fix: use the other side's address and --listen on the server; or networkingMode=mirrored in .wslconfig.
    Source: Microsoft's page "Accessing network applications with WSL".
    """
    if not host.wsl or (processes and processes.forges):
        return  # a Forge on this side is meant by its own 127.0.0.1
    if wsl and wsl.mode in ("mirrored", "wsl1"):
        return  # there both sides have one loopback
    for one in exchanges.exchanges if exchanges else ():
        name = host_of(one.url)
        if one.error == "refused" and (not name or loopback(name)):
            yield _finding(Evidence(plain(one.detail), one.where), ERROR, wsl, known=bool(name))
            return
    connect = endpoint.probe("connect") if endpoint else None
    if endpoint and connect and connect.outcome == "refused" and loopback(endpoint.host):
        yield _finding(Evidence(t("{url}: refused", url=endpoint.url), "WSL"), WARNING, wsl, known=True)


def _finding(evidence: Evidence, severity: Severity, wsl: Wsl | None, *, known: bool) -> Finding:
    title = t("Use the address of Windows as WSL sees it, with Forge started with --listen:")
    mirrored = t(
        "Or switch on mirrored networking: networkingMode=mirrored under [wsl2] in .wslconfig, then wsl --shutdown"
    )
    use = fixes.paste(title, "ip route show default | awk '{print $3}'", safety="safe")
    seen = [evidence]
    if wsl and wsl.mode == "nat":
        mode = t("the network of WSL is in the mode {mode}", mode="nat")
        seen.append(Evidence(mode, "wslinfo --networking-mode"))
        if wsl.gateway:
            told = t(
                "Use the address of Windows as WSL sees it, {address}, with Forge started with --listen",
                address=wsl.gateway,
            )
            use = fixes.advise(told)
    return Finding(
        t("127.0.0.1 in WSL2 is not 127.0.0.1 of Windows: NAT lies between them."),
        evidence=seen,
        fixes=[use, fixes.advise(mirrored)],
        severity=severity,
        confidence=LIKELY if known else POSSIBLE,
    )
