from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Exchanges, Launch, Processes, Sockets, Transcript


@check("port-walked", severity=WARNING, group="port", explains=["endpoint-unreachable"])
def port_walked(
    launch: Launch | None, sockets: Sockets | None, processes: Processes | None, transcript: Transcript | None, exchanges: Exchanges | None
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
    first, last = launch.effective.port_range
    if launch.running and processes and processes.forges:
        ports = [port for _, port in processes.forges[0].ports if first <= port <= last]
        if ports and first not in ports:
            yield Finding(
                t("Forge listens on {port}, not on {first}: that one was taken when it started.", port=ports[0], first=first),
                evidence=[Evidence(t("pid {pid} holds port {port}", pid=processes.forges[0].pid, port=ports[0]))],
                fixes=[fixes.change_flags(launch, add=[f"--port {first}"], title=t("Give the port, so that it never moves in silence:"))],
                confidence=CERTAIN,
            )
    elif not launch.running and sockets:
        taken = [test.port for test in sockets.tests if test.outcome == "in-use"]
        if taken and len(taken) <= last - first:
            yield Finding(
                t("Port {first} is taken, so Forge will silently move to {next}.", first=first, next=taken[-1] + 1),
                evidence=[Evidence(t("taken: {ports}", ports=", ".join(map(str, taken[:8]))))],
                fixes=[fixes.change_flags(launch, add=[f"--port {taken[-1] + 1}"], title=t("Give the port, so that it is known:"))],
                confidence=CERTAIN,
            )


def _told(transcript: Transcript, exchanges: Exchanges | None) -> Iterator[Finding]:
    """A log that names one port, and a client that asks another."""
    if not transcript.listening:
        return
    url = transcript.listening[-1]
    real = urlsplit(url).port
    if real is None or not 7861 <= real <= 7959 or any("--port" in one.text or "--nowebui" in one.text for one in transcript.command_lines):
        return
    asked = {urlsplit(f"//{one.url.split('://')[-1]}").port for one in exchanges.exchanges if one.url} if exchanges else set()
    asked.discard(None)
    if asked and real not in asked:
        yield Finding(
            t("Forge listens on port {real}, and the client asks {asked}.", real=real, asked=", ".join(map(str, sorted(p for p in asked if p)))),
            evidence=[Evidence(plain(url), "Running on local URL")],
            fixes=[fixes.advise(t("Give Forge a fixed --port, or set the client to {url}", url=url))],
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
