"""What macOS lets in: its application firewall, its packet filter, and the ports that AirPlay holds."""

from __future__ import annotations

import os
import sys

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _command, _macos
from forgedoctor.facts._macos import MacApp
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import Processes
from forgedoctor.message import t
from forgedoctor.target import Target

__all__ = ["SOCKETFILTERFW", "MacApp", "MacNetwork", "collect", "collect_client"]

SOCKETFILTERFW = "/usr/libexec/ApplicationFirewall/socketfilterfw"
_LSOF = ("/usr/sbin/lsof", "-nP", "-iTCP:5000", "-iTCP:7000", "-sTCP:LISTEN")
_PATIENCE = 1.0  # seconds for one question; each takes some hundredths


class MacNetwork(Fact, frozen=True, kw_only=True):
    """The gates of a Mac. The application firewall decides by program, never by port.

    ``release``: the version of macOS (``15.1``). ``state``: 0 off, 1 on, 2 blocks all; ``block_all``, ``stealth``,
    ``allow_builtin`` (software of macOS itself) and ``allow_downloaded`` (signed by a known developer) its switches;
    each None where it was not told. ``apps``: its list, None where it was not had. ``python``: the program that Forge
    runs in, as the firewall knows it, symbolic links resolved; empty where that is not known. ``python_listed``: what
    the firewall says of it: allow, block, unlisted, or empty. ``pf``: the rules of the packet filter, None where they
    were not read (that needs root); ``pf_enabled`` likewise. ``airplay``: which of 5000 and 7000 AirPlay Receiver
    holds, None where nobody could be asked. ``exempt``: the doctor's own connections need no Local Network permission
    (root, or started in Apple's Terminal).
    """

    release: str = ""
    state: int | None = None
    block_all: bool | None = None
    stealth: bool | None = None
    allow_builtin: bool | None = None
    allow_downloaded: bool | None = None
    apps: tuple[MacApp, ...] | None = None
    python: str = ""
    python_listed: str = ""
    pf: tuple[str, ...] | None = None
    pf_enabled: bool | None = None
    airplay: tuple[int, ...] | None = None
    exempt: bool = False


@collector(MacNetwork, scopes=("live", "preflight"), budget=5.0)
def collect(target: Target, processes: Processes | None, packages: Packages | None) -> MacNetwork:
    """Ask socketfilterfw and lsof, and as root pfctl. All of them only tell."""
    _only_here()
    python = _python(processes, packages)
    builtin, downloaded = _macos.signed(_firewall("--getallowsigned"))
    pf, pf_enabled = _packet_filter()
    return MacNetwork(
        source="socketfilterfw",
        release=_release(),
        state=_macos.state(_firewall("--getglobalstate")),
        block_all=_macos.switched(_firewall("--getblockall")),
        stealth=_macos.switched(_firewall("--getstealthmode")),
        allow_builtin=builtin,
        allow_downloaded=downloaded,
        apps=_macos.apps(_firewall("--listapps")),
        python=python,
        python_listed=_macos.listed(_firewall("--getappblocked", python)) if python else "",
        pf=pf,
        pf_enabled=pf_enabled,
        airplay=_airplay(),
        exempt=_exempt(),
    )


@collector(MacNetwork, scopes=("endpoint",))
def collect_client(target: Target) -> MacNetwork:
    """From a client's side only what concerns its own connections; no program is started."""
    _only_here()
    return MacNetwork(source="this Mac", release=_release(), exempt=_exempt())


def _firewall(*question: str) -> str:
    return _command.run([SOCKETFILTERFW, *question], timeout=_PATIENCE).text


def _packet_filter() -> tuple[tuple[str, ...] | None, bool | None]:
    """The rules of pf, and whether it is on; None for what only root may know."""
    if not _root():
        return None, None
    rules = _command.run(["/sbin/pfctl", "-sr"], timeout=_PATIENCE)
    status = _command.run(["/sbin/pfctl", "-si"], timeout=_PATIENCE).text
    line = next((one for one in status.splitlines() if one.startswith("Status:")), "")
    return _macos.pf_rules(rules.text) if rules.outcome == "ok" else None, _macos.switched(line[:20])


def _airplay() -> tuple[int, ...] | None:
    """lsof ends with 1, and says nothing, where nobody listens on those ports."""
    held = _command.run(_LSOF, timeout=_PATIENCE)
    return _macos.airplay(held.text) if held.code in (0, 1) else None


def _python(processes: Processes | None, packages: Packages | None) -> str:
    """The program that listens, or will: of the Forge that runs, else of its virtual environment."""
    running = processes.forges[0].python if processes and processes.forges else ""
    planned = os.path.join(packages.venv, "bin", "python") if packages and packages.venv else ""
    found = running or (planned if os.path.exists(planned) else "")
    if not found:
        return ""
    real = os.path.realpath(found)
    known = _macos.bundle(real)
    return known if os.path.exists(known) else real


def _only_here() -> None:
    if sys.platform != "darwin":
        raise Unavailable(t("this machine does not run {system}", system="macOS"), sought=False)


def _release() -> str:
    import platform

    return platform.mac_ver()[0]


def _root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _exempt() -> bool:
    """Source: Apple TN3179, "Understanding local network privacy"."""
    return _root() or (os.environ.get("TERM_PROGRAM") == "Apple_Terminal" and not os.environ.get("TMUX"))
