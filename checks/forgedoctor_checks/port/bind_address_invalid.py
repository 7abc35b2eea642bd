from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, check, t
from forgedoctor.facts import BindTest, Host, Interfaces, Launch, LaunchFiles, Sockets
from forgedoctor_checks.launch._words import shown

_SHAPES = {
    "server-name-is-url": t("it is a URL; an address alone is wanted"),
    "server-name-has-port": t("it holds a port; the port belongs to --port"),
    "server-name-invalid": t("it is no address and no name"),
    "gradio-host-not-ipv4": t("gradio tests its ports on it with IPv4 only"),
    "gradio-host-empty": t("it is set to nothing, so that Forge calls itself at no address"),
}


@check(
    "bind-address-invalid", severity=ERROR, group="port",
    explains=["endpoint-unreachable", "server-thread-dead", "port-in-use", "insecure-exposure"],
)  # fmt: skip
def bind_address_invalid(
    launch: Launch, sockets: Sockets | None, interfaces: Interfaces | None, host: Host | None, files: LaunchFiles | None
) -> Iterator[Finding]:
    """--server-name is not an address that Forge can listen on.

    What happens: without --port the web UI tries 100 ports, five seconds each, with "[Errno 99] cannot assign
    requested address" or "[Errno -2] Name or service not known"; with --port it ends in a misleading "Cannot find
    empty port"; with --nowebui the server's thread ends. The process stays.
    Why: --server-name is the address to listen on: one of this machine's own. It is no URL, no host:port, not the
    public name of the router, not the name that a proxy serves. GRADIO_SERVER_NAME stands in for it.
    Fix: --listen, or one of this machine's own addresses.
    Source: recorded starts with foreign, unresolvable and URL-like names; gradio http_server.
    """
    if launch.effective.exit is not None:
        return
    fails = launch.effective.fails
    shape = _SHAPES.get(fails.kind) if fails else None
    test = _refused(launch, sockets)
    if shape is None and test is None:
        return
    variable = launch.effective.sources.get("server_name") == "GRADIO_SERVER_NAME" or (
        fails is not None and fails.kind.startswith("gradio-host")
    )
    name = (
        launch.env.get("GRADIO_SERVER_NAME", "") if variable else launch.option("server_name") or launch.effective.host
    )
    evidence = []
    if test:
        tried = t("binding {host} was tried and refused: {message}", host=test.host, message=test.message)
        evidence.append(Evidence(tried))
    own = interfaces.lan() if interfaces else ()
    if own:
        evidence.append(Evidence(t("this machine's own addresses: {addresses}", addresses=", ".join(own))))
    summary = t('Forge cannot listen on "{name}": it is not an address of this machine.', name=name)
    if shape:
        summary = t('Forge cannot listen on "{name}": {why}.', name=name, why=shape)
    yield Finding(
        summary,
        evidence=[*evidence, shown(launch)],
        fixes=[fixes.unset_variable("GRADIO_SERVER_NAME", host, files) if variable else _fix(launch, name, own)],
        confidence=CERTAIN,
    )


def _refused(launch: Launch, sockets: Sockets | None) -> BindTest | None:
    tests = sockets.tests if sockets else ()
    return next((one for one in tests if one.outcome in ("not-local", "unresolvable")), None)


def _fix(launch: Launch, name: str, own: tuple[str, ...]) -> Fix:
    """The same address where it is this machine's, else all of them."""
    host, port = _parts(name)
    add = ["--listen"]
    if host == "localhost" or host.startswith("127."):
        add = ["--server-name 127.0.0.1"]
    elif host in own:
        add = [f"--server-name {host}"]
    if port and "port" not in launch.effective.options:
        add.append(f"--port {port}")
    return fixes.change_flags(launch, drop=["--server-name"], add=add)


def _parts(name: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(name if "://" in name else f"//{name}")
        return parts.hostname or "", parts.port
    except ValueError:
        return name, None
