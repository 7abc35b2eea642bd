"""The HTTP client of the doctor: bounded in time, in size, in redirects, and blind to proxy settings.

The host is resolved before (see :mod:`forgedoctor.facts._connect`) and the request goes to that very address with the
host's name in the Host header, so that one probe is one connection, and no list of addresses adds to its time.
"""

from __future__ import annotations

import base64
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from forgedoctor.facts._probe import Exchange, causes, classify, kept_headers
from forgedoctor.facts._url import Url, bracketed, split_url

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 3
SMALL, LARGE = 64 * 1024, 4 * 1024 * 1024  # bytes of a body
_REDIRECTS = (301, 302, 303, 307, 308)
_TOO_LONG = 431  # the status h11 hints at when headers outgrow its buffer (100 KiB in httpcore)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``path`` comes after the URL's prefix, or at the root where ``prefixed`` is false.

    ``cap`` bounds the body in bytes: beyond it the outcome is ``too-large``, or with ``head`` the beginning is enough.
    ``quiet`` keeps nothing of the body of a good answer. ``anonymous`` sends no credentials.
    """

    name: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = {}
    content: bytes | None = None
    cap: int = SMALL
    head: bool = False
    quiet: bool = False
    prefixed: bool = True
    anonymous: bool = False

    def full_path(self, url: Url) -> str:
        """The path with the URL's prefix."""
        return (url.path if self.prefixed else "") + self.path


class Client:
    """Asks one server, at one of its addresses. ``credentials`` (``user:password``) go to that host only.

    Certificates are not checked here: a probe wants the answer, and a probe of its own says whether they hold.
    """

    def __init__(self, url: Url, peer: str, credentials: str = "") -> None:
        import httpx

        self._url, self._peer = url, peer
        self._basic = "Basic " + base64.b64encode(credentials.encode()).decode() if credentials else ""
        self._http = httpx.Client(
            trust_env=False,
            verify=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"user-agent": "forgedoctor", "accept-encoding": "identity", "connection": "close"},
        )

    def close(self) -> None:
        """Close every connection, also those of threads that were left behind."""
        try:
            self._http.close()
        except RuntimeError:  # httpcore 0.17 says so when requests are under way
            pass

    def fetch(self, ask: Ask, exchange: Exchange) -> None:
        """Ask, follow redirects on the same host, and settle the exchange."""
        try:
            exchange.settle(*self._follow(ask, exchange))
        except Exception as error:
            exchange.settle(*_failure(error))

    def _follow(self, ask: Ask, exchange: Exchange) -> tuple[str, str]:
        url, path = self._url, ask.full_path(self._url)
        seen = {(url.base, path)}
        for _ in range(MOST_REDIRECTS + 1):
            outcome = self._once(ask, url, path, exchange)
            target = _redirect(url, path, exchange) if ask.method == "GET" else None
            if target is None or target[0].host != self._url.host:
                return outcome
            url, path = target
            exchange.redirects.append(f"{url.scheme}://{url.authority}{path}")
            if (url.base, path) in seen:
                break
            seen.add((url.base, path))
        return "redirect-loop", f"more than {MOST_REDIRECTS} redirects, or one to where it came from"

    def _once(self, ask: Ask, url: Url, path: str, exchange: Exchange) -> tuple[str, str]:
        exchange.body.clear()
        exchange.stage = "connect"
        response = self._http.send(self._request(ask, url, path, exchange), stream=True)
        try:
            exchange.stage = "body"
            exchange.status, exchange.headers = response.status_code, kept_headers(response.headers)
            complete = _read(response, ask.cap, exchange)
        finally:
            response.close()
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            complete = _inflate(exchange, encoding, ask.cap) and complete
        if complete:
            return "answered", ""
        if ask.head:
            return "answered", f"only the first {ask.cap} bytes were read"
        return "too-large", f"the body is larger than {ask.cap} bytes"

    def _request(self, ask: Ask, url: Url, path: str, exchange: Exchange) -> httpx.Request:
        headers = {**ask.headers, "host": url.authority}
        # Credentials go to the server that was asked for, and to its own https; another port is another program.
        same = (url.host, url.port, url.scheme) == (self._url.host, self._url.port, self._url.scheme)
        upgraded = url.host == self._url.host and (self._url.port, url.scheme, url.port) == (80, "https", 443)
        if self._basic and not ask.anonymous and (same or upgraded):
            headers["authorization"] = self._basic
        return self._http.build_request(
            ask.method,
            f"{url.scheme}://{bracketed(self._peer)}:{url.port}{path}",
            headers=headers,
            content=ask.content,
            timeout=exchange.deadline.timeout(),
            extensions={"trace": _tracer(exchange), "sni_hostname": url.host.partition("%")[0]},
        )


def _tracer(exchange: Exchange) -> Any:
    """Note how far the request came and its socket. Names of events: httpcore, docs/extensions, "trace"."""
    stages = {"connect_tcp": "connect", "start_tls": "tls", "send_request_headers": "headers"}

    def trace(event: str, info: dict[str, Any]) -> None:
        _, _, rest = event.partition(".")
        step, _, moment = rest.partition(".")
        if step in stages and moment == "started":
            exchange.stage = stages[step]
        if step in ("connect_tcp", "start_tls") and moment == "complete":
            exchange.socket = info["return_value"].get_extra_info("socket")
            if exchange.was_cut:
                exchange.cut()

    return trace


def _read(response: httpx.Response, cap: int, exchange: Exchange) -> bool:
    """Read the body up to ``cap`` bytes, as sent; False where there was more."""
    for chunk in response.iter_raw():
        exchange.body += chunk
        if len(exchange.body) > cap:
            del exchange.body[cap:]
            return False
        if not exchange.deadline.left():
            raise TimeoutError
    return True


class _BadEncodingError(Exception):
    """The body is packed in a way that nobody asked for and that cannot be undone."""


def _inflate(exchange: Exchange, encoding: str, cap: int) -> bool:
    """Unpack what a server packed although it was asked not to; False where there was more than ``cap`` bytes."""
    packed = bytes(exchange.body)
    exchange.body.clear()
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _BadEncodingError(f"content-encoding {encoding} was not asked for")
    try:
        exchange.body += zlib.decompressobj(wbits=47).decompress(packed, cap + 1)  # 47: gzip or zlib, by its header
    except zlib.error as error:
        raise _BadEncodingError(f"content-encoding {encoding}: {error}") from None
    over = len(exchange.body) > cap
    del exchange.body[cap:]
    return not over


def _redirect(url: Url, path: str, exchange: Exchange) -> tuple[Url, str] | None:
    """Where a redirect points to, or None where there is none that can be followed."""
    location = exchange.headers.get("location", "")
    if exchange.status not in _REDIRECTS or not location:
        return None
    try:
        joined = urljoin(f"{url.scheme}://{url.authority}{path}", location)
        target, parts = split_url(joined), urlsplit(joined)
    except ValueError:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return target, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + query


def _failure(error: Exception) -> tuple[str, str]:
    """The outcome's name for what httpx raised. Protocol errors come from h11, which hints at a status."""
    import httpx

    if isinstance(error, _BadEncodingError):
        return "bad-encoding", str(error)
    if isinstance(error, httpx.TimeoutException):
        return "timeout", ""
    if not isinstance(error, httpx.RemoteProtocolError):
        return classify(error)
    hints = [cause.error_status_hint for cause in causes(error) if hasattr(cause, "error_status_hint")]
    if _TOO_LONG in hints:
        return "too-large", "the headers do not end"
    ended = not hints or "closed" in str(error)
    return ("closed" if ended else "not-http"), str(error)
