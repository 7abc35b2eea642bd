"""Commands for the Windows around WSL, in PowerShell as administrator, each with the one that takes it back."""

from __future__ import annotations

from forgedoctor import fixes
from forgedoctor.check import Fix, Message, plain, shell, t
from forgedoctor.facts import Wsl
from forgedoctor.facts.wsl import VM_CREATOR, PortProxy
from forgedoctor_checks.reach._windows import allow_port

_PROXY = "netsh interface portproxy"


def add_portproxy(wsl: Wsl, port: int, old: PortProxy | None = None) -> Fix:
    """Hand a port of Windows on to WSL; an old row is taken away first."""
    address = wsl.address or "WSL-ADDRESS"
    listen = old.listen_address if old else "0.0.0.0"
    outside = old.listen_port if old else port
    drop = f"{_PROXY} delete v4tov4 listenaddress={listen} listenport={outside}"
    add = f"{_PROXY} add v4tov4 listenaddress={listen} listenport={outside} connectaddress={address} connectport={port}"
    return Fix(
        title=t("In Windows, in PowerShell as administrator (again after each restart of WSL, whose address changes):"),
        steps=tuple(shell(one, "powershell") for one in ([drop, add] if old else [add])),
        needs_admin=True,
        undo=plain(drop),
    )


def allow_in_windows(port: int) -> Fix:
    """Let the port through the firewall of Windows, for the own network only."""
    return allow_port(port, "private", t("And let it through the firewall of Windows, for your own network:"))


def allow_in_hyperv(port: int) -> Fix:
    """Let the port through the Hyper-V firewall. Source: New-NetFirewallHyperVRule."""
    name = f"Forge-{port}"
    rule = f"New-NetFirewallHyperVRule -Name {name} -DisplayName 'Forge {port}' -Direction Inbound -VMCreatorId '{VM_CREATOR}' -Protocol TCP -LocalPorts {port} -Action Allow"
    return Fix(
        title=t("In Windows, in PowerShell as administrator:"),
        steps=(shell(rule, "powershell"),),
        needs_admin=True,
        undo=plain(f"Remove-NetFirewallHyperVRule -Name {name}"),
    )


def mirrored() -> Fix:
    """The mode in which WSL has the addresses of Windows."""
    text: Message = t(
        "Or, from Windows 11 22H2 on, without any portproxy: networkingMode=mirrored under [wsl2] in the file .wslconfig of your Windows user folder, then wsl --shutdown"
    )
    return fixes.advise(text, undo=t("take the line out again, then wsl --shutdown"))
