from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Launch, Sockets, WindowsNetwork
from forgedoctor.facts.windows_network import PortProxy

_WILDCARDS = ("*", "0.0.0.0", "::")
_ALL = ("", *_WILDCARDS)


@check(
    "portproxy-holds-port", severity=ERROR, group="port", systems=["windows"],
    explains=["port-in-use", "windows-port-reserved", "port-walked", "server-thread-dead"],
)  # fmt: skip
def portproxy_holds_port(launch: Launch, network: WindowsNetwork, sockets: Sockets | None) -> Iterator[Finding]:
    """A port proxy of Windows holds the port that Forge is to have, mostly one that was made for WSL.

    What happens: "address already in use", held by svchost.exe (iphlpsvc), which must not be ended; or Forge starts, and
    others who ask the proxy's address reach whatever it leads to.
    Why: `netsh interface portproxy` makes Windows itself listen, and its entries survive restarts and the WSL address
    that they lead to.
    Fix: delete the entry, or give Forge another port.
    Source: netsh interface portproxy; the registry key Services\\PortProxy.
    """
    it = launch.effective
    port = it.port_range[0] if it.port_range else it.listens if it.listens is not None else it.port
    if launch.running or it.exit is not None or not network.proxies or not port:
        return
    taken = [one for one in network.proxies if one.port == port and _meets(one, it.host) and not _leads_here(one, port)]
    test = sockets.test(port) if sockets else None
    free = bool(sockets and any(one.port == port for one in sockets.tests)) and test is None
    if free:
        taken = [one for one in taken if _shadows(one, it.host)]
    elif test is None:  # Windows lets an address of its own stand beside a wildcard
        taken = [one for one in taken if it.host in _ALL or one.listen == it.host]
    if not taken:
        return
    one = taken[0]
    evidence = [Evidence(plain(f"{one.listen}:{one.port} -> {one.connect}:{one.connect_port}"), "netsh portproxy")]
    if test:
        template = "binding {host}:{port} was tried and refused: {message}"
        evidence.append(Evidence(t(template, host=test.host, port=port, message=test.message)))
    where = f"{one.connect}:{one.connect_port}"
    summary = t(
        "Windows itself listens on port {port} and hands it on to {where}: Forge cannot have it.",
        port=port,
        where=where,
    )
    if free:
        template = "Others who ask {listen}:{port} get to {where}, not to Forge: Windows hands it on."
        summary = t(template, listen=one.listen, port=port, where=where)
    yield Finding(
        summary,
        evidence=evidence,
        fixes=_fixes(launch, network, sockets, one),
        severity=WARNING if free or it.port_range else ERROR,
        confidence=CERTAIN if test or free else LIKELY,
    )


def _meets(one: PortProxy, host: str) -> bool:
    """Whether both want the same address, or one of them all."""
    version_6 = one.kind.startswith("v6")
    if host in ("", "*") or host == ("::" if version_6 else "0.0.0.0"):
        return True
    if (":" in host) != version_6:
        return host == "localhost" and not version_6
    return one.listen in _WILDCARDS or one.listen == host


def _leads_here(one: PortProxy, port: int) -> bool:
    """An entry that brings a LAN address to this very Forge on its loopback address is meant so."""
    return (
        one.connect_port == port and one.connect in ("127.0.0.1", "::1", "localhost") and one.listen not in _WILDCARDS
    )


def _shadows(one: PortProxy, host: str) -> bool:
    """Whether the proxy has an address of its own while Forge has them all: Windows gives it what is asked of that."""
    return host in _ALL and one.listen not in _WILDCARDS and not one.listen.startswith("127.")


def _fixes(launch: Launch, network: WindowsNetwork, sockets: Sockets | None, one: PortProxy) -> list[Fix]:
    entry = f"listenport={one.port} listenaddress={one.listen}"
    made = [
        Fix(
            title=t("Delete the entry, if it is not needed:"),
            steps=(shell(f"netsh interface portproxy delete {one.kind} {entry}", "cmd"),),
            needs_admin=True,
            undo=plain(
                f"netsh interface portproxy add {one.kind} {entry} "
                f"connectport={one.connect_port} connectaddress={one.connect}"
            ),
        )
    ]
    free = sockets.next_free(one.port) if sockets else None
    while free and network.reservation(free):
        free = sockets.next_free(free) if sockets else None
    if free:
        title = t("Or use port {port}, which is free:", port=free)
        made.append(fixes.change_flags(launch, drop=["--port"], add=[f"--port {free}"], title=title))
    return made
