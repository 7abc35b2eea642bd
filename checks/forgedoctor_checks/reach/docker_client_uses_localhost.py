from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, POSSIBLE, Evidence, Finding, check, plain, t
from forgedoctor.facts import Exchanges, Host
from forgedoctor_checks.reach._urls import host_of, loopback, port_of


@check(
    "docker-client-uses-localhost", severity=ERROR, group="reach", explains=["wildcard-url-opened", "client-wrong-url"]
)
def docker_client_uses_localhost(exchanges: Exchanges, host: Host) -> Iterator[Finding]:
    """The client runs in a container and calls localhost, which is the container itself.

    What happens: "connection refused" to 127.0.0.1:7860 from the client in the container, while the same address works
    in a browser of the host.
    Why: each container has a loopback address of its own.
    Fix: http://host.docker.internal:7860 (on Linux with extra_hosts: host.docker.internal:host-gateway), or the host's
    LAN address; Forge itself needs --listen then.
    Source: Docker networking documentation.
    """
    if not host.container:
        return
    for one in exchanges.exchanges:
        name = host_of(one.url)
        if one.error == "refused" and (not name or loopback(name) or name == "0.0.0.0"):
            url = f"http://host.docker.internal:{port_of(one.url)}"
            linux = t(
                'On Linux the client\'s compose service needs this besides: extra_hosts: ["host.docker.internal:host-gateway"]'
            )
            yield Finding(
                t("The client calls its own container: localhost there is not the machine that runs Forge."),
                evidence=[Evidence(plain(one.detail), one.where)],
                fixes=[
                    fixes.advise(t("Give the client {url}, and start Forge with --listen", url=url)),
                    fixes.advise(linux),
                ],
                confidence=LIKELY if name else POSSIBLE,
            )
            return
