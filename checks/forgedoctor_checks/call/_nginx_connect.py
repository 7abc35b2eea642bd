"""What nginx writes when it gets no connection to Forge, or loses it.

Source: lines recorded from nginx 1.22.1; the numbers of the systems' errors: Linux, macOS, Windows.
"""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, INFO, t
from forgedoctor.signature import Signature

_TO = r'while connecting to upstream\b.*\bupstream: "\w+://'
_REFUSED = rf"connect\(\) failed \((?:111|61|10061): [^)]*\) {_TO}(?P<where>(?!\[::1\])[^/\"]+)"
_HEAD = "2026/01/31 12:00:00 [error] 7#7: *1 "
_TAIL = ', client: 10.0.0.5, server: _, request: "POST /sdapi/v1/txt2img HTTP/1.1", upstream: "http://{}/", host: "sd.example"'

REFUSED = Signature(
    id="nginx-upstream-refused",
    severity=ERROR,
    group="nginx",
    page="""Nothing listens where nginx passes requests to.

    What happens: 502 Bad Gateway; in nginx's log "connect() failed (111: Connection refused) while connecting to
    upstream".
    Why: Forge is not running or still starting, it listens on another port (7861 with --nowebui) or address, or in a
    container on its own 127.0.0.1.
    Fix: open that address on nginx's machine; then correct proxy_pass or Forge's --port and --server-name.
    Source: recorded from nginx 1.22.1.
    """,
    summary=t("nginx found nothing listening on {where}: Forge is not up there, or has another port."),
    lines=(_REFUSED,),
    fixes=(t("Start Forge, or correct proxy_pass: Forge prints its address when it is ready"),),
    explains=("not-ready-yet", "nginx-no-live-upstreams", "endpoint-unreachable"),
    confidence=CERTAIN,
    examples=(
        _HEAD
        + "connect() failed (111: Connection refused) while connecting to upstream"
        + _TAIL.format("127.0.0.1:7860"),
        _HEAD
        + "connect() failed (10061: No connection could be made) while connecting to upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
    near_misses=(
        _HEAD + "connect() failed (111: Connection refused) while connecting to upstream" + _TAIL.format("[::1]:7860"),
        "requests.exceptions.ConnectionError: [Errno 111] Connection refused",
    ),
)

LOCALHOST = Signature(
    id="nginx-localhost-upstream",
    severity=INFO,
    group="nginx",
    summary=t("nginx tried ::1 first, where Forge does not listen; the request then went to 127.0.0.1."),
    lines=(rf"connect\(\) failed \((?:111|61|10061): [^)]*\) {_TO}\[::1\]",),
    unless=(_REFUSED,),
    fixes=(t("Write 127.0.0.1 in place of localhost in proxy_pass, then reload nginx"),),
    examples=(
        _HEAD + "connect() failed (111: Connection refused) while connecting to upstream" + _TAIL.format("[::1]:7860"),
    ),
    near_misses=(
        _HEAD
        + "connect() failed (111: Connection refused) while connecting to upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
)

CLOSED = Signature(
    id="nginx-upstream-closed",
    severity=ERROR,
    group="nginx",
    page="""Forge ended, or closed the connection, while it worked on a request.

    What happens: 502 Bad Gateway in the middle of a job; in nginx's log "upstream prematurely closed connection while
    reading response header from upstream".
    Why: the process died: no memory (the system killed it), an abort in CUDA, a restart, /sdapi/v1/server-kill.
    Fix: the end of Forge's own log, and the system's: journalctl -k, dmesg ("Out of memory: Killed process").
    Source: recorded from nginx 1.22.1.
    """,
    summary=t("Forge closed the connection in the middle of a request: its process died or was restarted."),
    lines=(
        r"upstream prematurely closed connection while reading (?:response header from )?upstream",
        r"recv\(\) failed \((?:104|54|10054): [^)]*\) while reading (?:response header from )?upstream",
    ),
    fixes=(
        t("Look at the end of Forge's log, and at the system's (journalctl -k): no memory is the commonest reason"),
    ),
    explains=("not-ready-yet", "nginx-no-live-upstreams", "nginx-upstream-refused"),
    examples=(
        _HEAD
        + "upstream prematurely closed connection while reading response header from upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
    near_misses=(
        "client prematurely closed connection, so upstream connection is closed too while connecting to upstream",
    ),
)

NO_LIVE = Signature(
    id="nginx-no-live-upstreams",
    severity=ERROR,
    group="nginx",
    page="""nginx has given up on every server of the group for a while.

    What happens: 502 at once for ten seconds, also when Forge is there again; in nginx's log "no live upstreams".
    Why: after one failure a server counts as failed for fail_timeout, 10 s unless told otherwise.
    Fix: what the lines before it say; max_fails=0 on the server line of a single Forge.
    Source: recorded from nginx 1.22.1; nginx.org, ngx_http_upstream_module.
    """,
    summary=t("nginx counts every server of the group as failed, and asks none of them for some seconds."),
    lines=(r"no live upstreams while connecting to upstream",),
    fixes=(t("Look at the error lines before it: they say why Forge failed; max_fails=0 keeps nginx asking"),),
    explains=("not-ready-yet",),
    confidence=CERTAIN,
    examples=(_HEAD + "no live upstreams while connecting to upstream" + _TAIL.format("forge"),),
    near_misses=("upstream forge has no live peers",),
)

UNREACHABLE = Signature(
    id="nginx-upstream-unreachable",
    severity=ERROR,
    group="nginx",
    page="""Forge's machine does not answer nginx.

    What happens: 504 Gateway Time-out after a minute, or 502 at once; in nginx's log "upstream timed out ... while
    connecting to upstream", or "No route to host".
    Why: a firewall between nginx and Forge drops or refuses the connection, the address is wrong, or the machine is
    off. A long job looks otherwise: there it is "while reading response header".
    Fix: open the port in the firewall of Forge's machine for nginx's, or correct the address.
    Source: recorded from nginx 1.22.1.
    """,
    summary=t("nginx gets no connection to {where}: a firewall in between, or a wrong address."),
    lines=(
        rf"upstream timed out \(\d+: [^)]*\) {_TO}(?P<where>[^/\"]+)",
        rf"connect\(\) failed \((?:113|65|10065|101|10051): [^)]*\) {_TO}(?P<where>[^/\"]+)",
    ),
    fixes=(
        t("Ask the same address with curl on nginx's machine; then open the port in the firewall of Forge's machine"),
    ),
    explains=("not-ready-yet", "proxy-limits", "nginx-no-live-upstreams"),
    confidence=CERTAIN,
    examples=(
        _HEAD
        + "upstream timed out (110: Connection timed out) while connecting to upstream"
        + _TAIL.format("192.168.50.99:7860"),
        _HEAD
        + "connect() failed (113: No route to host) while connecting to upstream"
        + _TAIL.format("192.168.50.99:7860"),
    ),
    near_misses=(
        _HEAD
        + "upstream timed out (110: Connection timed out) while reading response header from upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
)

DENIED = Signature(
    id="nginx-connect-denied",
    severity=ERROR,
    group="nginx",
    page="""The system does not let nginx connect to Forge.

    What happens: 502; in nginx's log "connect() to 127.0.0.1:7860 failed (13: Permission denied)".
    Why: SELinux lets web servers connect to no other program unless told so (Red Hat, Fedora, Rocky, Alma).
    Fix: setsebool -P httpd_can_network_connect 1.
    Source: Red Hat, httpd_selinux(8).
    """,
    summary=t("The system forbids nginx to connect to Forge: most likely SELinux."),
    lines=(rf"connect\(\) (?:to \S+ )?failed \(13: [^)]*\) {_TO}",),
    fixes=(t("Run: sudo setsebool -P httpd_can_network_connect 1"),),
    explains=("not-ready-yet", "nginx-no-live-upstreams"),
    examples=(
        _HEAD
        + "connect() to 127.0.0.1:7860 failed (13: Permission denied) while connecting to upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
    near_misses=('open() "/var/www/x" failed (13: Permission denied)',),
)

SIGNATURES = (REFUSED, LOCALHOST, CLOSED, NO_LIVE, UNREACHABLE, DENIED)
