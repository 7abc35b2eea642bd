from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, check, plain, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import answered, behind_proxy, line, looks_like_forge, server, told

# What other programs of the field say of themselves on their first page.
_KNOWN = {"comfyui": "ComfyUI", "ollama is running": "Ollama", "invokeai": "InvokeAI", "fooocus": "Fooocus", "open webui": "Open WebUI", "sd.next": "SD.Next", "swarmui": "SwarmUI"}


@check("wrong-program-on-port", severity=ERROR, group="endpoint")
def wrong_program_on_port(endpoint: Endpoint) -> Iterator[Finding]:
    """Another program answers on this port.

    What happens: 404 on every /sdapi address, or bytes that are no HTTP at all.
    Why: the port is another program's (ComfyUI, a web server, SSH), or Forge moved to the next port when it started.
    Fix: use the port that Forge printed, or end the other program.
    Source: the programs' own first pages.
    """
    alien = next((probe for probe in endpoint.probes if probe.outcome == "not-http"), None)
    if alien and not answered(endpoint):
        yield Finding(
            t("The program on {where} does not speak HTTP.", where=f"{endpoint.host}:{endpoint.port}"),
            evidence=[Evidence(plain(line(alien)), endpoint.url)],
            fixes=[fixes.advise(t("Use the port that Forge printed as \"Running on local URL\""))],
            confidence=CERTAIN,
        )
        return
    page = endpoint.probe("page")
    if page is None or page.status is None or looks_like_forge(endpoint) or page.status >= 500 or page.status in (301, 302, 307, 308, 401, 403, 407):
        return
    progress = endpoint.probe("progress")
    if progress is None or progress.status != 404 or endpoint.routes is not None:
        return
    name = next((shown for word, shown in _KNOWN.items() if word in page.body.lower()), "")
    said = server(endpoint)
    evidence = told(endpoint, "page", "progress")
    if said:
        evidence.append(Evidence(plain(f"server: {said}"), endpoint.url))
    if not name and page.status == 404 and not behind_proxy(endpoint):
        return  # an API-only server under a prefix answers so as well: nothing says whose it is
    yield Finding(
        t("{name} answers on this port, not Forge.", name=name) if name else t("Another program answers on this port, not Forge."),
        evidence=evidence,
        fixes=[fixes.advise(t("Use the port that Forge printed as \"Running on local URL\""))],
        confidence=CERTAIN if name else LIKELY,
    )
