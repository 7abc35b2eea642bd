from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import ERROR, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Exchanges, Host, Interfaces, Transcript

_WILD = ("0.0.0.0", "::")


@check("wildcard-url-opened", severity=WARNING, group="reach")
def wildcard_url_opened(
    endpoint: Endpoint | None, exchanges: Exchanges | None, transcript: Transcript | None, interfaces: Interfaces | None, host: Host | None
) -> Iterator[Finding]:
    """0.0.0.0 was used as an address to open.

    What happens: ERR_ADDRESS_INVALID in the browser, "connection refused" in a program, mostly on Windows.
    Why: Forge prints the address it listens on; 0.0.0.0 means "all of them" and is none to go to.
    Fix: http://127.0.0.1:PORT on the machine itself, its LAN address elsewhere.
    Source: RFC 1122 3.2.1.3; gradio and uvicorn print the bind address.
    """
    if endpoint is None and exchanges is None and transcript is None:
        raise NotApplicable(t("no address was seen"))
    if endpoint and endpoint.host in _WILD:
        yield _finding(endpoint.url, endpoint.port, interfaces, WARNING)
        return
    for one in exchanges.exchanges if exchanges else ():
        parts = urlsplit(f"//{one.url.split('://')[-1]}")
        if parts.hostname in _WILD and one.error and not (host and host.container):
            yield _finding(one.url, parts.port or 7860, None, ERROR, one.where)
            return
    for url in transcript.listening[-1:] if transcript else ():
        if urlsplit(url).hostname in _WILD and not (exchanges and exchanges.exchanges):
            yield _finding(url, urlsplit(url).port or 7860, None, INFO)


def _finding(url: str, port: int, interfaces: Interfaces | None, severity: object, where: str = "") -> Finding:
    own = interfaces.lan() if interfaces else ()
    other = own[0] if own else "LAN-ADDRESS"
    return Finding(
        t("{url} is no address to open: 0.0.0.0 only means \"listens everywhere\".", url=url),
        evidence=[Evidence(plain(url), where)],
        fixes=[fixes.advise(t("Open http://127.0.0.1:{port} on the machine itself, http://{other}:{port} from others", port=port, other=other))],
        severity=ERROR if severity is ERROR else INFO if severity is INFO else WARNING,
        confidence=LIKELY,
    )
