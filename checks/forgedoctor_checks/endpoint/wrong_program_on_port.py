from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Message, check, plain, t
from forgedoctor.facts import Endpoint, Probe
from forgedoctor_checks.endpoint._seen import kind, line, server, title, told, where

# What other programs of the field call themselves in their page's title or their /openapi.json.
_KNOWN = {
    "comfyui": "ComfyUI",
    "ollama": "Ollama",
    "invoke": "InvokeAI",
    "fooocus": "Fooocus",
    "open webui": "Open WebUI",
    "sd.next": "SD.Next",
    "swarmui": "SwarmUI",
}
_WEB_SERVERS = ("nginx", "openresty", "apache", "caddy", "microsoft-iis", "lighttpd", "litespeed", "traefik")
_OTHER_PORT = t(
    'Use the port that Forge printed: "Running on local URL" or "Uvicorn running on"; it takes the next one when its own is taken'
)


@check("wrong-program-on-port", severity=ERROR, group="endpoint", explains=["api-flag-missing"])
def wrong_program_on_port(endpoint: Endpoint) -> Iterator[Finding]:
    """Another program answers on this port.

    What happens: 404 on every /sdapi address, an answer that is not Forge's, or bytes that are no HTTP at all.
    Why: the port is another program's (ComfyUI, a web server, SSH), or Forge moved to the next port when it started.
    Fix: use the port that Forge printed, or end the other program.
    Source: the programs' own first pages; recorded answers of Forge.
    """
    state = kind(endpoint)
    if state == "not-http":
        alien = next(probe for probe in endpoint.probes if probe.outcome == "not-http")
        yield Finding(
            t("The program on {where} does not speak HTTP.", where=where(endpoint)),
            evidence=[Evidence(plain(_banner(alien)), endpoint.url)],
            fixes=[fixes.advise(_OTHER_PORT)],
            confidence=CERTAIN,
        )
    elif state == "other-program":
        yield _other(endpoint)


def _banner(alien: Probe) -> str:
    words = " ".join(alien.body.split())[:120]
    return f'it says: "{words}"' if words else line(alien)


def _other(endpoint: Endpoint) -> Finding:
    said = server(endpoint)
    name = _name(endpoint)
    evidence = told(endpoint, "page", "progress")
    if said:
        evidence.append(Evidence(plain(f"server: {said}"), endpoint.url))
    made = [fixes.advise(_OTHER_PORT)]
    if not name and _web_server(said):
        made.append(
            fixes.advise(
                t("If it should stand in front of Forge: pass /sdapi/, /internal/ and / on to Forge's own port")
            )
        )
    return Finding(
        _summary(endpoint, name, said),
        evidence=evidence,
        fixes=made,
        confidence=CERTAIN if name else LIKELY,
    )


def _summary(endpoint: Endpoint, name: str, said: str) -> Message:
    if name:
        return t("{name} answers on this port, not Forge.", name=name)
    if _web_server(said):
        return t("{name} answers on this port and hands nothing on to Forge.", name=said.partition("/")[0])
    if endpoint.gradio:
        return t("Another gradio program answers on this port, not Forge.")
    return t("Another program answers on this port, not Forge.")


def _name(endpoint: Endpoint) -> str:
    page = endpoint.probe("page")
    called = f"{title(page) if page else ''} {endpoint.openapi_title}".lower()
    return next((shown for word, shown in _KNOWN.items() if word in called), "")


def _web_server(said: str) -> bool:
    return said.lower().startswith(_WEB_SERVERS)
