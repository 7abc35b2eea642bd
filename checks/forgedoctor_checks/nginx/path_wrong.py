from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Message, Step, Undecided, check, t
from forgedoctor.facts import Host, Nginx
from forgedoctor.proxies.model import Location
from forgedoctor.proxies.paths import passed, prefix
from forgedoctor_checks.nginx import _conf


@check(
    "nginx-path-wrong",
    severity=ERROR,
    group="nginx",
    explains=["api-flag-missing", "api-not-seen", "server-half-dead", "client-wrong-url", "wrong-program-on-port"],
)
def path_wrong(nginx: Nginx, host: Host | None) -> Iterator[Finding]:
    """nginx asks Forge for another path than it has: a doubled slash, a prefix kept, or one taken away.

    What happens: 404 {"detail":"Not Found"} through nginx, while Forge answers on its own port.
    Why: with a path in proxy_pass (a slash at the end is one) nginx puts it in place of what the location matches,
    letter by letter; without one it passes the whole address on. Forge has its routes at / and nowhere else, also with
    --subpath.
    Fix: for a prefix, a slash at the end of both: location /forge/ with proxy_pass http://127.0.0.1:7860/; for / or
    /sdapi/ no path in proxy_pass.
    Source: nginx.org, proxy_pass; measured with nginx 1.22.1; recorded starts with --subpath.
    """
    unclear = None
    for one in nginx.locations:
        way = passed(one)
        if way is None:
            unclear = unclear or one
        elif way[1] != way[2]:
            asked, got, wanted = way
            yield Finding(
                _summary(one, got),
                evidence=[_conf.passes(one), Evidence(t("{asked} becomes {got}; Forge has {wanted}", asked=asked, got=got, wanted=wanted))],
                fixes=[_conf.fix(nginx, host, _steps(one))],
                confidence=CERTAIN,
            )  # fmt: skip
    if unclear and unclear.modifier not in ("~", "~*", "="):
        raise Undecided(
            t("{place} uses variables or rewrites, so which path reaches Forge cannot be read off", place=str(unclear.pass_at)),
            t("compare curl -i of nginx's address with the same path on Forge's own port"),
        )  # fmt: skip


def _summary(location: Location, got: str) -> Message:
    if got.startswith("//") or (location.uri and "//" in got):
        return t("nginx asks Forge for {path}, with a doubled slash: every address is 404.", path=got)
    if prefix(location) and location.uri is None:
        return t("nginx leaves {prefix} in the address, and Forge has nothing there.", prefix=prefix(location))
    if not got.startswith("/sdapi") and not prefix(location):
        return t("nginx takes {path} off the address, which is Forge's own.", path=location.path)
    return t("nginx asks Forge for {path}, which it does not have.", path=got)


def _steps(location: Location) -> Iterator[Step]:
    """Both lines as they belong: for a prefix a slash at the end of each, else no path."""
    base = location.target[: len(location.target) - len(location.uri or "")]
    public = prefix(location)
    if public:
        modifier = f"{location.modifier} " if location.modifier else ""
        if not location.path.endswith("/"):
            yield _conf.changed(location.at, f"location {modifier}{public}/ {{")
        if location.uri != "/":
            yield _conf.changed(location.pass_at, f"proxy_pass {base}/;")
    else:
        yield _conf.changed(location.pass_at, f"proxy_pass {base};")
