"""What Windows does with connections to this machine: firewall, kinds of networks, reserved ports, port proxies."""

from __future__ import annotations

import sys

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts._windows_types import (
    ConnectedNetwork,
    FirewallProduct,
    FirewallProfile,
    FirewallRule,
    Gap,
    PortProxy,
    PortRange,
)
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import Processes
from forgedoctor.message import Message, t
from forgedoctor.target import Target

__all__ = [
    "ConnectedNetwork", "FirewallProduct", "FirewallProfile", "FirewallRule", "Gap", "PortProxy", "PortRange",
    "WindowsNetwork", "collect",
]  # fmt: skip

# Of a run's time, which is five probe time-outs, PowerShell may have this many: the rest is for the fallback.
_SHARE = 3.5


class WindowsNetwork(Fact, frozen=True, kw_only=True):
    """Windows' settings for connections from outside. Each part is None where it is not known; ``gaps`` says why.

    ``profiles``: of the firewall. ``rules``: for incoming connections, of all stores; ``rules_whole`` is false where
    there may be more rules than these. ``networks``: those that are connected. ``products``: firewalls of other makers.
    ``proxies``: of ``netsh interface portproxy``. ``reserved``: TCP ports that programs may not have, IPv4.
    ``dynamic``: the ports that Windows lends out by itself, IPv4. ``programs``: the python.exe that listens, or
    those of which one will, the likeliest first; empty where it is not known.
    """

    profiles: tuple[FirewallProfile, ...] | None = None
    rules: tuple[FirewallRule, ...] | None = None
    rules_whole: bool = True
    networks: tuple[ConnectedNetwork, ...] | None = None
    products: tuple[FirewallProduct, ...] | None = None
    proxies: tuple[PortProxy, ...] | None = None
    reserved: tuple[PortRange, ...] | None = None
    dynamic: PortRange | None = None
    programs: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def profile(self, name: str) -> FirewallProfile | None:
        """The firewall's settings for one kind of network."""
        return next((one for one in self.profiles or () if one.name == name), None)

    def why_missing(self, part: str) -> Message | None:
        """Why a part is not known; None where it is, or nobody said."""
        return next((gap.why for gap in self.gaps if gap.part == part), None)

    def reservation(self, port: int) -> PortRange | None:
        """The reserved range that keeps a port from programs; one that a person reserved does not."""
        return next((one for one in self.reserved or () if one.holds(port) and not one.administered), None)


@collector(WindowsNetwork, scopes=("live", "preflight"), budget=30.0)
def collect(
    target: Target, launch: Launch | None, processes: Processes | None, packages: Packages | None
) -> WindowsNetwork:
    """Ask PowerShell once, netsh for three things, and read the registry for what they do not tell.

    PowerShell takes seconds, so it is left out where only this machine can reach Forge: no firewall matters then. Runs
    ``powershell -NoProfile -NonInteractive`` and ``netsh ... show``; they read only and need no rights. Raises
    Unavailable on other systems.
    """
    if sys.platform != "win32":
        raise Unavailable(t("this is not Windows"), sought=False)
    from forgedoctor.facts import _windows_collect  # on other systems nothing of it is ever used

    inside = launch is not None and launch.loopback
    found = _windows_collect.read(_SHARE * target.timeout, powershell=not inside)
    return _windows_collect.with_programs(found, launch, processes, packages)
