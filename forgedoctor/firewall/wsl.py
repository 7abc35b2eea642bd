"""What stands between another machine and a program in WSL: NAT with portproxy, or the Hyper-V firewall. Pure.

Windows' own firewall comes before either and is not looked at here. Source: Microsoft, "Accessing network applications
with WSL" and "Configure Hyper-V firewall".
"""

from __future__ import annotations

from forgedoctor.facts.wsl import PortProxy, Wsl
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED, Decision
from forgedoctor.message import Message, plain, t

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ASK_PORTPROXY = plain("netsh interface portproxy show all")
ASK_RULES = plain("Get-NetFirewallHyperVRule -VMCreatorId '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}'")


def evaluate(wsl: Wsl, *, port: int) -> Decision:
    """Whether a connection from the LAN to that port of Windows gets to a program in WSL that listens for all."""
    if wsl.version == 1 or wsl.mode == "wsl1":
        return _decided(OPEN, t("WSL 1 uses the network of Windows itself"))
    if wsl.mode == "nat":
        return _behind_nat(wsl, port)
    if wsl.mode == "mirrored":
        return _mirrored(wsl, port)
    if wsl.mode == "none":
        return _decided(FILTERED, t("WSL has no network: networkingMode=none"))
    why = t("how WSL is joined to the network of Windows is not known")
    return Decision(verdict=UNDECIDED, because=(why,), manager="wsl", settle=plain("wslinfo --networking-mode"))


def forwards(wsl: Wsl, port: int) -> tuple[PortProxy, ...]:
    """The rows of portproxy that lead to that port, or listen on it."""
    return tuple(one for one in wsl.portproxy or () if port in (one.connect_port, one.listen_port))


def arrives(wsl: Wsl, row: PortProxy, port: int) -> bool:
    """Whether a row leads to that port here: to today's address, or through the localhost relay of Windows."""
    relayed = row.connect_address in LOOPBACK and wsl.localhost_forwarding is not False
    return row.connect_port == port and (row.connect_address == wsl.address or relayed)


def from_outside(row: PortProxy) -> bool:
    """Whether other machines reach where it listens."""
    return row.listen_address not in LOOPBACK


def _behind_nat(wsl: Wsl, port: int) -> Decision:
    if wsl.portproxy is None:
        why = t(
            "WSL is behind NAT: other devices come in only through a portproxy on Windows, and none could be looked for"
        )
        return Decision(verdict=UNDECIDED, because=(why,), manager="portproxy", settle=ASK_PORTPROXY)
    rows = [one for one in forwards(wsl, port) if from_outside(one)]
    good = next((one for one in rows if arrives(wsl, one, port)), None)
    if good:
        return _decided(
            OPEN, t("Windows hands its port {port} on to WSL", port=good.listen_port), line(good), "portproxy"
        )
    if rows and not wsl.address:
        why = t("the address of WSL is not known, so the portproxy on Windows may be right or not")
        return Decision(
            verdict=UNDECIDED, because=(why,), rule=line(rows[0]), manager="portproxy", settle=ASK_PORTPROXY
        )
    if rows:
        old = t(
            "the portproxy on Windows leads to {old}, and WSL is {now}",
            old=_target(rows[0]),
            now=f"{wsl.address}:{port}",
        )
        return _decided(FILTERED, old, line(rows[0]), "portproxy")
    return _decided(FILTERED, t("WSL is behind NAT, and no portproxy on Windows leads to port {port}", port=port))


def _mirrored(wsl: Wsl, port: int) -> Decision:
    gate = wsl.hyperv
    if gate is None or (gate.enabled is not False and not gate.inbound):
        why = t("the Hyper-V firewall of Windows stands before WSL, and could not be asked")
        return Decision(verdict=UNDECIDED, because=(why,), manager="hyper-v", settle=ASK_RULES)
    if gate.enabled is False:
        return _decided(OPEN, t("the Hyper-V firewall is off"))
    named = [one for one in gate.rules or () if one.covers(port)]
    stops = next((one for one in named if not one.allow), None)
    allows = next((one for one in named if one.allow), None)
    if stops and allows:
        why = t("rules of the Hyper-V firewall contradict each other: {rules}", rules=f"{stops.name}, {allows.name}")
        return Decision(verdict=UNDECIDED, because=(why,), rule=stops.name, manager="hyper-v", settle=ASK_RULES)
    if stops:
        why = t("a rule of the Hyper-V firewall blocks port {port}: {rule}", port=port, rule=stops.name)
        return _decided(FILTERED, why, stops.name, "hyper-v")
    if allows:
        why = t("a rule of the Hyper-V firewall allows port {port}: {rule}", port=port, rule=allows.name)
        return _decided(OPEN, why, allows.name, "hyper-v")
    if gate.inbound == "allow":
        return _decided(OPEN, t("the Hyper-V firewall lets in what no rule forbids"))
    blocks = t("the Hyper-V firewall blocks what no rule allows (DefaultInboundAction: Block)")
    if gate.rules is None:
        unread = t("its rules could not be read")
        return Decision(verdict=UNDECIDED, because=(blocks, unread), manager="hyper-v", settle=ASK_RULES)
    none = t("none of its rules is for port {port}", port=port)
    if gate.merged is False:
        return Decision(verdict=FILTERED, because=(blocks, none), manager="hyper-v")
    merged = t("a rule of Windows' own firewall may be merged in, which does not show from here")
    ask = plain(f"Get-NetFirewallPortFilter | Where-Object LocalPort -eq {port}")
    return Decision(verdict=UNDECIDED, because=(blocks, none, merged), manager="hyper-v", settle=ask)


def line(row: PortProxy) -> str:
    """A row as netsh prints it."""
    return f"{row.listen_address} {row.listen_port} {row.connect_address} {row.connect_port}"


def _target(row: PortProxy) -> str:
    return f"{row.connect_address}:{row.connect_port}"


def _decided(verdict: str, why: Message, rule: str = "", manager: str = "wsl") -> Decision:
    return Decision(verdict=verdict, because=(why,), rule=rule, manager=manager)
