from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, Message, check, plain, t
from forgedoctor.facts import Host, Packages, Proxy
from forgedoctor.facts.proxy import Setting, kind_of

_SCHEMES = ("http", "https", "socks5")
_KNOWS_SOCKS5H = (0, 28)  # httpx from here on
_READS_BARE_IPV6 = (0, 24, 1)


@check(
    "proxy-env-malformed", severity=ERROR, group="proxy",
    explains=["localhost-via-system-proxy", "server-thread-dead", "socks-support-missing"],
)  # fmt: skip
def proxy_env_malformed(proxy: Proxy, packages: Packages | None, host: Host | None) -> Iterator[Finding]:
    """A proxy variable has a value that the HTTP library cannot read.

    What happens: "Invalid port: ':1]'", "invalid literal for int() with base 10: ':1'" or "Unknown scheme for proxy
    URL" while gradio is imported; nothing starts.
    Why: in NO_PROXY anything with a colon that is no plain IPv6 address counts as host and port: [::1] does, and before
    httpx 0.24.1 a bare ::1 does too; a proxy whose scheme httpx does not know (socks://, socks4://) is refused.
    Fix: take ::1 out of NO_PROXY; write the proxy as http://HOST:PORT or socks5://HOST:PORT.
    Source: tried with httpx 0.24.0 to 0.28.1; httpx _utils.get_environment_proxies.
    """
    if "*" in proxy.no_proxy:
        return  # then httpx reads no other of these variables
    httpx = _version(packages)
    in_force = {kind_of(one.name): one for one in sorted(proxy.settings, key=lambda one: one.name == one.name.lower())}
    for kind, setting in in_force.items():
        why = (
            _no_proxy(proxy, httpx)
            if kind == "no"
            else _proxy(setting, httpx)
            if kind in ("http", "https", "all")
            else None
        )
        if why:
            yield Finding(
                t("{name} cannot be read: {why}", name=setting.name, why=why),
                evidence=[Evidence(plain(f"{setting.name}={setting.value}"), setting.source)],
                fixes=[_fix(setting, proxy, host)],
                confidence=CERTAIN if httpx else LIKELY,
            )


def _version(packages: Packages | None) -> tuple[int, ...]:
    """The version of httpx in Forge's venv; empty where it is not known."""
    text = packages.packages.get("httpx", "") if packages else ""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _no_proxy(proxy: Proxy, httpx: tuple[int, ...]) -> Message | None:
    old = bool(httpx) and httpx < _READS_BARE_IPV6
    bad = next((entry for entry in proxy.no_proxy if _unreadable(entry, old)), "")
    return t("{entry} is taken for host and port.", entry=bad) if bad else None


def _unreadable(entry: str, old: bool) -> bool:
    """Whether httpx takes an entry for host:port and finds no number there."""
    if "://" in entry:
        return False
    try:
        return ipaddress.ip_address(entry).version == 6 and old
    except ValueError:
        pass
    port = entry.partition("/")[0].partition(":")[2]
    return ":" in entry and not port.isdecimal()


def _proxy(setting: Setting, httpx: tuple[int, ...]) -> Message | None:
    value = setting.value
    scheme, mark, _ = value.partition("://")
    known = (*_SCHEMES, "socks5h") if not httpx or httpx >= _KNOWS_SOCKS5H else _SCHEMES
    if value != value.strip():
        return t("a blank stands before or after it.")
    if mark and scheme.lower() not in known:
        return t("{scheme}:// is no scheme of a proxy that it knows.", scheme=scheme)
    try:
        _ = urlsplit(value if mark else f"http://{value}").port
    except ValueError:
        return t("its port is no number, or its password holds a sign that must be written as %XX.")
    return None


def _fix(setting: Setting, proxy: Proxy, host: Host | None) -> Fix:
    windows = fixes.interpreter(host) == "cmd"
    if kind_of(setting.name) == "no":
        good = [one for one in proxy.no_proxy if ":" not in one]
        value = ",".join(dict.fromkeys([*good, "localhost", "127.0.0.1"]))
    else:
        rest = setting.value.strip().partition("://")[2]
        if not rest or not setting.value.strip().lower().startswith("socks") or "@" in rest:
            return fixes.advise(
                t("Write {name}=http://HOST:PORT, or unset it, and start Forge again", name=setting.name)
            )
        value = f"socks5://{rest}"
    command = f"set {setting.name}={value}" if windows else f'export {setting.name}="{value}"'
    return fixes.paste(t("Write it so where Forge is started, and start it again:"), command, host)
