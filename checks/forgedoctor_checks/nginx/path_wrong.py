from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Message, Step, Undecided, check, t
from forgedoctor.facts import Host, Nginx
from forgedoctor.proxies.model import Location
from forgedoctor.proxies.paths import as_it_is, beginning, passed, prefix
from forgedoctor_checks.nginx import _conf

_EXACT = ("~", "~*", "=")


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
    found = list(_wrong(nginx, host))
    yield from _conf.capped(nginx, found)
    unclear = [one for one in nginx.locations if passed(one) is None and (one.variables or one.modifier not in _EXACT)]
    if not unclear or found:
        return
    place = str(unclear[0].pass_at)
    if unclear[0].lost:
        reason = t(
            "nothing that was read leads to {name} at {place}, so which path reaches Forge is not known",
            name=unclear[0].named,
            place=place,
        )
    else:
        reason = t("{place} uses variables or rewrites, so which path reaches Forge cannot be read off", place=place)
    raise Undecided(
        reason,
        t("ask for /sdapi/v1/progress through nginx with curl -i, with and without its prefix: 404 with \"Not Found\" says that another path arrived; Forge's console shows it (with --api-log)"),
    )  # fmt: skip


def _wrong(nginx: Nginx, host: Host | None) -> Iterator[Finding]:
    for one in nginx.locations:
        asked, got, wanted = passed(one) or ("", "", "")
        if got != wanted:
            yield Finding(
                _summary(one, got),
                evidence=[_conf.passes(one), Evidence(t("{asked} becomes {got}; Forge has {wanted}", asked=asked, got=got, wanted=wanted))],
                fixes=[_conf.fix(nginx, host, _steps(one))],
                confidence=CERTAIN,
            )  # fmt: skip


def _summary(location: Location, got: str) -> Message:
    if got.startswith("//") or (location.uri and "//" in got):
        return t("nginx asks Forge for {path}, with a doubled slash: every address is 404.", path=got)
    public = prefix(location) or beginning(location)
    if public and (location.uri is None or as_it_is(location)):
        return t("nginx leaves {prefix} in the address, and Forge has nothing there.", prefix=public)
    if not got.startswith("/sdapi") and not prefix(location):
        return t("nginx takes {path} off the address, which is Forge's own.", path=location.path)
    return t("nginx asks Forge for {path}, which it does not have.", path=got)


def _steps(location: Location) -> Iterator[Step]:
    """Both lines as they belong: for a prefix a slash at the end of each, else no path."""
    base = location.target[: len(location.target) - len(location.uri or "")]
    public = prefix(location) or beginning(location)
    if location.named or location.modifier in _EXACT:  # nginx allows no path in proxy_pass there, or only one address
        cut = f"rewrite ^{public}/(.*)$ /$1 break;\n" if public else ""
        yield _conf.changed(location.pass_at, f"{cut}proxy_pass {base};")
    elif public:
        modifier = f"{location.modifier} " if location.modifier else ""
        if not location.path.endswith("/"):
            yield _conf.changed(location.at, f"location {modifier}{public}/ {{")
        if location.uri != "/":
            yield _conf.changed(location.pass_at, f"proxy_pass {base}/;")
    else:
        yield _conf.changed(location.pass_at, f"proxy_pass {base};")
