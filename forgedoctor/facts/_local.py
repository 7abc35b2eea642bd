"""Whether a URL is this machine's own: then what is known of the Forge here is known of that server too."""

from __future__ import annotations

from forgedoctor.facts._url import split_url
from forgedoctor.facts.interfaces import Interfaces


def is_elsewhere(url: str, interfaces: Interfaces | None) -> bool:
    """True for a URL whose host is a numeric address or name that is not this machine's. A URL that cannot be read
    is nobody's: the endpoint fact says so."""
    if not url:
        return False
    try:
        host = split_url(url).host
    except ValueError:
        return False
    if host in ("localhost", "0.0.0.0", "::", "::1") or host.startswith("127."):
        return False
    own = {one.address for one in interfaces.addresses} if interfaces else set()
    return host not in own
