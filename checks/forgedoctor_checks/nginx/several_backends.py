from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.proxies.model import Upstream
from forgedoctor_checks.nginx import _conf

_STICKY = ("ip_hash", "sticky", "sticky_cookie_insert")
_BY_CLIENT = ("$remote_addr", "$binary_remote_addr", "$cookie_", "$http_", "$remote_user")


@check("nginx-several-backends", severity=WARNING, group="nginx")
def several_backends(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """nginx spreads one client's requests over several Forges.

    What happens: /sdapi/v1/progress is always idle, /sdapi/v1/interrupt stops nothing, /sdapi/v1/options changes a
    model on the wrong one; the page loses its jobs.
    Why: each Forge knows its own job alone. nginx chooses anew for every request: in turn, or with least_conn always
    the one that is not busy.
    Fix: ip_hash, or hash $remote_addr: each client keeps its Forge. Or give each Forge an address of its own.
    Source: nginx.org, ngx_http_upstream_module; measured with nginx 1.22.1: 4 of 4 polls went to the other one.
    """
    yield from _conf.capped(nginx, _spread(nginx, launch, host))


def _spread(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    groups = {one.upstream.name: one for one in nginx.locations if one.upstream and _spreads(one.upstream)}
    for location in groups.values():
        group = location.upstream
        assert group is not None
        where = str(group.at or location.pass_at)
        how = group.method or "round robin"
        place = group.method_at
        step = _conf.changed(place, "ip_hash;") if place else _conf.added(group.at or location.pass_at, "ip_hash;")
        yield Finding(
            t("nginx spreads a client's requests over {count} Forges: progress and interrupt ask the wrong one.", count=len(group.servers)),
            evidence=[
                Evidence(t("upstream {name} chooses by {how}", name=group.name, how=how), str(place or where)),
                Evidence(plain(", ".join(group.servers[:6])), where),
            ],
            fixes=[_conf.fix(nginx, host, [step])],
            severity=ERROR if _conf.page_is_served(launch) else WARNING,
            confidence=CERTAIN,
        )  # fmt: skip


def _spreads(group: Upstream) -> bool:
    """Whether one client's requests may go to different servers."""
    if len(group.servers) < 2:
        return False
    name, _, key = group.method.partition(" ")
    return name not in _STICKY and not (name == "hash" and key.startswith(_BY_CLIENT))
