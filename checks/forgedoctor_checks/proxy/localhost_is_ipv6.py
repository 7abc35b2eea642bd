from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, Fix, check, shell, t
from forgedoctor.facts import Host, Launch, Proxy

_TAKES_IPV6 = ("*", "::", "::1", "localhost")


@check("localhost-is-ipv6", severity=WARNING, group="proxy")
def localhost_is_ipv6(proxy: Proxy, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """The name localhost means ::1 only on this machine, and Forge listens on IPv4.

    What happens: clients that are told http://localhost:7860 are refused, while 127.0.0.1 works.
    Why: the hosts file (or its lack) resolves the name to IPv6 alone; Forge binds 127.0.0.1 or 0.0.0.0.
    Fix: write 127.0.0.1 in clients, or add "127.0.0.1 localhost" to the hosts file.
    Source: recorded bind addresses; RFC 6761 6.3.
    """
    if not proxy.localhost or any("." in one for one in proxy.localhost):
        return
    if launch and launch.effective.host in _TAKES_IPV6:
        return
    names = ", ".join(proxy.localhost)
    yield Finding(
        t("The name localhost means only {address} here; Forge listens on IPv4.", address=names),
        evidence=[Evidence(t("localhost resolves to {address}", address=names))],
        fixes=[fixes.advise(t("Write 127.0.0.1 in place of localhost in every client")), _hosts_file(host)],
        confidence=CERTAIN,
    )


def _hosts_file(host: Host | None) -> Fix:
    windows = bool(host and host.system == "windows")
    command = "echo 127.0.0.1 localhost | sudo tee -a /etc/hosts"
    if windows:
        command = r"echo 127.0.0.1 localhost>> %SystemRoot%\System32\drivers\etc\hosts"
    return Fix(
        title=t("Or give the name its IPv4 address:"),
        steps=(shell(command, fixes.interpreter(host)),),
        needs_admin=True,
        undo=t("delete that line from the hosts file"),
    )
