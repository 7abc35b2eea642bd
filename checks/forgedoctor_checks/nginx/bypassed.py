from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import Host, Launch, LaunchFiles, Nginx
from forgedoctor.facts.nginx import is_local
from forgedoctor_checks.nginx import _conf


@check("nginx-bypassed", severity=INFO, group="nginx")
def bypassed(nginx: Nginx, launch: Launch | None, host: Host | None, files: LaunchFiles | None) -> Iterator[Finding]:
    """Forge can be reached beside nginx, without its encryption or its login.

    What happens: http://THIS-MACHINE:7860 answers everybody in the network, although nginx asks for a password or
    encrypts.
    Why: --listen, and --nowebui without --server-name, open Forge on every address of the machine; nginx on the same
    machine needs 127.0.0.1 only.
    Fix: drop --listen, or --server-name 127.0.0.1.
    Source: recorded starts; modules/api/api.py launch.
    """
    if launch is None or not launch.seen or launch.effective.exit is not None:
        raise NotApplicable(t("how Forge listens is not known"))
    if launch.loopback or (host and host.container):
        return
    beside = [one for one in nginx.locations if one.hosts and all(is_local(name) for name, _ in one.hosts)]
    login = next((one for one in beside if one.guards), None)
    guarded = login or next((one for one in beside if one.tls), None)
    if guarded is None:
        return
    own_login = launch.given("api_auth", "gradio_auth")
    if login and not own_login:
        summary = t(
            "nginx asks for a login, and Forge can be reached beside it without one, on {where}.",
            where=launch.listens_on,
        )
    else:
        summary = t(
            "nginx encrypts, and Forge can be reached beside it in the clear, on {where}.", where=launch.listens_on
        )
    what = Evidence(t("nginx guards it with {what}", what=", ".join(guarded.guards) or "ssl"), str(guarded.at))
    drop = [flag for flag, dest in (("--listen", "listen"), ("--server-name", "server_name")) if launch.given(dest)]
    add = ["--server-name 127.0.0.1"] if launch.effective.mode == "api-only" else []
    yield Finding(
        summary,
        evidence=[
            Evidence(t("Forge listens on {where}", where=launch.listens_on), launch.origin),
            what,
            _conf.passes(guarded),
        ],
        fixes=[
            fixes.change_flags(launch, add=add, drop=drop, files=files, title=t("Let Forge listen for nginx alone:"))
        ],
        severity=WARNING if login and not own_login else INFO,
        confidence=CERTAIN if launch.running else LIKELY,
    )
