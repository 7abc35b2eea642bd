"""The Windows Subsystem for Linux from inside: how its network is joined to that of Windows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _command, _wsl
from forgedoctor.facts._host import read
from forgedoctor.facts._surroundings import default_routes
from forgedoctor.facts._wsl import HyperVFirewall, HyperVRule, PortProxy, Wished
from forgedoctor.facts.host import Host
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["VM_CREATOR", "HyperVFirewall", "HyperVRule", "PortProxy", "Wsl", "collect"]

VM_CREATOR = "{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}"  # WSL, among those who create virtual machines
_MOST_USERS = 50
_POWERSHELL = "Windows/System32/WindowsPowerShell/v1.0/powershell.exe"
_SETTING = f"Get-NetFirewallHyperVVMSetting -PolicyStore ActiveStore -Name '{VM_CREATOR}'"
_RULES = (
    f"@(Get-NetFirewallHyperVRule -PolicyStore ActiveStore -VMCreatorId '{VM_CREATOR}') | ForEach-Object {{ @{{"
    "Name=$_.Name; DisplayName=$_.DisplayName; Direction=[string]$_.Direction; Protocol=[string]$_.Protocol; "
    "Action=[string]$_.Action; Enabled=[string]$_.Enabled; LocalPorts=@($_.LocalPorts) } }"
)


class Wsl(Fact, frozen=True, kw_only=True):
    """How WSL is joined to the network.

    ``version``: 1 or 2. ``mode``: what is in force, as ``wslinfo --networking-mode`` says: nat, mirrored,
    virtioproxy, bridged, none, wsl1; empty where there is no wslinfo (WSL before 2.0). ``wished``: the mode that
    .wslconfig asks for (empty: none, or not found), in ``wished_section`` of ``wished_in``. ``address``: the IPv4
    address of eth0, which changes at each start under NAT. ``gateway``: Windows as WSL sees it under NAT.
    ``localhost_forwarding``: what .wslconfig says (None: nothing, so it is on). ``portproxy``: the rows on Windows,
    ``hyperv`` its Hyper-V firewall; None where they were not read.
    """

    version: int = 2
    mode: str = ""
    wished: str = ""
    wished_section: str = ""
    wished_in: str = ""
    address: str = ""
    gateway: str = ""
    localhost_forwarding: bool | None = None
    portproxy: tuple[PortProxy, ...] | None = None
    hyperv: HyperVFirewall | None = None


@collector(Wsl, scopes=("live", "preflight"), budget=5.0)
def collect(target: Target, host: Host, interfaces: Interfaces | None) -> Wsl:
    """Ask wslinfo, and Windows through interop: netsh for portproxy, PowerShell only in mirrored mode.

    PowerShell takes seconds to start, so before a launch it is left out. Each part may be missing.
    """
    if sys.platform != "linux" or not host.wsl or host.container:
        raise Unavailable(t("this machine does not run {system}", system="WSL"), sought=False)
    version = _wsl.version(read(Path("/proc/version"))) or 2
    told = _wsl.mode(_command.run(["wslinfo", "--networking-mode"], timeout=1.0).text)
    mode = "wsl1" if version == 1 else told
    drive = windows_drive(read(Path("/proc/mounts")))
    routes = default_routes(read(Path("/proc/net/route")))
    wished, file = _wished(drive)
    hyperv = _hyperv(drive) if drive and mode == "mirrored" and target.scope == "live" else None
    return Wsl(
        source="wslinfo" if told else "/proc/version",
        version=version,
        mode=mode,
        wished=wished.mode,
        wished_section=wished.section,
        wished_in=file,
        address=_eth0(interfaces),
        gateway=routes[0].gateway if routes else "",
        localhost_forwarding=wished.localhost_forwarding,
        portproxy=_portproxy(drive) if drive and mode in ("nat", "") and version == 2 else None,
        hyperv=hyperv,
    )


def windows_drive(mounts: str) -> Path | None:
    """Where Windows' drive C: is mounted, from /proc/mounts (``C:\\134 /mnt/c 9p …``); None where it is not."""
    for line in mounts.splitlines():
        words = line.split()
        drive = words[0].lower().replace("\\134", "\\").rstrip("\\") if len(words) > 2 else ""
        of_windows = len(words) > 2 and words[2] in ("9p", "drvfs", "virtiofs")
        if of_windows and (drive == "c:" or re.search(r"\bpath=c:", line, re.IGNORECASE)):
            return Path(words[1])
    return None


def _eth0(interfaces: Interfaces | None) -> str:
    own = interfaces.addresses if interfaces else ()
    return next((one.address for one in own if one.interface == "eth0" and one.family == "ipv4"), "")


def _wished(drive: Path | None) -> tuple[Wished, str]:
    """What the only readable .wslconfig asks for; of several nobody knows here whose Windows session this is."""
    found = list(_configs(drive)) if drive else []
    if len(found) != 1:
        return Wished(), ""
    return _wsl.wished(read(found[0])), str(found[0])


def _configs(drive: Path) -> Iterator[Path]:
    try:
        users = sorted((drive / "Users").iterdir())[:_MOST_USERS]
    except OSError:
        return
    for user in users:
        path = user / ".wslconfig"
        try:
            if path.is_file():
                yield path
        except OSError:
            continue


def _portproxy(drive: Path) -> tuple[PortProxy, ...] | None:
    netsh = str(drive / "Windows/System32/netsh.exe")
    told = _command.run([netsh, "interface", "portproxy", "show", "all"], timeout=2.0)
    return _wsl.portproxy(told.text) if told.outcome == "ok" else None


def _hyperv(drive: Path) -> HyperVFirewall | None:
    """One start of PowerShell for both questions; their answers are parted by a line."""
    script = f"{_SETTING} | Format-List; '#rules'; ConvertTo-Json -Compress -Depth 3 @({_RULES})"
    words = [str(drive / _POWERSHELL), "-NoProfile", "-NonInteractive", "-Command", script]
    told = _command.run(words, timeout=4.0)
    setting, parted, rules = told.text.partition("#rules")
    found = _wsl.hyperv_setting(setting)
    if found is None or not parted or told.said:  # PowerShell tells of a failure on its error output, and ends well
        return found
    return HyperVFirewall(
        enabled=found.enabled, inbound=found.inbound, merged=found.merged, rules=_wsl.hyperv_rules(rules)
    )
