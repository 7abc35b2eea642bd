from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint, Launch
from forgedoctor_checks.launch._words import shown


@check("subpath-prefix", severity=WARNING, group="reach", explains=["api-flag-missing", "server-half-dead"])
def subpath_prefix(launch: Launch, endpoint: Endpoint | None) -> Iterator[Finding]:
    """--subpath moves no route: with --nowebui it can make every address 404.

    What happens: beside the web UI the routes stay at /, the prefix itself is 404: a proxy must strip it. With
    --nowebui and a recent uvicorn every address answers 404, with the prefix and without.
    Why: the value is handed on as root_path, whose meaning changed between uvicorn versions; Forge pins none.
    Fix: drop --subpath with --nowebui; let the proxy strip the prefix.
    Source: recorded starts with uvicorn 0.54 and 0.25.
    """
    if launch.effective.exit is not None or not launch.given("subpath"):
        return
    dead = endpoint is not None and all(
        probe is None or probe.status in (404, None) for probe in (endpoint.probe("progress"), endpoint.probe("openapi"), endpoint.probe("page"))
    )
    if launch.effective.mode == "api-only":
        answered = endpoint is not None and any(probe.status == 404 for probe in endpoint.probes)
        if endpoint and not dead:
            return
        yield Finding(
            t("--subpath with --nowebui makes every address answer 404 with recent uvicorn versions."),
            evidence=[shown(launch), *([Evidence(t("every address that was asked answers 404"), endpoint.url)] if endpoint and answered else [])],
            fixes=[fixes.change_flags(launch, drop=["--subpath"])],
            severity=ERROR if answered else WARNING,
            confidence=CERTAIN if answered else LIKELY,
        )
    else:
        name = launch.option("subpath").strip("/")
        yield Finding(
            t("--subpath moves no route: /{name}/… is 404 here; a proxy in front must strip it.", name=name),
            evidence=[shown(launch)],
            fixes=[fixes.advise(t("Ask this Forge without the prefix, and let the proxy strip /{name}", name=name))],
            severity=INFO,
            confidence=CERTAIN,
        )
