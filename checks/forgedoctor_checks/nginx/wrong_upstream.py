from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import Host, Launch, Nginx, Processes, Sockets
from forgedoctor.facts.nginx import is_local, ports_of
from forgedoctor.proxies.model import Location
from forgedoctor_checks.launch._words import shown
from forgedoctor_checks.nginx import _conf


@check("nginx-wrong-upstream", severity=ERROR, group="nginx", explains=["not-ready-yet", "nginx-upstream-refused"])
def wrong_upstream(
    nginx: Nginx, launch: Launch | None, processes: Processes | None, sockets: Sockets | None, host: Host | None
) -> Iterator[Finding]:
    """nginx passes requests to an address where this Forge does not listen.

    What happens: 502 Bad Gateway; in nginx's log "connect() failed (111: Connection refused)".
    Why: another port (the web UI takes 7860, --nowebui takes 7861, and without --port the next free one), another
    address (--server-name), or http where Forge speaks https.
    Fix: the address that Forge prints when it starts, in proxy_pass or in the upstream's server line; and --port, so
    that it stays there.
    Source: recorded starts; nginx.org, proxy_pass.
    """
    if launch is None or not launch.seen or launch.effective.exit is not None:
        raise NotApplicable(t("how Forge listens is not known"))
    ports = ports_of(launch, processes)
    local = [one for one in nginx.locations if one.hosts and all(is_local(name) for name, _ in one.hosts)]
    for one in local:
        taken = bool(sockets) and any(sockets.holders(name, port) for name, port in one.hosts if sockets)
        if ports and not set(one.ports) & set(ports):
            if taken:
                continue  # somebody listens there: another Forge, or a program that only the user knows
            yield _wrong_port(nginx, one, launch, ports, host)
        elif (one.scheme == "https") != launch.tls:
            yield _wrong_scheme(nginx, one, launch, host)
        elif not taken and not _answers(one, launch):
            yield _wrong_address(one, launch)
        else:
            continue
        return


def _wrong_port(nginx: Nginx, one: Location, launch: Launch, ports: tuple[int, ...], host: Host | None) -> Finding:
    name, port = one.hosts[0]
    right = f"{one.scheme}://{name}:{ports[0]}{one.uri or ''}"
    place = one.upstream.at if one.upstream else one.pass_at
    steps = [] if one.upstream else [_conf.changed(one.pass_at, f"proxy_pass {right};")]
    title = t("Name port {port} in the server line of upstream {name}, then reload nginx:", port=ports[0], name=one.upstream.name) if one.upstream else None  # fmt: skip
    return Finding(
        t("nginx passes requests to port {port}; this Forge listens on {real}.", port=port, real=ports[0]),
        evidence=[_conf.passes(one), Evidence(t("Forge listens on {where}", where=launch.listens_on), launch.origin)],
        fixes=[
            _conf.fix(nginx, host, steps, title=title),
            fixes.change_flags(launch, add=[f"--port {port}"], title=t("Or let Forge listen where nginx asks:")),
        ],
        confidence=CERTAIN if place and (launch.running or launch.given("port")) else LIKELY,
    )


def _wrong_scheme(nginx: Nginx, one: Location, launch: Launch, host: Host | None) -> Finding:
    scheme = "https" if launch.tls else "http"
    line = f"proxy_pass {scheme}{one.target.removeprefix(one.scheme)};"
    if launch.tls:
        summary = t("nginx asks Forge over http, and this Forge speaks https only.")
    else:
        summary = t("nginx asks Forge over https, and this Forge speaks http only.")
    return Finding(
        summary,
        evidence=[_conf.passes(one), shown(launch)],
        fixes=[_conf.fix(nginx, host, [_conf.changed(one.pass_at, line)])],
        confidence=LIKELY,
    )


def _answers(one: Location, launch: Launch) -> bool:
    """Whether Forge is to be had at the loopback address that nginx asks."""
    bound = launch.effective.host
    if bound in ("*", "0.0.0.0", "localhost", ""):
        return bound != "0.0.0.0" or any(name != "::1" for name, _ in one.hosts)
    if is_local(bound) or bound == "::":
        family = "::1" if bound in ("::", "::1") else "127."
        return any(name == "localhost" or name.startswith(family) for name, _ in one.hosts)
    return False


def _wrong_address(one: Location, launch: Launch) -> Finding:
    return Finding(
        t("nginx asks {asked}; this Forge listens on {where} only.", asked=one.hosts[0][0], where=launch.listens_on),
        evidence=[_conf.passes(one), shown(launch)],
        fixes=[
            fixes.change_flags(
                launch, add=["--server-name 127.0.0.1"], title=t("If only nginx should reach Forge, start it so:")
            ),
            fixes.advise(t("Or name {where} in proxy_pass, then reload nginx", where=launch.listens_on)),
        ],
        confidence=LIKELY,
    )
