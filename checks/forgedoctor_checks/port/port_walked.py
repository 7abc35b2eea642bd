from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Exchanges, Launch, Processes, Sockets, Transcript

_FIRST, _LAST = 7860, 7959


@check("port-walked", severity=WARNING, group="port", explains=["endpoint-unreachable"])
def port_walked(
    launch: Launch | None,
    sockets: Sockets | None,
    processes: Processes | None,
    transcript: Transcript | None,
    exchanges: Exchanges | None,
) -> Iterator[Finding]:
    """Without --port the web UI takes the next free port, and nobody says so.

    What happens: 7860 is taken, so Forge listens on 7861 (up to 7959); clients that ask 7860 are refused, or talk to
    the other program. The only sign is the line "Running on local URL".
    Why: gradio walks through 100 ports unless one is given.
    Fix: give --port, or end the left-over process that holds 7860.
    Source: gradio http_server; recorded starts with 7860 taken.
    """
    if transcript:
        yield from _told(transcript, exchanges)
    if launch is None or launch.effective.port_range is None or launch.effective.exit is not None:
        return
    if launch.running and processes:
        yield from _running(launch, processes, *launch.effective.port_range)
    elif not launch.running and sockets:
        yield from _planned(launch, sockets, launch.effective.port_range[0])


def _running(launch: Launch, processes: Processes, first: int, last: int) -> Iterator[Finding]:
    forge = next((one for one in processes.forges if one.pid == launch.pid), None)
    ports = sorted({port for _, port in forge.ports if first <= port <= last}) if forge else []
    if forge and ports and first not in ports:
        title = t("Give the port that it has now, so that it never moves in silence:")
        yield Finding(
            t(
                "Forge listens on {port}, not on {first}: that one was taken when it started.",
                port=ports[0],
                first=first,
            ),
            evidence=[Evidence(t("pid {pid} holds port {port}", pid=forge.pid, port=ports[0]))],
            fixes=[
                fixes.change_flags(launch, add=[f"--port {ports[0]}"], title=title),
                fixes.advise(t("Or end the program that holds {first}, give --port {first}, restart", first=first)),
            ],
            confidence=CERTAIN,
        )


def _planned(launch: Launch, sockets: Sockets, first: int) -> Iterator[Finding]:
    refused = list(dict.fromkeys(test.port for test in sockets.tests if test.outcome in ("in-use", "denied")))
    free = next((test.port for test in reversed(sockets.tests) if test.outcome == "free"), None)
    if refused and refused[0] == first and free is not None and free not in refused:
        holders = [one.process or f"pid {one.pid}" for one in sockets.holders(launch.effective.host, first) if one.pid]
        taken = t("not to be had: {ports}", ports=", ".join(map(str, refused[:8])))
        held = [Evidence(t("{first} is held by {who}", first=first, who=", ".join(holders)))] if holders else []
        yield Finding(
            t("Port {first} is taken, so Forge will silently move to {next}.", first=first, next=free),
            evidence=[*held, Evidence(taken)],
            fixes=[fixes.change_flags(launch, add=[f"--port {free}"], title=t("Give the port, so that it is known:"))],
            confidence=CERTAIN,
        )


def _told(transcript: Transcript, exchanges: Exchanges | None) -> Iterator[Finding]:
    """A log that names one port, and a client that asks another."""
    url = next((one for one in reversed(transcript.listening) if _of_web_ui(transcript, one)), "")
    real = _port(url)
    if real is None or not _FIRST < real <= _LAST or any("--port" in one.text for one in transcript.command_lines):
        return
    asked = {port for one in exchanges.exchanges if one.url and (port := _port(one.url))} if exchanges else set()
    if asked and real not in asked:
        wanted = ", ".join(map(str, sorted(asked)))
        yield Finding(
            t("Forge listens on port {real}, and the client asks {asked}.", real=real, asked=wanted),
            evidence=[Evidence(plain(url), "Running on local URL")],
            fixes=[fixes.advise(t("Set the client to {url}, or give Forge a fixed --port", url=url))],
            severity=ERROR,
            confidence=LIKELY,
        )
    elif not asked:
        yield Finding(
            t("Forge listens on {real}: the usual 7860 was taken when it started.", real=real),
            evidence=[Evidence(plain(url), "Running on local URL")],
            fixes=[fixes.advise(t("Open {url}, or end the program that holds 7860 and give --port", url=url))],
            severity=INFO,
            confidence=LIKELY,
        )


def _of_web_ui(transcript: Transcript, url: str) -> bool:
    """Only the web UI walks; the API alone says "Uvicorn running on", and 7861 is its usual port."""
    return any("Running on local URL" in line.text and url in line.text for line in transcript.lines)


def _port(url: str) -> int | None:
    try:
        return urlsplit(f"//{url.split('://')[-1]}").port
    except ValueError:
        return None
