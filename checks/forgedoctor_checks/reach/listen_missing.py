from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Exchanges, Host, Interfaces, Launch, Transcript


@check("listen-missing", severity=INFO, group="reach", explains=["endpoint-unreachable"])
def listen_missing(
    launch: Launch | None, host: Host | None, interfaces: Interfaces | None, transcript: Transcript | None, exchanges: Exchanges | None
) -> Iterator[Finding]:
    """Only this machine can reach Forge: it listens on 127.0.0.1.

    What happens: other machines are refused, or time out. In a container nobody at all can reach it, not even through
    a published port.
    Why: without --listen the web UI binds the loopback address. (With --nowebui it is the other way round: that one
    listens on all addresses.)
    Fix: --listen, or --server-name with one of this machine's addresses; then give it a login.
    Source: modules/initialize_util.py gradio_server_name; recorded starts.
    """
    if launch is None:
        raise NotApplicable(t("no command line was seen"))
    if launch.effective.exit is not None or not launch.loopback or launch.given("share", "ngrok"):
        return
    refused = _refused_elsewhere(exchanges)
    container = bool(host and host.container)
    if transcript is not None and not refused:
        return  # a pasted command line alone does not say who wants in
    if not launch.seen and not container and not refused:
        return
    evidence = [Evidence(t("it listens on {address}", address=launch.listens_on), launch.origin)]
    if container and host:
        evidence.append(Evidence(t("it runs in a container ({kind}), whose 127.0.0.1 nobody else has", kind=host.container)))
    own = interfaces.lan() if interfaces else ()
    if own:
        port = launch.effective.listens or launch.effective.port or 7860
        evidence.append(Evidence(t("http://{address}:{port} is refused for your other devices", address=own[0], port=port)))
    if refused:
        evidence.append(Evidence(plain(refused)))
    add = ["--listen"] + ([f"--api-auth {fixes.LOGIN}"] if launch.effective.api and not launch.given("api_auth") else [])
    drop = ["--server-name"] if launch.given("server_name") else []
    yield Finding(
        t("Only this machine can reach Forge: it listens on {address}.", address=launch.listens_on),
        evidence=evidence,
        fixes=[fixes.change_flags(launch, add=add, drop=drop)],
        severity=ERROR if refused else WARNING if container else INFO,
        confidence=CERTAIN if launch.seen else LIKELY,
    )


def _refused_elsewhere(exchanges: Exchanges | None) -> str:
    for one in exchanges.exchanges if exchanges else ():
        name = urlsplit(f"//{one.url.split('://')[-1]}").hostname or ""
        private = name.startswith(("192.168.", "10.", "172."))
        if one.error in ("refused", "timeout") and private:
            return one.detail
    return ""
