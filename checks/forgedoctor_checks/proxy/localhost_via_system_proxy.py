from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Endpoint, Host, Launch, Proxy, Sockets
from forgedoctor.facts.proxy import Setting
from forgedoctor_checks.reach._urls import host_of, loopback, port_of

_GRADIO_3 = ("a1111", "reforge", "classic")


@check(
    "localhost-via-system-proxy", severity=ERROR, group="proxy",
    explains=["server-half-dead", "endpoint-unreachable", "server-thread-dead"],
)  # fmt: skip
def localhost_via_system_proxy(
    proxy: Proxy, launch: Launch | None, host: Host | None, endpoint: Endpoint | None, sockets: Sockets | None
) -> Iterator[Finding]:
    """A proxy setting also catches requests to this machine itself.

    What happens: the web UI looks at its own address while it starts; the request goes to the proxy, fails, and the
    server's thread dies: the page answers, /sdapi is 404. Or: "When localhost is not accessible, a shareable link must
    be created". A proxy on this very machine may hand the request back, and all is well until it is switched off.
    Why: HTTP_PROXY or ALL_PROXY is set (often by a VPN or Clash), and NO_PROXY does not name localhost and 127.0.0.1.
    Fix: NO_PROXY=localhost,127.0.0.1 for Forge and for its clients. --share only hides it, and exposes the machine.
    Source: recorded start with http_proxy set; httpx's rules for NO_PROXY.
    """
    setting = proxy.for_url("https" if launch and launch.tls else "http")
    port = launch.effective.listens or launch.effective.port if launch else None
    missed = [name for name in _own_names(launch) if not proxy.bypasses(name, port, client=_client(launch))]
    if setting is None or not missed:
        return
    works, dead = _works(launch, endpoint), _nobody_there(setting, sockets)
    elsewhere = not loopback(host_of(setting.value))  # such a proxy looks at its own 127.0.0.1
    covers = t("NO_PROXY is not set")
    if proxy.no_proxy:
        covers = t("NO_PROXY covers: {hosts}", hosts=", ".join(proxy.no_proxy))
    evidence = [Evidence(plain(f"{setting.name}={setting.value}"), setting.source), Evidence(covers)]
    if dead:
        evidence.append(Evidence(t("nobody listens there: the proxy is not running"), "table of TCP sockets"))
    breaks = launch is not None and launch.effective.mode == "webui" and (elsewhere or dead)
    yield Finding(
        _summary(launch, setting, works, breaks),
        evidence=evidence,
        fixes=[_except(proxy, missed, host)],
        severity=INFO if works else ERROR if breaks and launch and launch.effective.exit is None else WARNING,
        confidence=CERTAIN if setting.source.startswith(("environment", "process")) else LIKELY,
    )


def _summary(launch: Launch | None, setting: Setting, works: bool, breaks: bool) -> Message:
    template = "A proxy ({name}) catches requests to this machine itself, which may break the web UI's start."
    if launch and launch.effective.mode == "api-only":
        template = "A proxy ({name}) catches requests to this machine itself: clients here may not reach the API."
    elif works:
        template = "A proxy ({name}) catches requests to this machine itself; this start came through all the same."
    elif breaks:
        template = "A proxy ({name}) catches requests to this machine itself, which breaks the web UI's start."
    return t(template, name=setting.name if setting.name.lower().endswith("_proxy") else setting.source)


def _client(launch: Launch | None) -> str:
    """Whose rules for NO_PROXY count: gradio 3 looks at itself with requests, gradio 4 with httpx."""
    return "requests" if launch and launch.effective.fork in _GRADIO_3 else "httpx"


def _own_names(launch: Launch | None) -> tuple[str, ...]:
    """What the web UI calls itself by: localhost where it listens on every address."""
    own = launch.effective.host if launch else "127.0.0.1"
    return ("localhost",) if own in ("0.0.0.0", "*", "::") else (own,)


def _works(launch: Launch | None, endpoint: Endpoint | None) -> bool:
    probe = endpoint.probe("progress") if endpoint and launch and launch.running else None
    return bool(probe and probe.status in (200, 401))


def _nobody_there(setting: Setting, sockets: Sockets | None) -> bool:
    """Whether the proxy is on this machine and its port is closed."""
    address = host_of(setting.value)
    if sockets is None or not loopback(address) or not (sockets.complete or sockets.listeners):
        return False
    return not sockets.holders(address, port_of(setting.value, 80))


def _except(proxy: Proxy, missed: list[str], host: Host | None) -> Fix:
    hosts = ",".join(dict.fromkeys([*proxy.no_proxy, "localhost", "127.0.0.1", *missed]))
    if host and host.system == "windows":
        title = t("Except this machine: in webui-user.bat above 'call webui.bat', and where clients are started:")
        if any(one.source == "windows settings" for one in proxy.settings):
            title = t(
                "Except this machine: in webui-user.bat above 'call webui.bat', and where clients are started "
                "(Windows' own proxy setting is then no longer read: set HTTPS_PROXY too, if downloads need it):"
            )
        return fixes.paste(title, f"set NO_PROXY={hosts}", host)
    title = t("Except this machine: in webui-user.sh, and where clients are started:")
    return fixes.paste(title, f'export NO_PROXY="{hosts}" no_proxy="{hosts}"', host)
