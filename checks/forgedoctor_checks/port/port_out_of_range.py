from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Message, check, plain, t
from forgedoctor.facts import Host, Launch, LaunchFiles
from forgedoctor_checks.launch._words import shown

_VARIABLE = "GRADIO_SERVER_PORT"


@check(
    "port-out-of-range", severity=ERROR, group="port",
    explains=["endpoint-unreachable", "server-thread-dead", "port-walked"],
)  # fmt: skip
def port_out_of_range(launch: Launch, host: Host | None, files: LaunchFiles | None) -> Iterator[Finding]:
    """The port is no port: below 1 or above 65535.

    What happens: the web UI's thread dies ("bind(): port must be 0-65535"); --nowebui takes the number modulo 65536:
    --port 70000 listens on 4464 while the log says 70000. --port 0 gives the web UI a random port that it then cannot
    find, and --nowebui its default 7861.
    Why: the number is not checked by Forge.
    Fix: a port from 1024 to 65535.
    Source: recorded starts with --port 70000, 0 and -1.
    """
    it = launch.effective
    asked = it.options.get("port")
    if it.exit is not None:
        return
    if isinstance(asked, int) and not 1 <= asked <= 65535:
        summary, harmless = _given(launch, asked)
        usual = 7861 if it.mode == "api-only" else 7860
        yield Finding(
            summary,
            evidence=[Evidence(t("ports go from 1 to 65535")), shown(launch)],
            fixes=[fixes.change_flags(launch, drop=["--port"], add=[f"--port {usual}"])],
            severity=WARNING if harmless else ERROR,
            confidence=CERTAIN,
        )
    elif it.sources.get("port") == _VARIABLE and it.fails and it.fails.kind in ("port-out-of-range", "port-zero"):
        value = launch.env.get(_VARIABLE, "")
        yield Finding(
            t("{name}={value} is no port: the server cannot start.", name=_VARIABLE, value=value),
            evidence=[Evidence(t("ports go from 1 to 65535")), Evidence(plain(it.fails.message))],
            fixes=[fixes.unset_variable(_VARIABLE, host, files)],
            confidence=CERTAIN,
        )


def _given(launch: Launch, port: int) -> tuple[Message, bool]:
    """What this --port leads to, and whether there is a server that clients can be told of."""
    it = launch.effective
    if it.mode == "api-only" and it.listens:
        template = "--port {port} is no port: Forge really listens on {real}."
        return t(template, port=port, real=it.listens), port == 0
    if it.fails and not it.fails.process_stays:
        return t("--port {port} is no port: the server cannot start.", port=port), False
    return t("--port {port} is no port: the server cannot start, though the process stays.", port=port), False
