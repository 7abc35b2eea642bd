from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor.check import ERROR, WARNING, Finding, check, t
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.proxies import units
from forgedoctor.proxies.model import Location
from forgedoctor_checks.nginx import _conf

# A picture of 1024x1024 pixels as PNG is up to 3 MB, in base64 a third more; ControlNet sends several.
_ONE_IMAGE = 4 * 1024**2
_SHORT = 30.0  # seconds; the first request of all loads the model, which alone can take longer
_LONG = 300.0
_SIZE, _TIME = "client_max_body_size", "proxy_read_timeout"


@check("proxy-limits", severity=ERROR, group="nginx", explains=["share-service-unreachable"])
def limits(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """A proxy or tunnel in front cuts the request: too large, or too long.

    What happens: 413 Request Entity Too Large for img2img and ControlNet; 504 or 524 after 60 or 100 seconds, while
    Forge goes on generating: a client that tries again doubles the load.
    Why: Forge itself has neither limit. nginx takes 1 MB and waits 60 s unless told otherwise; Cloudflare waits
    100 s, gradio.live less. txt2img sends nothing until it is done.
    Fix: client_max_body_size and proxy_read_timeout; through fixed tunnels send shorter jobs and poll progress.
    Source: nginx ngx_http_core_module, ngx_http_proxy_module; measured with nginx 1.22.1; RFC 9110 15.5.14, 15.6.5.
    """
    if _conf.api_is_served(launch) is not False:
        yield from _too_small(nginx, _conf.serving(nginx, "/sdapi/v1/img2img"), host)
        yield from _too_short(nginx, _conf.serving(nginx, "/sdapi/v1/txt2img"), host)
    else:
        yield from _too_small(nginx, _conf.serving(nginx, "/upload"), host)


def _too_small(nginx: Nginx, locations: Sequence[Location], host: Host | None) -> Iterator[Finding]:
    small = [one for one in locations if 0 < (units.size(one.setting(_SIZE).value) or 0) < _ONE_IMAGE]
    if not small:
        return
    value = small[0].setting(_SIZE).value
    confidence = _conf.sure(nginx, small[0].setting(_SIZE))
    yield Finding(
        t("nginx refuses requests over {value}: images for img2img and ControlNet do not get through.", value=value),
        evidence=[
            *_conf.evidence(nginx, small, lambda one: _conf.shown(_SIZE, one.setting(_SIZE), one)),
            *_conf.unseen(nginx),
        ],
        fixes=[_conf.fix(nginx, host, [_conf.set_line(one, _SIZE, "100m") for one in small])],
        severity=_conf.weighed(ERROR, confidence),
        confidence=confidence,
    )


def _too_short(nginx: Nginx, locations: Sequence[Location], host: Host | None) -> Iterator[Finding]:
    waits = [(units.seconds(one.setting(_TIME).value), one) for one in locations]
    short = [(seconds, one) for seconds, one in waits if seconds is not None and seconds < _LONG]
    if not short:
        return
    least = min(seconds for seconds, _ in short)
    places = [one for _, one in short]
    yield Finding(
        t(
            "nginx gives up on a request after {seconds} s without an answer; Forge goes on working.",
            seconds=f"{least:g}",
        ),
        evidence=[
            *_conf.evidence(nginx, places, lambda one: _conf.shown(_TIME, one.setting(_TIME), one)),
            *_conf.unseen(nginx),
        ],
        fixes=[_conf.fix(nginx, host, [_conf.set_line(one, _TIME, "600s") for one in places])],
        severity=ERROR if least < _SHORT else WARNING,
        confidence=_conf.sure(nginx, places[0].setting(_TIME)),
    )
