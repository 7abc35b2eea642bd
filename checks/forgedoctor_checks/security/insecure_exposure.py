from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Launch
from forgedoctor_checks.security._open import exposed, starts, why

_SECRET_PATHS = ("/sdapi/v1/cmd-flags", "/internal/sysinfo", "/internal/sysinfo-download")


@check("insecure-exposure", severity=WARNING, group="security")
def insecure_exposure(launch: Launch | None, endpoint: Endpoint | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """Others can use this Forge, or read its secrets, without a login.

    What happens: whoever reaches the port can make images, load models, read outputs and settings. --gradio-auth
    guards the page only: /sdapi answers without a login, and so do /sdapi/v1/cmd-flags and /internal/sysinfo, which
    show the launch flags.
    Why: --api-auth and --gradio-auth are two separate locks; --nowebui ignores --gradio-auth and is open by default.
    Fix: listen on 127.0.0.1 and reach it through a VPN or a proxy with a login; else give both logins, and limit the
    port to your own network with the firewall.
    Source: recorded answers with each combination of logins; modules/api/api.py, modules/sysinfo.py.
    """
    if launch is None and endpoint is None and exchanges is None:
        raise NotApplicable(t("nothing is known of the launch or the answers"))
    if launch and starts(launch):
        yield from _launched(launch)
    yield from _leaks(launch, exchanges)
    if endpoint and not (launch and starts(launch)):
        yield from _answers(endpoint)


def _launched(launch: Launch) -> Iterator[Finding]:
    if not exposed(launch) or not launch.effective.api or launch.given("api_auth"):
        return
    page_locked = launch.given("gradio_auth", "gradio_auth_path") and launch.effective.mode == "webui"
    summary = t("Anyone who reaches {address} can use the API: there is no login.", address=launch.listens_on)
    if page_locked:
        summary = t("The API is open although the page asks for a login: --gradio-auth does not guard /sdapi.")
    add = [f"--api-auth {fixes.LOGIN}"]
    made = [fixes.change_flags(launch, add=add)]
    if launch.effective.host == "*":
        made.append(fixes.change_flags(launch, add=["--server-name 127.0.0.1"], title=t("Or keep it to this machine:")))
    yield Finding(summary, evidence=[why(launch)], fixes=made, confidence=CERTAIN)


def _leaks(launch: Launch | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    for one in exchanges.exchanges if exchanges else ():
        if one.path in _SECRET_PATHS and one.status == 200:
            yield Finding(
                t("{path} shows the launch flags to anyone who asks, passwords among them.", path=one.path),
                evidence=[Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)],
                fixes=[fixes.advise(t("Add --api-auth, block /internal/ and /sdapi/v1/cmd-flags in a proxy, and change the passwords that were shown"))],
                confidence=CERTAIN if launch and launch.given("gradio_auth", "api_auth") else LIKELY,
            )


def _answers(endpoint: Endpoint) -> Iterator[Finding]:
    probe = endpoint.probe("progress")
    local = endpoint.host in ("localhost", "::1") or endpoint.host.startswith("127.")
    if probe and probe.status == 200 and not local and not endpoint.credentials_sent:
        yield Finding(
            t("The API at {url} answers without a login.", url=endpoint.url),
            evidence=[Evidence(plain(f"GET {probe.path} -> {probe.status}"), endpoint.url)],
            fixes=[fixes.advise(t("Start Forge with --api-auth USER:PASSWORD, or keep the port behind a VPN or a proxy with a login"))],
            confidence=CERTAIN,
        )
