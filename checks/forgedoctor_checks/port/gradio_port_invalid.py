from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch


@check("gradio-port-invalid", severity=ERROR, group="port", explains=["endpoint-unreachable", "server-thread-dead"])
def gradio_port_invalid(launch: Launch) -> Iterator[Finding]:
    """GRADIO_SERVER_PORT or GRADIO_NUM_PORTS is set and is no number.

    What happens: the web UI's thread dies with "invalid literal for int()"; the process stays and serves nothing.
    Why: gradio reads the variables before anything else, unless --port is given.
    Fix: unset the variable, and use --port.
    Source: gradio networking/http_server; tried with the real library.
    """
    if launch.effective.exit is not None or launch.effective.mode != "webui":
        return
    for name in ("GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"):
        value = launch.env.get(name)
        if value is not None and launch.effective.options.get("port") is None and not _number(value):
            yield Finding(
                t("{name}={value} is no number, so the web UI cannot start.", name=name, value=value),
                evidence=[Evidence(plain(f"{name}={value}"), launch.origin)],
                fixes=[fixes.advise(t("Unset {name}, and give --port instead", name=name))],
                confidence=CERTAIN,
            )


def _number(value: str) -> bool:
    try:
        int(value)
    except ValueError:
        return False
    return True
