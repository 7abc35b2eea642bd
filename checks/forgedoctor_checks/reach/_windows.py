"""What the checks of Windows Firewall share: who would come in where, the decision there, and commands for fixes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from forgedoctor.check import INFO, Evidence, Fix, Message, NotApplicable, Severity, plain, shell, t
from forgedoctor.facts import Interfaces, Launch, Processes, WindowsNetwork
from forgedoctor.facts.windows_network import ConnectedNetwork
from forgedoctor.firewall.decision import FILTERED, OPEN, UNDECIDED, Decision
from forgedoctor.firewall.windows import CATEGORIES, evaluate

# Interfaces of virtual machines and containers on this machine: nobody's phone comes in there.
_VIRTUAL = ("vethernet", "docker", "virtualbox", "vmware", "hyper-v", "wsl")
UNSEEN = (ConnectedNetwork(interface="", category="private"), ConnectedNetwork(interface="", category="public"))


class Way(NamedTuple):
    """One network through which others come, and what the firewall does there."""

    network: ConnectedNetwork
    decision: Decision

    @property
    def kind(self) -> Message:
        return CATEGORIES.get(self.network.category, plain(self.network.category))

    @property
    def shown(self) -> Evidence:
        name = self.network.interface or "?"
        return Evidence(
            t("{interface} is a {kind} network", interface=name, kind=self.kind), "Get-NetConnectionProfile"
        )


def port_of(launch: Launch, processes: Processes | None) -> int:
    """The port that others would ask. Raises NotApplicable where none but this machine is to reach Forge."""
    it = launch.effective
    if not launch.seen or it.exit is not None or it.fails is not None:
        raise NotApplicable(t("no server comes of this launch"))
    if launch.loopback:
        raise NotApplicable(t("only this machine is meant to reach it"))
    held = [port for one in processes.forges if one.pid == launch.pid for _, port in one.ports] if processes else []
    wanted = it.listens if it.listens is not None else it.port
    first = it.port_range[0] if it.port_range else 7860
    if launch.running and held and wanted not in held:
        return min(held)
    return wanted or first


def in_charge(network: WindowsNetwork) -> None:
    """Raises NotApplicable where another maker's firewall stands in for that of Windows."""
    name = next((one.name for one in network.products or () if one.on), "")
    if name:
        raise NotApplicable(t("{product} is in charge of the firewall", product=name))


def ways(launch: Launch, network: WindowsNetwork, interfaces: Interfaces | None, port: int) -> list[Way]:
    """The networks through which others would come, each with its decision.

    Where it is not known which networks are connected, the two kinds that a home has stand for them
    (:data:`UNSEEN`), without an interface.
    """
    host = launch.effective.host
    own = {one.interface.lower() for one in interfaces.addresses if one.address == host} if interfaces else set()
    known = [one for one in network.networks or () if one.category]
    real = [one for one in known if not one.interface.lower().startswith(_VIRTUAL)] or known
    chosen = [one for one in real if one.interface.lower() in own] or real or list(UNSEEN)
    return [Way(one, _decided(network, one, port)) for one in chosen]


def _decided(network: WindowsNetwork, one: ConnectedNetwork, port: int) -> Decision:
    """What happens there, whichever of the programs it is that listens."""
    found = [
        evaluate(network, program=program, port=port, interface=one.interface, category=one.category)
        for program in network.programs or ("",)
    ]
    verdicts = {decision.verdict for decision in found}
    if len(verdicts) == 1:
        return next((decision for decision in found if decision.rule), found[0])
    if OPEN in verdicts and not any(
        one.verdict == UNDECIDED or (one.verdict == FILTERED and one.rule) for one in found
    ):
        return next(
            decision for decision in found if decision.verdict == OPEN
        )  # nobody makes a rule for what is unused
    why = t("it depends on which of these runs Forge: {programs}", programs=", ".join(network.programs))
    settle = t("start Forge, then run forgedoctor again")
    return Decision(verdict=UNDECIDED, because=(why,), manager="windows", settle=settle)


def closed_by_default(way: Way) -> bool:
    """Nothing names it, and what nothing names is dropped."""
    return way.decision.verdict == FILTERED and not way.decision.rule


def asked_for(launch: Launch) -> bool:
    """Whether somebody wants others in: --nowebui alone opens it to all without anybody having asked."""
    return launch.given("listen", "server_name")


def weight(launch: Launch, found: Sequence[Way], normal: Severity, severe: Severity) -> Severity:
    """How bad it is: ``severe`` where others are wanted and no network lets them in."""
    if not asked_for(launch):
        return INFO
    return normal if any(way.decision.verdict == OPEN for way in found) else severe


def allow_port(port: int, category: str, title: Message) -> Fix:
    """The narrowest rule: this port, this kind of network, machines of the same subnet."""
    command = (
        f"New-NetFirewallRule -Name forge-{port} -DisplayName 'Forge {port}' -Direction Inbound -Action Allow "
        f"-Protocol TCP -LocalPort {port} -Profile {category.capitalize()} -RemoteAddress LocalSubnet"
    )
    return Fix(
        title=title,
        steps=(shell(command, "powershell"),),
        needs_admin=True,
        undo=plain(f"Remove-NetFirewallRule -Name forge-{port}"),
    )


def quoted(word: str) -> str:
    """A word as PowerShell's -Name takes it literally: brackets in it would be a pattern."""
    return "'" + re.sub(r"([\[\]*?`])", r"`\1", word).replace("'", "''") + "'"


def by_policy() -> Message:
    """What to do where the settings are not this user's."""
    return t("This computer's firewall is managed by group policy: ask whoever manages it to allow the port")
