from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown


@check("port-out-of-range", severity=ERROR, group="port", explains=["endpoint-unreachable", "server-thread-dead", "port-walked"])
def port_out_of_range(launch: Launch) -> Iterator[Finding]:
    """The port is no port: below 1 or above 65535.

    What happens: the web UI's thread dies ("bind(): port must be 0-65535"); --nowebui takes the number modulo 65536:
    --port 70000 listens on 4464 while the log says 70000. --port 0 gives the web UI a random port that it then cannot
    find, and --nowebui its default 7861.
    Why: the number is not checked by Forge.
    Fix: a port from 1024 to 65535.
    Source: recorded starts with --port 70000, 0 and -1.
    """
    it = launch.effective
    if it.exit is not None or it.port is None or (1 <= it.port <= 65535 and it.options.get("port") in (None, it.port)):
        asked = it.options.get("port")
        if it.exit is not None or not isinstance(asked, int) or 1 <= asked <= 65535:
            return
        port = asked
    else:
        port = it.port
    if it.mode == "api-only":
        summary = t("--port {port} is no port: Forge really listens on {real}.", port=port, real=it.listens or 7861)
    else:
        summary = t("--port {port} is no port: the server cannot start, though the process stays.", port=port)
    yield Finding(
        summary,
        evidence=[Evidence(t("ports go from 1 to 65535")), shown(launch)],
        fixes=[fixes.change_flags(launch, drop=["--port"], add=["--port 7860"])],
        confidence=CERTAIN,
    )
