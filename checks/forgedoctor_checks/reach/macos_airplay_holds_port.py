from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import (
    CERTAIN,
    ERROR,
    LIKELY,
    WARNING,
    Evidence,
    Finding,
    Fix,
    NotApplicable,
    check,
    manual,
    plain,
    t,
)
from forgedoctor.facts import Endpoint, Launch, MacNetwork, Sockets, Transcript
from forgedoctor_checks.endpoint._seen import server, where

_ANSWER = re.compile(r"^\W{0,4}server:\s*AirTunes", re.IGNORECASE)
_OFF = t("System Settings > General > AirDrop & Handoff: switch off AirPlay Receiver")


@check(
    "macos-airplay-holds-port", severity=ERROR, group="reach", explains=["port-in-use", "wrong-program-on-port", "port-walked"]
)  # fmt: skip
def macos_airplay_holds_port(
    network: MacNetwork | None,
    launch: Launch | None,
    sockets: Sockets | None,
    endpoint: Endpoint | None,
    transcript: Transcript | None,
) -> Iterator[Finding]:
    """AirPlay Receiver of macOS answers on the port, not Forge: it holds 5000 and 7000.

    What happens: the start fails with "address already in use", or clients get 403 with "Server: AirTunes".
    Why: since macOS 12 AirPlay Receiver listens on *:5000 and *:7000. Forge's own 7860 is not affected; people come
    here who move it to 5000 or 7000.
    Fix: another port, or switch AirPlay Receiver off.
    Source: Apple's developer forums on port 5000 in macOS 12; lsof shows ControlCenter.
    """
    if network is None and endpoint is None and transcript is None:
        raise NotApplicable(t("neither a Mac nor an answer of one was seen"))
    if endpoint and server(endpoint).startswith("AirTunes"):
        seen = Evidence(plain(f"Server: {server(endpoint)}"), where(endpoint))
        yield _finding(endpoint.port, seen, launch, certain=True)
        return
    line = next((one for one in transcript.lines if _ANSWER.search(one.text)), None) if transcript else None
    if line:
        yield _finding(0, Evidence(plain(line.text.strip()), line.where), launch, certain=True)
        return
    port = launch.effective.port if launch and not launch.running else None
    if network and port and port in (network.airplay or ()):
        test = sockets.test(port) if sockets else None
        seen = Evidence(t("ControlCenter, which is AirPlay Receiver, listens on *:{port}", port=port), "lsof")
        yield _finding(port, seen, launch, certain=bool(test))


def _finding(port: int, seen: Evidence, launch: Launch | None, *, certain: bool) -> Finding:
    summary = t("AirPlay Receiver of macOS answers there, not Forge.")
    if port:
        summary = t("AirPlay Receiver of macOS holds port {port}.", port=port)
    other: Fix = fixes.advise(t("Give Forge another port, such as its usual 7860"))
    if launch and launch.effective.exit is None and launch.given("port"):
        other = fixes.change_flags(launch, drop=["--port"], add=["--port 7860"])
    off = Fix(
        title=t("Or free the port, if this Mac need not receive AirPlay:"),
        steps=(manual(_OFF),),
        safety="needs-person",
        undo=t("switch AirPlay Receiver on again"),
    )
    return Finding(
        summary,
        evidence=[seen],
        fixes=[other, off],
        severity=ERROR if certain else WARNING,
        confidence=CERTAIN if certain else LIKELY,
    )
