from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Host


@check("wsl-nat", severity=ERROR, group="reach", explains=["endpoint-unreachable", "client-wrong-url"])
def wsl_nat(host: Host, exchanges: Exchanges | None, endpoint: Endpoint | None) -> Iterator[Finding]:
    """One side is in WSL2 and the other on Windows: 127.0.0.1 is not the same place.

    What happens: "connection refused" from WSL to a Forge on Windows (or the other way from the LAN), although each
    works on its own side.
    Why: WSL2 is a machine of its own behind NAT, unless mirrored networking is switched on.
    Fix: use the other side's address and --listen on the server; or networkingMode=mirrored in .wslconfig.
    Source: Microsoft's page "Accessing network applications with WSL".
    """
    if not host.wsl:
        return
    for one in exchanges.exchanges if exchanges else ():
        name = urlsplit(f"//{one.url.split('://')[-1]}").hostname or ""
        if one.error == "refused" and (not name or name in ("localhost", "::1") or name.startswith("127.")):
            yield _finding(one.detail, one.where)
            return
    connect = endpoint.probe("connect") if endpoint else None
    local = bool(endpoint and (endpoint.host == "localhost" or endpoint.host.startswith("127.")))
    if endpoint and connect and connect.outcome == "refused" and local:
        yield _finding(f"{endpoint.url}: refused", "WSL")


def _finding(detail: str, where: str) -> Finding:
    return Finding(
        t("127.0.0.1 in WSL2 is not 127.0.0.1 of Windows: NAT lies between them."),
        evidence=[Evidence(plain(detail), where)],
        fixes=[
            fixes.paste(t("Use the address of Windows as WSL sees it, with Forge started with --listen:"), "ip route show default | awk '{print $3}'"),
            fixes.advise(t("Or switch on mirrored networking: networkingMode=mirrored under [wsl2] in .wslconfig, then wsl --shutdown")),
        ],
        severity=ERROR if where != "WSL" else WARNING,
        confidence=LIKELY,
    )
