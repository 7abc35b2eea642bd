from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import POSSIBLE, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, MacNetwork, Transcript
from forgedoctor_checks.reach._urls import host_of, private

_FIRST = 15  # the macOS release that brought the permission
_AT_ONCE = 1.0  # seconds; a machine that does not answer ARP takes some
# 65 is EHOSTUNREACH on macOS (Linux: 113). Source: sys/errno.h
_LOGGED = re.compile(r"(?:\[Errno 65\]|\(os error 65\)).{0,40}|No route to host \(os error 65\)")


@check("macos-local-network-denied", severity=WARNING, group="reach", explains=["endpoint-unreachable"])
def macos_local_network_denied(
    endpoint: Endpoint | None, network: MacNetwork | None, transcript: Transcript | None
) -> Iterator[Finding]:
    """macOS may keep the client from the local network: "No route to host" at once.

    What happens: a program on a Mac (15 or later) cannot reach Forge on another machine of the same network, while
    a browser or Apple's Terminal on the same Mac can.
    Why: since macOS 15 each application needs the Local Network permission. It counts for what an application starts
    too: Python in a third-party terminal, in tmux or an editor. Apple's Terminal, root and daemons need none.
    Fix: System Settings > Privacy & Security > Local Network: allow that application, then start it anew.
    Source: Apple TN3179, "Understanding local network privacy". The permission itself cannot be read by programs.
    """
    if transcript is None and (network is None or endpoint is None):
        raise NotApplicable(t("no client on a Mac was seen"))
    seen = _probed(endpoint, network) if endpoint and network else None
    seen = seen or (_logged(transcript) if transcript else None)
    if seen is None:
        return
    try_it = t("Try the same from Apple's own Terminal: if it works there, it is this permission")
    allow = t(
        "System Settings > Privacy & Security > Local Network: switch it on for the program that runs the client (terminal, editor), then start that program anew"
    )
    yield Finding(
        t("macOS may keep this program from the local network: it says that there is no route, at once."),
        evidence=[seen],
        fixes=[fixes.advise(try_it), fixes.advise(allow, undo=t("switch it off again"))],
        confidence=POSSIBLE,
    )


def _probed(endpoint: Endpoint, network: MacNetwork) -> Evidence | None:
    """The doctor's own attempt, from a Mac whose programs need the permission."""
    release = network.release.split(".")[0]
    if network.exempt or not release.isdigit() or int(release) < _FIRST:
        return None
    tries = endpoint.named("connect")
    if not tries or any(one.outcome != "unreachable" for one in tries):
        return None
    one = next((one for one in tries if private(host_of(one.path)) and "No route to host" in one.detail), None)
    if one is None or one.elapsed >= _AT_ONCE:
        return None
    template = "{address}: no route to host after {seconds} s; a machine that is off takes longer"
    return Evidence(t(template, address=one.path, seconds=f"{one.elapsed:.2f}"), endpoint.url)


def _logged(transcript: Transcript) -> Evidence | None:
    """The error as only macOS numbers it, in a client's log."""
    if transcript.system not in ("", "macos"):
        return None
    line = next((one for one in transcript.lines if _LOGGED.search(one.text[:2000])), None)
    return Evidence(plain(line.text.strip()[:300]), line.where) if line else None
