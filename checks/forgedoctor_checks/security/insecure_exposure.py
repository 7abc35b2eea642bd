from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Fix, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Launch
from forgedoctor_checks.reach._urls import loopback
from forgedoctor_checks.security._open import exposed, starts, why

_SYSINFO = ("/internal/sysinfo", "/internal/sysinfo-download")
_FLAGS = "/sdapi/v1/cmd-flags"


@check("insecure-exposure", severity=WARNING, group="security")
def insecure_exposure(
    launch: Launch | None, endpoint: Endpoint | None, exchanges: Exchanges | None
) -> Iterator[Finding]:
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
    webui = launch.effective.mode == "webui"
    page_locked = webui and launch.given("gradio_auth", "gradio_auth_path")
    if not exposed(launch) or (launch.given("api_auth") if launch.effective.api else page_locked):
        return
    address, locks = launch.listens_on, [f"--api-auth {fixes.LOGIN}"]
    summary = t("Anyone who reaches {address} can use the API: there is no login.", address=address)
    if webui and not page_locked and launch.effective.api:
        locks.append(f"--gradio-auth {fixes.LOGIN}")
        summary = t("Anyone who reaches {address} can use the API and the page: there is no login.", address=address)
    if not launch.effective.api:
        locks = [f"--gradio-auth {fixes.LOGIN}"]
        summary = t("Anyone who reaches {address} can use the page: there is no login.", address=address)
    elif page_locked:
        summary = t("The API is open although the page asks for a login: --gradio-auth does not guard /sdapi.")
    fix = fixes.change_flags(launch, add=locks)
    yield Finding(summary, evidence=[why(launch)], fixes=[fix, *_keep_local(launch)], confidence=CERTAIN)


def _keep_local(launch: Launch) -> Iterator[Fix]:
    title = t("Or keep it to this machine:")
    if launch.effective.mode == "api-only":
        yield fixes.change_flags(launch, drop=["--listen"], add=["--server-name 127.0.0.1"], title=title)
    elif launch.given("listen", "server_name"):
        yield fixes.change_flags(launch, drop=["--listen", "--server-name"], title=title)


def _leaks(launch: Launch | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """Secrets that were seen to be given out; where a login was meant to guard them, that is a fault."""
    for one in exchanges.exchanges if exchanges else ():
        if one.status != 200 or one.path not in (*_SYSINFO, _FLAGS):
            continue
        summary = t("{path} shows the launch flags to anyone who asks, passwords among them.", path=one.path)
        if one.path != _FLAGS:
            template = (
                "{path} shows flags, settings and environment to anyone who asks, a password in COMMANDLINE_ARGS too."
            )
            summary = t(template, path=one.path)
        meant = bool(launch and launch.given("gradio_auth", "gradio_auth_path", "api_auth"))
        asked = bool(launch and launch.given("api_auth")) and one.path == _FLAGS  # the right login may have been sent
        cure = t("Add --api-auth, block /internal/ and /sdapi/v1/cmd-flags in a proxy, and change the passwords shown")
        yield Finding(
            summary,
            evidence=[Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)],
            fixes=[fixes.advise(cure)],
            severity=ERROR if meant and not asked else WARNING,
            confidence=CERTAIN if meant else LIKELY,
        )


def _answers(endpoint: Endpoint) -> Iterator[Finding]:
    probe = endpoint.probe("progress")
    if probe and probe.status == 200 and not loopback(endpoint.host) and not endpoint.credentials_sent:
        lock = t("Start Forge with --api-auth USER:PASSWORD, or keep the port behind a VPN or a proxy with a login")
        yield Finding(
            t("The API at {url} answers without a login.", url=endpoint.url),
            evidence=[Evidence(plain(f"GET {probe.path.split('?')[0]} -> {probe.status}"), endpoint.url)],
            fixes=[fixes.advise(lock)],
            confidence=CERTAIN,
        )
