from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, INFO, Finding, check, t
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor_checks.nginx import _conf


@check("nginx-localhost-upstream", severity=INFO, group="nginx")
def localhost_upstream(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """proxy_pass names localhost, which is also ::1, where Forge does not listen.

    What happens: "connect() failed (111: Connection refused) ... upstream: http://[::1]:7860" in nginx's log, again
    and again; the client gets its answer all the same, from the second address.
    Why: nginx takes every address of the name in turn; Forge listens on IPv4 only, unless it runs with --nowebui alone.
    Fix: write 127.0.0.1.
    Source: measured with nginx 1.22.1.
    """
    if launch and launch.effective.host in ("*", "::", "::1", "localhost"):
        return
    found = [one for one in nginx.locations if "localhost" in one.target and not one.upstream and not one.variables]
    if not found:
        return
    lines = [
        _conf.changed(one.pass_at, f"proxy_pass {one.target.replace('localhost', '127.0.0.1', 1)};") for one in found
    ]
    yield Finding(
        t("proxy_pass names localhost, so nginx also tries ::1, where Forge does not listen."),
        evidence=[*_conf.evidence(nginx, found, _conf.passes)],
        fixes=[_conf.fix(nginx, host, lines)],
        confidence=CERTAIN,
    )
