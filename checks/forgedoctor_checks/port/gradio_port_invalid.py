from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, plain, t
from forgedoctor.facts import Host, Launch, LaunchFiles

_NAMES = ("GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS")


@check("gradio-port-invalid", severity=ERROR, group="port", explains=["endpoint-unreachable", "server-thread-dead"])
def gradio_port_invalid(launch: Launch, host: Host | None, files: LaunchFiles | None) -> Iterator[Finding]:
    """GRADIO_SERVER_PORT or GRADIO_NUM_PORTS is set and is no number, or leaves no port to try.

    What happens: "invalid literal for int()". With gradio 4 (Forge, Neo) the web UI's thread dies, --port or not, and
    the process stays; with gradio 3 the whole program ends. GRADIO_NUM_PORTS=0: "min() arg is an empty sequence".
    Why: gradio reads these variables before it looks at the port that it was given.
    Fix: unset the variable, and use --port.
    Source: gradio http_server and networking; tried with the real library.
    """
    end, fails = launch.effective.exit, launch.effective.fails
    if fails and fails.kind == "gradio-no-ports":
        yield _finding(launch, "GRADIO_NUM_PORTS", host, files)
    elif (fails and fails.kind == "gradio-port-not-a-number") or (end and "invalid literal for int()" in end.message):
        message = fails.message if fails else end.message if end else ""
        for name in _NAMES:
            if f"({name})" in message:
                yield _finding(launch, name, host, files)


def _finding(launch: Launch, name: str, host: Host | None, files: LaunchFiles | None) -> Finding:
    value = launch.env.get(name, "")
    summary = t("{name}={value} is no number, so the web UI cannot start.", name=name, value=value)
    if name == "GRADIO_NUM_PORTS" and value.strip().lstrip("-").isdigit():
        summary = t("{name}={value} leaves no port to try, so the web UI cannot start.", name=name, value=value)
    said = launch.effective.exit or launch.effective.fails
    evidence = [Evidence(plain(f"{name}={value}"), launch.origin)]
    if said:
        evidence.append(Evidence(plain(said.message)))
    return Finding(summary, evidence=evidence, fixes=[fixes.unset_variable(name, host, files)], confidence=CERTAIN)
