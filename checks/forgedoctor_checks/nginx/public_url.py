from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import (
    ERROR,
    INFO,
    LIKELY,
    POSSIBLE,
    WARNING,
    Confidence,
    Evidence,
    Finding,
    Message,
    Severity,
    check,
    t,
)
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.proxies.model import Location
from forgedoctor.proxies.paths import beginning, prefix
from forgedoctor_checks.nginx import _conf

_USUAL = (80, 443)


@check("proxy-wrong-public-url", severity=ERROR, group="nginx", explains=["endpoint-redirects"])
def public_url(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """The page gives out an address that is right inside and wrong outside.

    What happens: the page stays on "Loading..."; the browser asks http://127.0.0.1:7860/theme.css, or http inside
    https (mixed content), or /assets without the prefix, and gets nothing. With proxy_redirect off the API's redirects
    (an address with a slash too many) go there as well.
    Why: gradio 4 writes its own address into the page: from the Host that nginx passes (by default the name in
    proxy_pass), the scheme in X-Forwarded-Proto, and --subpath for a prefix.
    Fix: proxy_set_header Host and X-Forwarded-Proto; --subpath NAME where nginx serves it under /NAME/.
    Source: gradio 4.40.0 route_utils.get_root_url; nginx.org, proxy_set_header; measured with nginx 1.22.1.
    """
    if _conf.page_is_served(launch) is False:
        yield from _redirects(nginx, _conf.serving(nginx, "/sdapi/v1/progress"), host)
        return
    places = _conf.serving(nginx, "/")
    headers = _headers(nginx, places, launch, host) if _conf.gradio_major(launch, nginx) != 3 else ()
    prefixes = [found for one in places for found in _prefix(nginx, one, launch)]
    yield from _conf.capped(nginx, [*headers, *prefixes])


def _headers(nginx: Nginx, places: Sequence[Location], launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """What gradio 4 is not told, the worst of it first."""
    known = launch is not None and _conf.gradio_major(launch, nginx) is not None
    nameless = [one for one in places if not _host_is_passed(one)]
    schemeless = [one for one in places if one.tls and not one.header("x-forwarded-proto")]
    portless = [one for one in places if one not in nameless and _drops_port(one)]
    for found, make in ((nameless, _nameless), (schemeless, _schemeless), (portless, _portless)):
        if not found:
            continue
        summary, name, _ = make(found[0])
        confidence: Confidence = LIKELY if known and _conf.headers_seen(nginx, found[0]) else POSSIBLE
        severity: Severity = _conf.weighed(ERROR if known else WARNING, confidence)
        steps = [step for one in found for step in _conf.set_headers(one, make(one)[2])]
        yield Finding(
            summary,
            evidence=[_shown(found[0], name), *_conf.evidence(nginx, found, _conf.passes), *_conf.unseen(nginx)],
            fixes=[_conf.fix(nginx, host, steps)],
            severity=WARNING if make is _portless else severity,
            confidence=POSSIBLE if make is _portless else confidence,
        )
        return


Missed = tuple[Message, str, dict[str, str]]


def _nameless(one: Location) -> Missed:
    wanted = {"Host": _host_variable(one), **({"X-Forwarded-Proto": "$scheme"} if one.tls else {})}
    told = t("The page sends browsers to {name}: nginx does not tell Forge its public name.", name=_inner(one))
    return told, "Host", wanted


def _schemeless(one: Location) -> Missed:
    told = t("The page sends browsers to http although they came over https: nginx does not tell Forge.")
    return told, "X-Forwarded-Proto", {"X-Forwarded-Proto": "$scheme"}


def _portless(one: Location) -> Missed:
    told = t("The page sends browsers to port 80: the Host that nginx passes has no port, and nginx listens on {port}.", port=one.listens[0].port)  # fmt: skip
    return told, "Host", {"Host": "$http_host"}


def _redirects(nginx: Nginx, places: Sequence[Location], host: Host | None) -> Iterator[Finding]:
    """Without a page only a redirect names an address, and nginx mends those unless it is told not to."""
    found = [one for one in places if one.setting("proxy_redirect").value == "off" and not _host_is_passed(one)]
    if found:
        redirect = _conf.shown("proxy_redirect", found[0].setting("proxy_redirect"), found[0])
        yield Finding(
            t("Redirects send clients to {name}: nginx does not tell Forge its public name.", name=_inner(found[0])),
            evidence=[_shown(found[0], "Host"), redirect],
            fixes=[
                _conf.fix(nginx, host, [step for one in found for step in _conf.set_headers(one, _nameless(one)[2])])
            ],
            severity=INFO,
            confidence=LIKELY,
        )


def _inner(one: Location) -> str:
    """What Forge takes for its own address."""
    if one.upstream or not one.hosts:
        return f"http://{one.upstream.name}" if one.upstream else one.target
    return "http://" + ":".join(map(str, one.hosts[0]))


def _host_is_passed(one: Location) -> bool:
    """Whether Forge learns the name that the browser used."""
    value = one.header("host")
    if one.header("x-forwarded-host"):
        return True
    return bool(value) and "$proxy_host" not in (value or "")


def _host_variable(one: Location) -> str:
    """$host has no port, which suits 80 and 443 only."""
    return "$host" if all(listen.port in _USUAL for listen in one.listens) else "$http_host"


def _drops_port(one: Location) -> bool:
    """Whether Forge learns a name without the port that browsers need."""
    unusual = bool(one.listens) and all(listen.port not in _USUAL for listen in one.listens)
    return unusual and (one.header("x-forwarded-host") or one.header("host")) in ("$host", "$server_name")


def _shown(one: Location, name: str) -> Evidence:
    found = one.headers.get(name.lower())
    if found:
        return _conf.shown(f"proxy_set_header {name}", found, one)
    if name != "Host":
        return Evidence(t("no {name} header is set for Forge", name=name), str(one.pass_at))
    missing = t("no {name} is set here: nginx takes {value}", name="proxy_set_header Host", value="$proxy_host")
    return Evidence(missing, str(one.pass_at))


def _prefix(nginx: Nginx, one: Location, launch: Launch | None) -> Iterator[Finding]:
    public = prefix(one).strip("/")
    given = launch.option("subpath").strip("/") if launch else ""
    if launch is None or public == given or one.rewrites or one.variables or one.lost or beginning(one):
        return
    if not public and any(prefix(other).strip("/") == given for other in nginx.locations):
        return
    place = [_conf.passes(one), Evidence(t("--subpath is {value}", value=given or "-"), launch.origin)]
    if public:
        yield Finding(
            t("nginx serves Forge under /{prefix}/, and Forge does not know: the page asks for its files without it.", prefix=public),
            evidence=place,
            fixes=[fixes.change_flags(launch, add=[f"--subpath {public}"], drop=["--subpath"] if given else [])],
            confidence=LIKELY,
        )  # fmt: skip
    else:
        yield Finding(
            t("Forge was told that it is served under /{prefix}/, and nginx serves it at /: the page's files are 404.", prefix=given),
            evidence=place,
            fixes=[fixes.change_flags(launch, drop=["--subpath"])],
            confidence=LIKELY,
        )  # fmt: skip
