"""What nginx writes when it cannot start.

Source: lines recorded from nginx 1.22.1.
"""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, t
from forgedoctor.signature import Signature

_EMERG = r"\[emerg\] (?:\d+#\d+: )?"
_HEAD = "2026/01/31 12:00:00 [error] 7#7: *1 "

CANNOT_BIND = Signature(
    id="nginx-cannot-bind",
    severity=ERROR,
    group="nginx",
    page="""nginx itself does not get its port.

    What happens: "[emerg] bind() to 0.0.0.0:80 failed", five tries in 2.5 seconds, "still could not bind()"; nginx does
    not start. nginx -t does not notice.
    Why: another program has the port (Apache, IIS, a second nginx, Forge itself), or it is below 1024 and nginx was
    started without the right.
    Fix: end the other program, or another port in listen; start nginx as root (Windows: administrator).
    Source: recorded from nginx 1.22.1.
    """,
    summary=t("nginx cannot listen on {where}: another program has that port."),
    lines=(rf"{_EMERG}bind\(\) to (?P<where>\S+) failed \((?:98|48|10048): ",),
    fixes=(
        t("End the program that holds it (Windows: netstat -ano; Linux: ss -ltnp), or name another port in listen"),
    ),
    explains=("port-in-use", "endpoint-unreachable"),
    confidence=CERTAIN,
    examples=(
        "nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)",
        "2026/01/31 12:00:00 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)",
    ),
    near_misses=("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",),
)

MAY_NOT_BIND = Signature(
    id="nginx-cannot-bind",
    severity=ERROR,
    group="nginx",
    summary=t("nginx may not listen on {where}: it needs administrator rights, or the system keeps that port."),
    lines=(rf"{_EMERG}bind\(\) to (?P<where>\S+) failed \((?:13|10013): ",),
    fixes=(t("Start nginx as root (Windows: as administrator), or name a port from 1024 up in listen"),),
    explains=("windows-port-reserved", "port-privileged"),
    confidence=CERTAIN,
    examples=("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",),
    near_misses=("nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)",),
)

UNRESOLVABLE = Signature(
    id="nginx-upstream-unresolvable",
    severity=ERROR,
    group="nginx",
    page="""nginx cannot find the machine that proxy_pass names.

    What happens: nginx does not start at all: "[emerg] host not found in upstream"; or, with a variable in proxy_pass,
    502 and "could not be resolved", "no resolver defined".
    Why: the name is wrong, or (in Docker) the other container is not up yet or in another network. nginx looks a name
    up once, when it starts.
    Fix: the right name or an address; in compose the service's name and depends_on; with a variable also resolver.
    Source: recorded from nginx 1.22.1; nginx.org, resolver.
    """,
    summary=t("nginx cannot find {name}, which its configuration names: a wrong name, or a container that is not up."),
    lines=(
        rf"{_EMERG}host not found in upstream \"(?P<name>[^\"]+)\"",
        r"\d+#\d+: \*\d+ (?P<name>\S+) could not be resolved \(",
        r"no resolver defined to resolve (?P<name>[^\s,]+)",
    ),
    fixes=(
        t("Correct the name, or write an address; in Docker both need one network, and nginx must start after Forge"),
    ),
    explains=("not-ready-yet", "nginx-config-broken"),
    confidence=CERTAIN,
    examples=(
        'nginx: [emerg] host not found in upstream "forge" in /etc/nginx/conf.d/sd.conf:22',
        _HEAD + "forge could not be resolved (3: Host not found), client: 10.0.0.5",
        _HEAD + "no resolver defined to resolve forge, client: 10.0.0.5",
    ),
    near_misses=("Could not resolve host: forge",),
)

BROKEN = Signature(
    id="nginx-config-broken",
    severity=ERROR,
    group="nginx",
    summary=t("nginx cannot read its configuration: {why}"),
    lines=(rf"{_EMERG}(?P<why>(?!host not found in upstream|bind\(\)).+ in \S+:\d+)\s*$",),
    fixes=(t("Mend that line, then ask nginx -t"),),
    confidence=CERTAIN,
    examples=('nginx: [emerg] unexpected "}" in /etc/nginx/sites-enabled/sd:12',),
    near_misses=('nginx: [emerg] host not found in upstream "forge" in /etc/nginx/conf.d/sd.conf:22',),
)

SIGNATURES = (CANNOT_BIND, MAY_NOT_BIND, UNRESOLVABLE, BROKEN)
