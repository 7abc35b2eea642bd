from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import (
    CERTAIN,
    ERROR,
    POSSIBLE,
    WARNING,
    Evidence,
    Finding,
    NotApplicable,
    Step,
    Undecided,
    check,
    t,
)
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.proxies.model import Location
from forgedoctor_checks.nginx import _conf

_UPGRADE = {"Upgrade": "$http_upgrade", "Connection": '"upgrade"'}


@check("proxy-websocket", severity=ERROR, group="nginx")
def websocket(nginx: Nginx, launch: Launch | None, host: Host | None) -> Iterator[Finding]:
    """The proxy in front does not pass the queue's event stream or websocket.

    What happens: the page loads and nothing generates; /queue/join answers 404 or 400; "Connection errored out". Or
    the page moves only when a job has ended.
    Why: gradio 3 (AUTOMATIC1111, reForge, Classic) speaks over a websocket and needs the Upgrade headers; gradio 4
    (Forge, Neo) sends events, which nginx holds back to the end unless buffering is off. The plain API needs neither.
    Fix: proxy_http_version 1.1, Upgrade and Connection headers, or buffering off; the whole prefix forwarded.
    Source: nginx websocket proxying; measured with nginx 1.22.1; gradio 3.41.2 and 4.40.0, queue routes.
    """
    page = _conf.page_is_served(launch)
    if page is False:
        raise NotApplicable(t("there is no web page: the API needs no websocket"))
    places = _conf.serving(nginx, "/queue/join")
    gradio = _conf.gradio_major(launch, nginx)
    closed = [one for one in places if _lacks(one)]
    held = [one for one in places if one.setting("proxy_buffering").value != "off"]
    if gradio == 3 and closed:
        yield _no_upgrade(nginx, closed, host, known=page is not None)
    elif gradio == 4 and held:
        yield _buffered(nginx, held, host, known=page is not None)
    elif gradio is None and closed and held:
        yield _neither(nginx, closed, host)
    elif gradio is None and (closed or held):
        raise Undecided(
            t("which gradio the page has is not known"), t("name the fork with --fork, or give Forge's flags after --")
        )


def _lacks(location: Location) -> bool:
    """Whether a websocket does not get through: an HTTP version, or one of the two headers."""
    upgrade, connection = location.header("upgrade"), location.header("connection")
    passed = bool(upgrade) and bool(connection) and (connection or "").lower() not in ("close", "keep-alive")
    return not passed or location.setting("proxy_http_version").value == "1.0"


def _no_upgrade(nginx: Nginx, places: list[Location], host: Host | None, *, known: bool) -> Finding:
    confidence = CERTAIN if known and _conf.headers_seen(nginx, places[0]) else POSSIBLE
    return Finding(
        t("nginx does not pass the page's websocket on: the page loads, and nothing generates."),
        evidence=[*_evidence(places[0]), *_conf.unseen(nginx)],
        fixes=[_conf.fix(nginx, host, _upgrading(places))],
        severity=_conf.weighed(ERROR, confidence),
        confidence=confidence,
    )


def _evidence(one: Location) -> Iterator[Evidence]:
    if one.setting("proxy_http_version").value == "1.0":
        yield _conf.shown("proxy_http_version", one.setting("proxy_http_version"), one)
    for name in ("Upgrade", "Connection"):
        found = one.headers.get(name.lower())
        if found:
            yield _conf.shown(f"proxy_set_header {name}", found, one)
        else:
            yield Evidence(t("no {name} header is set for Forge", name=name), str(one.pass_at))


def _upgrading(places: list[Location]) -> Iterator[Step]:
    for one in places:
        if one.setting("proxy_http_version").value == "1.0":
            yield _conf.set_line(one, "proxy_http_version", "1.1")
        yield from _conf.set_headers(one, _UPGRADE)


def _buffered(nginx: Nginx, places: list[Location], host: Host | None, *, known: bool) -> Finding:
    name = "proxy_buffering"
    setting = places[0].setting(name)
    return Finding(
        t("nginx holds the page's events back until a job has ended."),
        evidence=[*_conf.evidence(nginx, places, lambda one: _conf.shown(name, one.setting(name), one)), *_conf.unseen(nginx)],
        fixes=[_conf.fix(nginx, host, [_conf.set_line(one, "proxy_buffering", "off") for one in places])],
        severity=WARNING,
        confidence=_conf.sure(nginx, setting) if known else POSSIBLE,
    )  # fmt: skip


def _neither(nginx: Nginx, places: list[Location], host: Host | None) -> Finding:
    """Neither the websocket of gradio 3 nor the events of gradio 4: whatever runs there, its page suffers."""
    steps = [*_upgrading(places), *(_conf.set_line(one, "proxy_buffering", "off") for one in places)]
    buffering = _conf.shown("proxy_buffering", places[0].setting("proxy_buffering"), places[0])
    return Finding(
        t("nginx passes neither the page's websocket nor its events on as they come; the API needs neither."),
        evidence=[*_evidence(places[0]), buffering, *_conf.unseen(nginx)],
        fixes=[_conf.fix(nginx, host, steps)],
        severity=WARNING,
        confidence=POSSIBLE,
    )
