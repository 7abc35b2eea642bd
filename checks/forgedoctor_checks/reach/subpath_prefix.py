from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Endpoint, Launch, Packages
from forgedoctor_checks.launch._words import shown

_CHANGED = (0, 26)  # from this uvicorn on, root_path is taken for a part of every path


@check("subpath-prefix", severity=WARNING, group="reach", explains=["api-flag-missing", "server-half-dead"])
def subpath_prefix(launch: Launch, endpoint: Endpoint | None, packages: Packages | None) -> Iterator[Finding]:
    """--subpath moves no route: with --nowebui it can make every address 404.

    What happens: beside the web UI the routes stay at /, the prefix itself is 404: a proxy must strip it. With
    --nowebui and uvicorn from 0.26 on every address answers 404, with the prefix and without.
    Why: the value is handed on as root_path, whose meaning changed between uvicorn versions; Forge pins none.
    Fix: drop --subpath with --nowebui; let the proxy strip the prefix.
    Source: recorded starts with uvicorn 0.54 and 0.25; tried with 0.26.
    """
    if launch.effective.exit is not None or not launch.given("subpath"):
        return
    dead, uvicorn = _dead(endpoint), _uvicorn(packages)
    if launch.effective.mode == "api-only" and dead is not False and (dead or uvicorn is None or uvicorn >= _CHANGED):
        proof = [Evidence(t("every address that was asked answers 404"), endpoint.url)] if dead and endpoint else []
        if packages and uvicorn:
            version = t("uvicorn {version} is installed", version=packages.packages["uvicorn"])
            proof.append(Evidence(version, packages.venv))
        sure = dead or uvicorn is not None
        yield Finding(
            t("--subpath with --nowebui makes every address answer 404 with uvicorn from 0.26 on."),
            evidence=[shown(launch), *proof],
            fixes=[fixes.change_flags(launch, drop=["--subpath"])],
            severity=ERROR if sure else WARNING,
            confidence=CERTAIN if dead else LIKELY,
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


def _dead(endpoint: Endpoint | None) -> bool | None:
    """Whether all routes are gone; None where nothing was asked or nothing answered."""
    probes = [endpoint.probe(name) for name in ("progress", "openapi")] if endpoint else []
    states = [probe.status for probe in probes if probe and probe.status is not None]
    return all(status == 404 for status in states) if states else None


def _uvicorn(packages: Packages | None) -> tuple[int, ...] | None:
    version = packages.packages.get("uvicorn", "") if packages else ""
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return parts if len(parts) == 2 else None
