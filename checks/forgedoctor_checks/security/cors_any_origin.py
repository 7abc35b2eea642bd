from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Launch
from forgedoctor_checks.launch._words import shown

_STRANGERS = ("https://stranger.example", "http://192.0.2.7:8080", "null")


@check("cors-any-origin", severity=WARNING, group="security")
def cors_any_origin(launch: Launch | None, endpoint: Endpoint | None) -> Iterator[Finding]:
    """Any web page that you visit may call this API from your browser.

    What happens: a hostile page sends requests to your Forge, with your login, and reads the answers.
    Why: --cors-allow-origins=* (or a regular expression that fits all) says so; beside Forge's web UI these flags have
    no effect, and gradio's own rule lets every origin in as soon as the address is not a loopback one.
    Fix: name the one origin that needs it, without a slash at the end.
    Source: modules/initialize_util.py configure_cors_middleware; answers tried with gradio 4.40.
    """
    if launch is None and endpoint is None:
        raise NotApplicable(t("nothing is known of the launch or the answers"))
    name = _open_to_all(launch) if launch and launch.effective.exit is None else ""
    if launch and name:
        value = launch.option(name[2:].replace("-", "_"))
        add = ["--cors-allow-origins http://localhost:3000"]
        title = t("Name the page's own origin, for instance:")
        yield Finding(
            t("{flag} {value} lets every web page call this API.", flag=name, value=value),
            evidence=[shown(launch)],
            fixes=[fixes.change_flags(launch, drop=[name], add=add, title=title)],
            confidence=CERTAIN,
        )
        return
    probe = endpoint.probe("cors") if endpoint else None
    allowed = probe.headers.get("access-control-allow-origin", "") if probe else ""
    if endpoint and ("forgedoctor.invalid" in allowed or allowed == "*"):
        guard = t("Use it from pages you trust only, or put a proxy in front that answers OPTIONS itself")
        yield Finding(
            t("The server lets any web page call it from a browser (CORS)."),
            evidence=[Evidence(plain(f"access-control-allow-origin: {allowed}"), endpoint.url)],
            fixes=[fixes.advise(guard)],
            severity=INFO,
            confidence=CERTAIN,
        )


def _open_to_all(launch: Launch) -> str:
    """The flag that lets every origin in, where this fork and mode heed it."""
    dead = {one.flag for one in launch.effective.ignored}
    for name in ("--cors-allow-origins", "--cors-allow-origins-regex"):
        value = launch.option(name[2:].replace("-", "_"))
        if value and not any(name.startswith(flag) for flag in dead) and _fits_all(name, value):
            return name
    return ""


def _fits_all(name: str, value: str) -> bool:
    if name == "--cors-allow-origins":
        return "*" in [one.strip() for one in value.split(",")]
    try:
        return all(re.fullmatch(value, origin) for origin in _STRANGERS[:2])
    except re.error:
        return False
