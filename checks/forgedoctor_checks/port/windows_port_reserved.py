from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import (
    CERTAIN,
    ERROR,
    INFO,
    LIKELY,
    WARNING,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Message,
    check,
    plain,
    shell,
    t,
)
from forgedoctor.facts import BindTest, Launch, Sockets, WindowsNetwork
from forgedoctor.facts.windows_network import PortRange

_SHOW = "netsh interface ipv4 show excludedportrange protocol=tcp"
_USUAL = PortRange(first=49152, last=65535)


@check(
    "windows-port-reserved", severity=ERROR, group="port", systems=["windows"],
    explains=["endpoint-unreachable", "server-thread-dead", "port-in-use"],
)  # fmt: skip
def windows_port_reserved(launch: Launch, sockets: Sockets, network: WindowsNetwork | None) -> Iterator[Finding]:
    """Windows does not let the program have the port, although nobody listens on it.

    What happens: WinError 10013, hidden above a misleading "Port 7860 is in use" or "All ports from 7860 to 7959 are
    in use".
    Why: Hyper-V, WSL and Docker reserve ranges of ports at each start of Windows, out of the ports that Windows lends
    out by itself: from 49152 on, but some programs set that range so that it begins at 1024, and then any port may be
    gone after any restart. Security software can refuse a port too.
    Fix: take a port outside the reserved ranges; or reserve the port for yourself before they do; or give the range its
    usual place. (A range marked with * was reserved by a person, and does not keep a program out.)
    Source: Windows sockets error 10013 (WSAEACCES); netsh interface ipv4 show excludedportrange and dynamicport.
    """
    if launch.running or launch.effective.exit is not None:
        return
    test = next((one for one in sockets.tests if one.outcome == "denied"), None)
    if test and not sockets.holders(launch.effective.host, test.port):
        yield _refused(launch, sockets, network, test)
        return
    port = _wanted(launch)
    tested = any(one.port == port for one in sockets.tests)
    held = network.reservation(port) if network and not tested else None
    if network and held:
        yield _reserved(launch, sockets, network, port, held)
    elif network and network.dynamic and network.dynamic.holds(port) and network.dynamic.first < _USUAL.first:
        yield _may_come(network.dynamic, port)


def _wanted(launch: Launch) -> int:
    it = launch.effective
    return it.port_range[0] if it.port_range else (it.listens if it.listens is not None else it.port) or 0


def _refused(launch: Launch, sockets: Sockets, network: WindowsNetwork | None, test: BindTest) -> Finding:
    """The bind was tried, and Windows said no."""
    walks_on = launch.effective.port_range is not None and sockets.tests[-1].outcome == "free"
    template = "binding {host}:{port} was tried and refused: {message}"
    evidence = [Evidence(t(template, host=test.host, port=test.port, message=test.message))]
    if walks_on:
        evidence.append(Evidence(t("the web UI will take {port} instead", port=sockets.tests[-1].port)))
    summary, confidence = _cause(network, test.port)
    return Finding(
        summary,
        evidence=[*evidence, *_ranges(network, test.port)],
        fixes=list(_fixes(launch, sockets, network, test.port)),
        severity=WARNING if walks_on else ERROR,
        confidence=confidence,
    )


def _cause(network: WindowsNetwork | None, port: int) -> tuple[Message, Confidence]:
    """What the reserved ranges say of a port that was refused."""
    if network is None or network.reserved is None:
        template = "Windows keeps port {port} for itself; nobody listens on it, and Forge may not have it."
        return t(template, port=port), CERTAIN
    held = network.reservation(port)
    if held:
        return _summary(held, port), CERTAIN
    template = "Windows refuses port {port}, though nobody is seen on it and it is in no reserved range: security software, or a program that keeps it for itself."
    return t(template, port=port), LIKELY


def _summary(held: PortRange, port: int) -> Message:
    template = "Windows has reserved ports {first} to {last}, so Forge may not have {port}; nobody listens on it."
    return t(template, first=held.first, last=held.last, port=port)


def _reserved(launch: Launch, sockets: Sockets, network: WindowsNetwork, port: int, held: PortRange) -> Finding:
    """No bind was tried, and the list of ranges says that it would fail."""
    return Finding(
        _summary(held, port),
        evidence=list(_ranges(network, port)),
        fixes=list(_fixes(launch, sockets, network, port)),
        severity=WARNING if launch.effective.port_range else ERROR,
        confidence=LIKELY,
    )


def _may_come(dynamic: PortRange, port: int) -> Finding:
    """It can be had today."""
    template = "Windows may reserve port {port} at any restart: it lends out ports {first} to {last}."
    return Finding(
        t(template, port=port, first=dynamic.first, last=dynamic.last),
        evidence=[
            Evidence(t("the usual range begins at {first}", first=_USUAL.first), "netsh int ipv4 show dynamicport tcp")
        ],
        fixes=[_usual_place(dynamic), _keep(port)],
        severity=INFO,
        confidence=CERTAIN,
    )


def _ranges(network: WindowsNetwork | None, port: int) -> Iterator[Evidence]:
    """The ranges around the port, and where new ones come from."""
    for one in network.reserved or () if network else ():
        if one.first - 200 <= port <= one.last + 200:
            template = "reserved: {first} to {last}"
            if one.administered:
                template = "reserved by a person (*), which keeps no program out: {first} to {last}"
            yield Evidence(t(template, first=one.first, last=one.last), _SHOW)
    if network and network.dynamic and network.dynamic.holds(port):
        template = "Windows lends out ports {first} to {last} by itself, so it may come back after any restart"
        yield Evidence(t(template, first=network.dynamic.first, last=network.dynamic.last))


def _fixes(launch: Launch, sockets: Sockets, network: WindowsNetwork | None, port: int) -> Iterator[Fix]:
    if network is None or network.reserved is None:
        title = t("See which ranges Windows has reserved:")
        yield Fix(title=title, steps=(shell(_SHOW, "cmd"),), safety="safe")
    free = _outside(sockets, network, port)
    if free:
        yield fixes.change_flags(launch, drop=["--port"], add=[f"--port {free}"])
    if network is None or network.reserved is None or network.reservation(port):
        yield _keep(port)
    if network and network.dynamic and network.dynamic.holds(port) and network.dynamic.first < _USUAL.first:
        yield _usual_place(network.dynamic)


def _outside(sockets: Sockets, network: WindowsNetwork | None, port: int) -> int | None:
    """A free port that no range holds; without the list, one that is further away than ranges are wide."""
    if network is None or network.reserved is None:
        return sockets.next_free(port + 200)
    free = sockets.next_free(port)
    while free and network.reservation(free):
        free = sockets.next_free(max(one.last for one in network.reserved if one.holds(free)))
    return free


def _keep(port: int) -> Fix:
    return Fix(
        title=t("Or reserve the port for Forge, before Hyper-V draws its ranges anew:"),
        steps=(
            shell("net stop winnat", "cmd"),
            shell(f"netsh int ipv4 add excludedportrange protocol=tcp startport={port} numberofports=1", "cmd"),
            shell("net start winnat", "cmd"),
        ),
        needs_admin=True,
        undo=t("netsh int ipv4 delete excludedportrange protocol=tcp startport={port} numberofports=1", port=port),
    )


def _usual_place(dynamic: PortRange) -> Fix:
    count = dynamic.last - dynamic.first + 1
    return Fix(
        title=t("Give the range back its usual place, then restart Windows:"),
        steps=tuple(
            shell(f"netsh int {family} set dynamicport tcp start=49152 num=16384", "cmd") for family in ("ipv4", "ipv6")
        ),
        needs_admin=True,
        undo=plain(f"netsh int ipv4 set dynamicport tcp start={dynamic.first} num={count}"),
    )
