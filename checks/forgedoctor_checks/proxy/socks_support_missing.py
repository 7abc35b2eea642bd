from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, check, plain, t
from forgedoctor.facts import Packages, Proxy


@check("socks-support-missing", severity=ERROR, group="proxy", explains=["server-thread-dead", "server-half-dead", "localhost-via-system-proxy"])
def socks_support_missing(proxy: Proxy, packages: Packages | None) -> Iterator[Finding]:
    """A SOCKS proxy is set, and Forge's Python lacks what it needs for one.

    What happens: "ImportError: Using SOCKS proxy, but the 'socksio' package is not installed" while gradio is imported.
    Why: httpx reads ALL_PROXY whenever a client is made, even for this machine itself, and speaks SOCKS only with an
    extra package.
    Fix: unset ALL_PROXY for Forge, or install socksio into its venv.
    Source: httpx proxies documentation; httpx 0.24.1 _transports/default.py.
    """
    socks = next((one for one in proxy.settings if one.value.lower().startswith("socks") and one.name.lower() != "no_proxy"), None)
    if socks is None:
        return
    if packages is not None and "socksio" in packages.packages:
        return
    evidence = [Evidence(plain(f"{socks.name}={socks.value}"), socks.source)]
    if packages is not None:
        evidence.append(Evidence(t("socksio is not among the {count} packages", count=len(packages.packages)), packages.venv))
    yield Finding(
        t("{name} is a SOCKS proxy, and Forge's Python cannot speak SOCKS.", name=socks.name),
        evidence=evidence,
        fixes=[
            fixes.advise(t("Unset {name} where Forge is started", name=socks.name)),
            fixes.advise(t("Or install it in Forge's venv: pip install \"httpx[socks]==0.24.1\"")),
        ],
        confidence=CERTAIN if packages is not None else LIKELY,
    )
