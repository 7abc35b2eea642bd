from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Proxy
from forgedoctor.facts.proxy import Setting

_SCHEMES = ("http", "https", "socks5", "socks5h", "socks4", "socks4a")


@check("proxy-env-malformed", severity=ERROR, group="proxy", explains=["localhost-via-system-proxy", "server-thread-dead"])
def proxy_env_malformed(proxy: Proxy) -> Iterator[Finding]:
    """A proxy variable has a value that the HTTP library cannot read.

    What happens: "Invalid port: ':1'", "invalid literal for int() with base 10: ':1'" or "Unknown scheme for proxy
    URL" while gradio is imported; nothing starts.
    Why: a bare ::1 in NO_PROXY is taken for host and port; a proxy without scheme, or with one that httpx does not
    know, is refused.
    Fix: take ::1 out of NO_PROXY (or write [::1]); write the proxy as http://HOST:PORT.
    Source: httpx _utils.get_environment_proxies, URL parsing; httpx 0.24.1.
    """
    for setting in proxy.settings:
        why = _wrong(setting)
        if why:
            yield Finding(
                t("{name} cannot be read: {why}", name=setting.name, why=str(why)),
                evidence=[Evidence(plain(f"{setting.name}={setting.value}"), setting.source)],
                fixes=[_fix(setting)],
                confidence=CERTAIN,
            )


def _wrong(setting: Setting) -> Message | None:
    value = setting.value.strip()
    if not value or setting.source.startswith("windows"):
        return None
    if setting.name.lower() == "no_proxy":
        bare = next((one for one in re.split(r"[,\s]+", value) if one.count(":") > 1 and not one.startswith("[")), "")
        return t("{entry} is taken for host and port.", entry=bare) if bare and "/" not in bare else None
    scheme, mark, _ = value.partition("://")
    if mark and scheme.lower() not in _SCHEMES:
        return t("{scheme}:// is no scheme of a proxy.", scheme=scheme)
    try:
        parts = urlsplit(value if mark else f"http://{value}")
        _ = parts.port
    except ValueError:
        return t("its port is no number.")
    return None if parts.hostname else t("it names no host.")


def _fix(setting: Setting) -> Fix:
    if setting.name.lower() == "no_proxy":
        return fixes.advise(t("Set {name}=localhost,127.0.0.1 (without ::1) and start Forge again", name=setting.name))
    return fixes.advise(t("Write {name}=http://HOST:PORT, or unset it, and start Forge again", name=setting.name))
