from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Proxy


@check("localhost-is-ipv6", severity=INFO, group="proxy")
def localhost_is_ipv6(proxy: Proxy, launch: Launch | None) -> Iterator[Finding]:
    """The name localhost means ::1 only on this machine, and Forge listens on IPv4.

    What happens: clients that are told http://localhost:7860 are refused, while 127.0.0.1 works.
    Why: the hosts file (or its lack) resolves the name to IPv6 alone; Forge binds 127.0.0.1 or 0.0.0.0.
    Fix: write 127.0.0.1 in clients, or add "127.0.0.1 localhost" to the hosts file.
    Source: recorded bind addresses; RFC 6761 6.3.
    """
    if not proxy.localhost or any("." in one for one in proxy.localhost):
        return
    if launch and launch.effective.host in ("*", "::", "::1"):
        return
    yield Finding(
        t("The name localhost means only {address} here; Forge listens on IPv4.", address=", ".join(proxy.localhost)),
        evidence=[Evidence(t("localhost resolves to {address}", address=", ".join(proxy.localhost)))],
        fixes=[fixes.advise(t("Write 127.0.0.1 in place of localhost, or add the line \"127.0.0.1 localhost\" to the hosts file"))],
        severity=WARNING,
        confidence=CERTAIN,
    )
