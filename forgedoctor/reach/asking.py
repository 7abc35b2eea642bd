"""The client's side: try every address of a host in turn, and find out who answers. It collects; it does not judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from forgedoctor.facts._network import place_of
from forgedoctor.facts._probe import Crew, Deadline, Exchange, Probe
from forgedoctor.facts._url import Url
from forgedoctor.reach.caller import Surroundings
from forgedoctor.reach.page import PROBE_PATH, Reply, read_reply
from forgedoctor.reach.request import shown
from forgedoctor.reach.symptom import Symptom, kind_of

if TYPE_CHECKING:
    from forgedoctor.facts._http import Ask, Client

_PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
_FAMILY = re.compile(r'"og:title" content="Stable Diffusion"|"title": ?"Stable Diffusion"')
_TITLE = re.compile(r"<title>([^<]{1,200})</title>", re.IGNORECASE)
_GATEWAY = frozenset({502, 503, 504, *range(520, 528), 530})  # RFC 9110, 15.6.3 to 15.6.5; Cloudflare's 52x


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One address: what connecting came to, and who answered there: forge, reach, nginx, other, or empty.

    ``name``: what the program calls itself; ``detail``: the system's words for a failure.
    """

    address: str
    symptom: Symptom
    answered: str = ""
    name: str = ""
    detail: str = ""
    reply: Reply | None = None


def attempts(url: Url, timeout: float, around: Surroundings) -> Iterator[Attempt]:
    """Try the addresses one after the other, each with ``timeout`` seconds for each step. A name without any is one.

    One after the other, as what firewalls answer is limited to about one message a second for each client.
    """
    from forgedoctor.facts._connect import resolve

    addresses, unresolved = resolve(url, Deadline(timeout))
    if unresolved:
        kind, error = kind_of(unresolved.outcome, unresolved.stage, unresolved.detail)
        symptom = Symptom(
            kind=kind, error=error, client=around.system, inside=around.inside, elapsed=unresolved.elapsed
        )
        yield Attempt(address="", symptom=symptom, detail=unresolved.detail)
    for address in addresses:
        yield _Visit(url, address, timeout, around).attempt()


def _symptom(probe: Probe, address: str, around: Surroundings, kind: Any = None) -> Symptom:
    found, error = kind_of(probe.outcome, probe.stage, probe.detail)
    return Symptom(
        kind=kind or found,
        family="ipv6" if ":" in address else "ipv4",
        elapsed=probe.elapsed,
        place=place_of(address, around.owns),
        client=around.system,
        inside=around.inside,
        error=error,
    )


class _Visit:
    """The questions to a port that takes connections: a test page of ours? a Forge? who else?"""

    def __init__(self, url: Url, address: str, timeout: float, around: Surroundings) -> None:
        self.url, self.address, self.timeout, self.around = url, address, timeout, around

    def attempt(self) -> Attempt:
        """What answers at this address. The first question is also the attempt to connect."""
        first = self._ask(self.url, "reach", PROBE_PATH)
        if first.status is None and first.probe.stage == "connect":
            return Attempt(
                address=self.address,
                symptom=_symptom(first.probe, self.address, self.around),
                detail=first.probe.detail,
            )
        if first.status is None:
            return self._unanswered(first.probe)
        reply = read_reply(bytes(first.body)) if first.status == 200 else None
        if reply:
            return self._made(first.probe, "open", answered="reach", reply=reply)
        return self._who(first.probe)

    def _ask(self, url: Url, name: str, path: str, *, head: bool = False, prefixed: bool = False) -> Exchange:
        from forgedoctor.facts._http import Ask, Client

        ask: Ask = Ask(name=name, path=path, head=head, prefixed=prefixed)
        client: Client = Client(url, self.address)
        try:
            exchange = Exchange(name, "GET", ask.full_path(url), Deadline(self.timeout))
            Crew([(exchange, lambda one: client.fetch(ask, one))]).wait()
        finally:
            client.close()
        return exchange

    def _who(self, connected: Probe) -> Attempt:
        progress = self._ask(self.url, "progress", _PROGRESS, prefixed=True).probe
        page = self._ask(self.url, "page", "/", head=True, prefixed=True).probe
        server = shown(page.headers.get("server") or progress.headers.get("server") or "")
        if _is_forge(progress, page):
            return self._made(connected, "open", answered="forge", name=server)
        if progress.status in _GATEWAY and "uvicorn" not in server:
            return self._made(connected, "gateway", answered="nginx" if "nginx" in server else "other", name=server)
        title = _TITLE.search(page.body)
        name = shown(" ".join(title[1].split())) if title else server
        nginx = "<center>nginx" in page.body or "nginx" in server
        return self._made(connected, "other-program", answered="nginx" if nginx else "other", name=name)

    def _unanswered(self, probe: Probe) -> Attempt:
        """No HTTP came back: is it TLS, or a program that speaks first?"""
        kind, _ = kind_of(probe.outcome, probe.stage, probe.detail)
        if self.url.scheme == "https":
            plain = msgspec.structs.replace(self.url, scheme="http")
            other = self._ask(plain, "plain", PROBE_PATH)
            if other.status is not None:
                reply = read_reply(bytes(other.body))
                return self._made(probe, "tls-not-wanted", answered="reach" if reply else "", reply=reply)
        elif kind in ("closed", "reset", "not-http", "silent", "error"):
            behind = self._behind()
            if behind.outcome == "answered":
                return self._made(probe, "tls-wanted")
            if behind.outcome == "not-http":
                banner = shown(behind.body)
                return self._made(probe, "not-http", answered="other", name=banner)
        return self._made(probe, kind if kind != "open" else "error")

    def _behind(self) -> Probe:
        from forgedoctor.facts._connect import look_behind

        exchange = Exchange("tls", "TLS", "", Deadline(self.timeout))
        return Crew([(exchange, look_behind(self.url, self.address))]).wait()[0]

    def _made(
        self, probe: Probe, kind: Any, *, answered: str = "", name: str = "", reply: Reply | None = None
    ) -> Attempt:
        symptom = _symptom(probe, self.address, self.around, kind)
        detail = probe.detail or probe.outcome.replace("answered", "")
        return Attempt(address=self.address, symptom=symptom, answered=answered, name=name, detail=detail, reply=reply)


def _is_forge(progress: Probe, page: Probe) -> bool:
    """Whether the API answers as Forge's does, wants its login, or the page is that of a Stable Diffusion WebUI."""
    said = progress.json if isinstance(progress.json, dict) else {}
    if progress.status == 200 and ("progress" in said and "state" in said):
        return True
    if progress.status == 200 and re.match(r'\s*\{"progress":\s*[\d.]+,', progress.body):
        return True
    if progress.status == 401 and said.get("detail") in ("Not authenticated", "Incorrect username or password"):
        return True
    return page.status == 200 and _FAMILY.search(page.body) is not None
