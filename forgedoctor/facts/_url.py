"""What a person writes as the address of a Forge, taken apart; and refused in one sentence where it cannot be one."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, unquote

import msgspec

PORTS = {"http": 80, "https": 443}
EXAMPLE = "http://127.0.0.1:7860"
_LONGEST = 2000
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
# What people paste is often the address of a route or a page; the prefix is what stands before it.
_ROUTE = re.compile(r"/(?:sdapi|internal)(?:/.*)?$|/(?:docs|redoc|openapi\.json)/?$")


class Url(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is to be asked. ``path`` is the prefix before all routes (``/forge``), mostly empty.

    ``credentials`` is ``user:password``, decoded. ``assumed`` says that no scheme was written and http was taken.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    credentials: str = ""
    assumed: bool = False

    @property
    def authority(self) -> str:
        """Host and port as in a Host header: brackets for IPv6, no default port (RFC 9110, 7.2)."""
        return self._at(self.host.partition("%")[0])

    @property
    def base(self) -> str:
        """The URL without credentials and without a trailing slash."""
        return f"{self.scheme}://{self._at(self.host.replace('%', '%25'))}{self.path}"

    def _at(self, host: str) -> str:
        return bracketed(host) if self.port == PORTS[self.scheme] else f"{bracketed(host)}:{self.port}"


def bracketed(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def split_url(text: str) -> Url:
    """Take apart ``http://host:7860/prefix``, ``host:7860`` or ``http://user:password@host``.

    Without a scheme http is taken, without a port the scheme's own. A route at the end (``/sdapi/v1/txt2img``,
    ``/docs``), a query and a fragment are dropped. Raises ValueError with one sentence for a person.
    """
    text = _clean(text)
    scheme, rest, assumed = _scheme(text)
    authority, path = _authority_and_path(rest)
    userinfo, _, address = authority.rpartition("@")
    host, port = _host_and_port(address)
    if "@" in text and not userinfo and port and not port.isdecimal():
        # A / in a password ends the address there: what looks like the port is a piece of it, and is not repeated.
        raise ValueError("The password has a / in it; write it as %2F (and @ as %40).")
    return Url(
        scheme=scheme,
        host=_host(host),
        port=_port(port, PORTS[scheme]),
        path=_prefix(path),
        credentials=unquote(userinfo),
        assumed=assumed,
    )


def _clean(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError(f"The URL is empty; write one like {EXAMPLE}.")
    if len(text) > _LONGEST:
        raise ValueError(f"The URL is longer than {_LONGEST} characters; write one like {EXAMPLE}.")
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError(f"The URL has a space or a control character in it; write one like {EXAMPLE}.")
    return text


def _scheme(text: str) -> tuple[str, str, bool]:
    scheme, separator, rest = text.partition("://")
    if not separator:
        if re.match(r"https?:[/\\]", text, re.IGNORECASE):
            raise ValueError(f"Two slashes follow the colon of a URL, as in {EXAMPLE}.")
        return "http", text, True
    if scheme.lower() not in PORTS:
        raise ValueError(f"Forge is asked with http:// or https://, not with {scheme}://.")
    return scheme.lower(), rest, False


def _authority_and_path(rest: str) -> tuple[str, str]:
    place = re.search(r"[/?#]", rest)
    if not place:
        return rest, ""
    return rest[: place.start()], re.split(r"[?#]", rest[place.start() :])[0]


def _host_and_port(address: str) -> tuple[str, str]:
    if address.endswith(":"):
        raise ValueError(f"The URL has a colon and no port after it; write one like {EXAMPLE}.")
    if address.startswith("["):
        host, bracket, port = address[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError("An IPv6 address is written in brackets, as in http://[::1]:7860.")
        return host.replace("%25", "%"), port[1:]
    if address.count(":") > 1:
        raise ValueError("An IPv6 address needs brackets in a URL, as in http://[::1]:7860.")
    host, _, port = address.partition(":")
    if not host:
        raise ValueError(f"The URL names no host; write one like {EXAMPLE}.")
    return host, port


def _port(text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"The port {text!r} is not a number.")
    number = int(text[:9])
    if not 1 <= number <= 65535:
        raise ValueError(f"The port {text} is out of range: ports go from 1 to 65535.")
    return number


def _host(host: str) -> str:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is no IPv6 address.") from None
        return host
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(f"{host!r} is no host name.") from None
    labels = name.removesuffix(".").split(".")
    if len(name) > 253 or not all(_NAME.fullmatch(label) for label in labels):
        raise ValueError(f"{host!r} is no host name.")
    if len(labels) == 4 and all(label.isdecimal() for label in labels) and any(int(n) > 255 for n in labels):
        raise ValueError(f"{host!r} is no IPv4 address: each of the four numbers is at most 255.")
    return name


def _prefix(path: str) -> str:
    path = _ROUTE.sub("", path).strip("/")
    return "/" + quote(path, safe="/%:@!$&'()*+,;=~") if path else ""
