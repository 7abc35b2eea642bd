"""The plainest HTTP client there is, to test the stand-ins with: no proxy, no redirect, no decoding."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import msgspec


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


def address(base: str) -> tuple[str, int]:
    """Return host and port of a base URL, for a bare socket."""
    place = urlsplit(base)
    return place.hostname or "", place.port or 0


def ask(
    base: str,
    path: str,
    method: str = "GET",
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
    timeout: float = 10.0,
) -> Heard:
    """Send one request and return the answer; `body` goes as JSON, or as it is if it is bytes.

    Raises what `http.client` and the socket raise, TimeoutError too; `timeout` is in seconds.
    A TLS certificate is not checked.
    """
    place = urlsplit(base)
    if place.scheme == "https":
        context = ssl._create_unverified_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            place.netloc, timeout=timeout, context=context
        )
    else:
        connection = http.client.HTTPConnection(place.netloc, timeout=timeout)
    payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    try:
        connection.request(method, path, payload, headers or {})
        answer = connection.getresponse()
        pairs = {name.lower(): value for name, value in answer.getheaders()}
        return Heard(status=answer.status, headers=pairs, body=answer.read())
    finally:
        connection.close()
