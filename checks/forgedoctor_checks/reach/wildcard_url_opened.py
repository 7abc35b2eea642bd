from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, Severity, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Host, Interfaces, Transcript
from forgedoctor_checks.reach._urls import host_of, port_of

_WILD = ("0.0.0.0", "::")
_BROWSER = "ERR_ADDRESS_INVALID"


@check("wildcard-url-opened", severity=WARNING, group="reach")
def wildcard_url_opened(
    endpoint: Endpoint | None,
    exchanges: Exchanges | None,
    transcript: Transcript | None,
    interfaces: Interfaces | None,
    host: Host | None,
) -> Iterator[Finding]:
    """0.0.0.0 was used as an address to open.

    What happens: ERR_ADDRESS_INVALID in the browser, "connection refused" in a program, mostly on Windows; Linux takes
    it for the machine itself.
    Why: Forge prints the address it listens on; 0.0.0.0 means "all of them" and is none to go to.
    Fix: http://127.0.0.1:PORT on the machine itself, its LAN address elsewhere.
    Source: RFC 1122 3.2.1.3; gradio and uvicorn print the bind address.
    """
    if endpoint is None and exchanges is None and transcript is None:
        raise NotApplicable(t("no address was seen"))
    if endpoint and endpoint.host in _WILD:
        reached = any(one.outcome == "answered" for one in endpoint.named("connect"))
        yield _finding(endpoint.url, interfaces, INFO if reached else WARNING)
        return
    for one in exchanges.exchanges if exchanges else ():
        if host_of(one.url) in _WILD and one.error and not (host and host.container):
            yield _finding(one.url, None, ERROR, one.where)
            return
    if transcript:
        yield from _printed(transcript, bool(exchanges and exchanges.exchanges))


def _printed(transcript: Transcript, asked: bool) -> Iterator[Finding]:
    """The address as the log prints it; an error only where a browser is seen to refuse it."""
    url = next((one for one in transcript.listening[-1:] if host_of(one) in _WILD), "")
    refused = next((line for line in transcript.lines if _BROWSER in line.text), None)
    if refused:
        yield _finding(url or "0.0.0.0", None, ERROR, refused.where)
    elif url and not asked:
        yield _finding(url, None, INFO)


def _finding(url: str, interfaces: Interfaces | None, severity: Severity, where: str = "") -> Finding:
    own = interfaces.lan() if interfaces else ()
    scheme, port = ("https" if url.startswith("https:") else "http"), port_of(url)
    fix = t(
        "Open {scheme}://127.0.0.1:{port} on the machine itself, {scheme}://{other}:{port} from others",
        scheme=scheme, port=port, other=own[0] if own else "LAN-ADDRESS",
    )  # fmt: skip
    return Finding(
        t('{url} is no address to open: 0.0.0.0 only means "listens everywhere".', url=url),
        evidence=[Evidence(plain(url), where)],
        fixes=[fixes.advise(fix)],
        severity=severity,
        confidence=LIKELY,
    )
