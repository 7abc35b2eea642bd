from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, LIKELY, POSSIBLE, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Nginx
from forgedoctor.facts.nginx import is_local
from forgedoctor.proxies.model import Location
from forgedoctor_checks.nginx import _conf


@check("nginx-open-to-all", severity=INFO, group="nginx")
def open_to_all(nginx: Nginx, launch: Launch | None) -> Iterator[Finding]:
    """Whoever reaches nginx can use Forge: no login, no list of addresses, no limit.

    What happens: strangers generate, read and change settings, where this machine can be reached from the internet.
    Why: nginx asks nobody unless told so, and Forge was not given a login of its own.
    Fix: auth_basic in nginx, or --api-auth and for the page --gradio-auth in Forge; not both: they use the same
    header. Or allow and deny for a home network.
    Source: nginx.org, ngx_http_auth_basic_module, ngx_http_access_module.
    """
    if launch and launch.given("api_auth", "gradio_auth"):
        return
    for one in nginx.locations:
        if not one.guards and not one.limits and _public(one):
            listens = ", ".join(f"{listen.address or '*'}:{listen.port}" for listen in one.listens[:4])
            flags = " ".join(f"{flag} {fixes.LOGIN}" for flag in _logins(launch))
            yield Finding(
                t("Whoever reaches nginx can use Forge: there is no login, no list of addresses and no limit."),
                evidence=[Evidence(t("nginx listens on {where}", where=listens), str(one.at)), _conf.passes(one)],
                fixes=[
                    fixes.advise(
                        t("Put auth_basic and auth_basic_user_file into that location, or start Forge with {flags}", flags=flags)
                    )
                ],
                confidence=LIKELY if launch and nginx.complete else POSSIBLE,
            )  # fmt: skip
            return


def _logins(launch: Launch | None) -> Iterator[str]:
    """The flags that guard all that is served: one for the API, one for the page."""
    page = _conf.page_is_served(launch) is not False
    if _conf.api_is_served(launch) is not False or not page:
        yield "--api-auth"
    if page:
        yield "--gradio-auth"


def _public(location: Location) -> bool:
    others = [one.address for one in location.listens if not one.address.startswith("unix:")]
    return any(not address or not is_local(address) for address in others)
