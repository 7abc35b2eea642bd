from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Host, Launch, Proxy


@check("localhost-via-system-proxy", severity=ERROR, group="proxy", explains=["server-half-dead", "endpoint-unreachable", "server-thread-dead"])
def localhost_via_system_proxy(proxy: Proxy, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """A proxy setting also catches requests to this machine itself.

    What happens: the web UI looks at its own address while it starts; the request goes to the proxy, fails, and the
    server's thread dies: the page answers, /sdapi is 404. Or: "When localhost is not accessible, a shareable link must
    be created".
    Why: HTTP_PROXY or ALL_PROXY is set (often by a VPN or Clash), and NO_PROXY does not name localhost and 127.0.0.1.
    Fix: NO_PROXY=localhost,127.0.0.1 for Forge and for its clients. --share only hides it, and exposes the machine.
    Source: recorded start with http_proxy set; httpx's rules for NO_PROXY.
    """
    address = "127.0.0.1"
    setting = proxy.for_url("http")
    # gradio 3 looks at itself with requests, gradio 4 with httpx; the two read NO_PROXY differently.
    client = "requests" if launch and launch.effective.fork in ("a1111", "reforge", "classic") else "httpx"
    if setting is None or proxy.bypasses(address, client=client):
        return
    needs_itself = launch is None or launch.effective.mode == "webui"
    where = host.system if host else ""
    evidence = [Evidence(plain(f"{setting.name}={setting.value}"), setting.source)]
    evidence.append(
        Evidence(t("NO_PROXY covers: {hosts}", hosts=", ".join(proxy.no_proxy)))
        if proxy.no_proxy
        else Evidence(t("NO_PROXY is not set"))
    )
    summary = t("A proxy ({name}) catches requests to this machine itself, which breaks the web UI's start.", name=setting.name)
    if not needs_itself:
        summary = t("A proxy ({name}) catches requests to this machine itself: clients here cannot reach the API.", name=setting.name)
    yield Finding(
        summary,
        evidence=evidence,
        fixes=[fixes.paste(t("Except this machine, for Forge and for its clients, then restart:"), _command(where, proxy.no_proxy), host)],
        severity=ERROR if needs_itself and launch is not None and launch.effective.exit is None else WARNING,
        confidence=CERTAIN if setting.source.startswith(("environment", "process")) else LIKELY,
    )


def _command(system: str, have: tuple[str, ...]) -> str:
    hosts = ",".join(dict.fromkeys([*have, "localhost", "127.0.0.1"]))
    return f"set NO_PROXY={hosts}" if system == "windows" else f'export NO_PROXY="{hosts}" no_proxy="{hosts}"'
