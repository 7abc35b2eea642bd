from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Launch
from forgedoctor_checks.launch._words import shown

_ANY = ("*", ".*", "https?://.*", "^.*$")


@check("cors-any-origin", severity=WARNING, group="security")
def cors_any_origin(launch: Launch | None, endpoint: Endpoint | None) -> Iterator[Finding]:
    """Any web page that you visit may call this API from your browser.

    What happens: a hostile page sends requests to your Forge, with your login, and reads the answers.
    Why: --cors-allow-origins=* (or a regular expression that fits all) says so; beside the web UI, gradio's own rule
    lets every origin in as soon as the address is not a loopback one.
    Fix: name the one origin that needs it, without a slash at the end.
    Source: modules/initialize_util.py configure_cors_middleware; answers tried with gradio 4.40.
    """
    if launch is None and endpoint is None:
        raise NotApplicable(t("nothing is known of the launch or the answers"))
    if launch and launch.effective.exit is None and launch.effective.mode == "api-only":
        for dest in ("cors_allow_origins", "cors_allow_origins_regex"):
            value = launch.option(dest)
            if value in _ANY or "*" in value.split(","):
                name = "--" + dest.replace("_", "-")
                yield Finding(
                    t("{flag} {value} lets every web page call this API.", flag=name, value=value),
                    evidence=[shown(launch)],
                    fixes=[fixes.change_flags(launch, drop=[name], add=["--cors-allow-origins http://localhost:3000"], title=t("Name the page's own origin, for instance:"))],
                    confidence=CERTAIN,
                )
                return
    probe = endpoint.probe("cors") if endpoint else None
    allowed = probe.headers.get("access-control-allow-origin", "") if probe else ""
    if endpoint and "forgedoctor.invalid" in allowed or endpoint and allowed == "*":
        yield Finding(
            t("The server lets any web page call it from a browser (CORS)."),
            evidence=[Evidence(plain(f"access-control-allow-origin: {allowed}"), endpoint.url)],
            fixes=[fixes.advise(t("Use it from pages you trust only, or put a proxy in front that answers OPTIONS itself"))],
            severity=INFO,
            confidence=CERTAIN,
        )
