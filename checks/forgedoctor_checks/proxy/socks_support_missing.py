from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Fix, check, plain, t
from forgedoctor.facts import Host, LaunchFiles, Packages, Proxy
from forgedoctor.facts.proxy import kind_of
from forgedoctor_checks.install._packages import pip


@check(
    "socks-support-missing", severity=ERROR, group="proxy",
    explains=["server-thread-dead", "server-half-dead", "localhost-via-system-proxy"],
)  # fmt: skip
def socks_support_missing(
    proxy: Proxy, packages: Packages | None, host: Host | None, files: LaunchFiles | None
) -> Iterator[Finding]:
    """A SOCKS proxy is set, and Forge's Python lacks what it needs for one.

    What happens: "ImportError: Using SOCKS proxy, but the 'socksio' package is not installed" while gradio is imported.
    Why: httpx reads ALL_PROXY whenever a client is made, even for this machine itself, and speaks SOCKS only with an
    extra package.
    Fix: unset ALL_PROXY for Forge, or install socksio into its venv.
    Source: tried with httpx 0.24.1 and 0.28.1; httpx _transports/default.py.
    """
    read = [one for one in proxy.settings if kind_of(one.name) in ("http", "https", "all")]
    socks = next((one for one in read if one.value.lower().startswith(("socks5://", "socks5h://"))), None)
    if socks is None or "*" in proxy.no_proxy or proxy.socks_without_extra is False:
        return
    if packages is not None and "socksio" in packages.packages:
        return
    evidence = [Evidence(plain(f"{socks.name}={socks.value}"), socks.source)]
    install = fixes.advise(t("Or install it in Forge's venv: pip install socksio"))
    if packages is not None:
        missing = t("socksio is not among the {count} packages", count=len(packages.packages))
        evidence.append(Evidence(missing, packages.venv))
        install = fixes.paste(t("Or install it in Forge's venv:"), f"{pip(packages, host)} install socksio", host)
    unset: Fix = fixes.unset_variable(socks.name, host, files)
    yield Finding(
        t("{name} is a SOCKS proxy, and Forge's Python cannot speak SOCKS.", name=socks.name),
        evidence=evidence,
        fixes=[unset, install],
        confidence=CERTAIN if packages is not None else LIKELY,
    )
