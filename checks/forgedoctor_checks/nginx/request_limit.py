from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.proxies.model import Limit
from forgedoctor_checks.nginx import _conf

# The page asks for a hundred files when it opens and for progress twice a second; a browser keeps six connections.
_REQUESTS, _BURST, _CONNECTIONS = 10, 50, 10


@check("nginx-request-limit", severity=WARNING, group="nginx")
def request_limit(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """nginx limits requests or connections so that Forge's own page or polls run into it.

    What happens: 503 Service Temporarily Unavailable now and then, files of the page missing, progress that stops; in
    nginx's log "limiting requests" or "limiting connections".
    Why: the page asks for many files at once and then twice a second for progress; an API client that polls does
    the same while its job holds a connection.
    Fix: a higher rate with a burst and nodelay, or no limit for this location.
    Source: nginx.org, ngx_http_limit_req_module, ngx_http_limit_conn_module; measured with nginx 1.22.1.
    """
    tight: dict[str, Limit] = {}
    for one in nginx.locations:
        tight.update({str(limit.at): limit for limit in one.limits if _tight(limit)})
    if not tight:
        return
    many = t("Let a client of this location make at least {rate} requests a second with burst={burst} nodelay, and {connections} connections; or drop the limit there",
             rate=_REQUESTS, burst=_BURST, connections=_CONNECTIONS)  # fmt: skip
    rest = [_conf.more(nginx, len(tight) - _conf.MOST)] if len(tight) > _conf.MOST else []
    yield Finding(
        t("nginx limits how often a client may ask, and answers 503 above that: Forge's page and polls ask often."),
        evidence=[*map(_shown, list(tight.values())[: _conf.MOST]), *rest],
        fixes=[_conf.fix(nginx, host, [], title=many)],
        confidence=LIKELY,
    )


def _tight(limit: Limit) -> bool:
    if limit.kind == "connections":
        return 0 < limit.connections < _CONNECTIONS
    return limit.rate is not None and limit.rate < _REQUESTS and limit.burst < _BURST


def _shown(limit: Limit) -> Evidence:
    if limit.kind == "connections":
        return Evidence(
            t("limit_conn {zone}: {count} at once", zone=limit.zone, count=limit.connections), str(limit.at)
        )
    rate = f"{limit.rate:g}"
    told = t("limit_req {zone}: {rate} a second, burst {burst}", zone=limit.zone, rate=rate, burst=limit.burst)
    return Evidence(told, str(limit.at))
