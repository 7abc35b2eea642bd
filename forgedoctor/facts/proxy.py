"""The proxy that HTTP clients on this machine are told to use, and whom they reach without it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from forgedoctor.fact import Fact, collector
from forgedoctor.facts import _proxy_rules, _resolve, _system_proxy
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.target import Target

_KINDS = ("http", "https", "all", "no")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it was found: ``name`` as spelled, ``value`` unchanged (it may hold a password).

    ``source``: ``environment``, ``windows settings``, ``macos settings`` or the file that sets the variable.
    """

    name: str
    value: str
    source: str = "environment"


class Proxy(Fact, frozen=True, kw_only=True):
    """The proxy settings in force. Source: urllib.request.getproxies, which httpx and requests both use.

    Variables win over the system's settings as a whole: one non-empty ``*_proxy`` of any kind, even NO_PROXY
    alone, and Windows' or macOS' own settings are not read. ``settings``: those that are in force, among them
    the system's exceptions (``ProxyOverride``, ``ExceptionsList``). ``no_proxy``: the entries of NO_PROXY.
    ``localhost``: what the name localhost resolves to, in order; empty where it does not.
    ``socks_without_extra``: whether a SOCKS proxy is set and the client lacks the package for it; None: not
    looked at.
    """

    settings: tuple[Setting, ...] = ()
    no_proxy: tuple[str, ...] = ()
    localhost: tuple[str, ...] = ()
    socks_without_extra: bool | None = None

    def for_url(self, scheme: str) -> Setting | None:
        """The setting used for URLs of a scheme (``http``, ``https``): its own, else ALL_PROXY, else None.

        A lower-case variable wins over the same in capitals. Says nothing of NO_PROXY: see :meth:`bypasses`.
        """
        for kind in (scheme.partition(":")[0].lower(), "all"):
            found = [one for one in self.settings if kind_of(one.name) == kind and one.value]
            if found:
                return min(found, key=lambda one: one.name != one.name.lower())
        return None

    def bypasses(self, host: str, port: int | None = None, *, client: str = "httpx") -> bool:
        """Whether a request to ``host`` (name or address, no brackets) leaves the proxy out.

        ``client``: ``httpx`` (gradio 4: Forge, Neo; measured with 0.24.1 and 0.28.1) or ``requests`` (gradio
        3: A1111, reForge, Classic). They differ: httpx takes no ranges (``192.168.0.0/16`` stands for
        192.168.0.0 alone), ``localhost`` covers that name only and not 127.0.0.1, an entry may carry a port,
        and the exceptions of Windows and macOS are not read. See :mod:`forgedoctor.facts._proxy_rules` for
        both.
        """
        if client == "requests":
            exceptions = next((one.value for one in self.settings if one.name in _system_proxy.EXCEPTIONS), "")
            return _proxy_rules.requests_bypasses(host, port, self.no_proxy, exceptions)
        return _proxy_rules.httpx_bypasses(host, port, self.no_proxy)


def kind_of(name: str) -> str:
    """``HTTP_PROXY``, ``http_proxy`` and the system's ``http`` are all ``http``."""
    return name.lower().removesuffix("_proxy")


@collector(Proxy, scopes=("live", "preflight", "endpoint"))
def collect(target: Target, processes: Processes | None) -> Proxy:
    """Read the variables that Forge has, or is going to get, and the system's settings where they count.

    A Forge that runs (scope ``live``) has the environment that it was started with, and that one is read;
    otherwise this process's environment with the target's variables over it. ``source`` says which.
    """
    forge = _running(target, processes)
    env: Mapping[str, str] = {**os.environ, **target.env}
    source = "environment"
    if forge and forge.env is not None:
        env, source = forge.env, f"environment of process {forge.pid}"
    settings = from_environment(env)
    if not any(value for name, value in env.items() if name.lower().endswith("_proxy")):
        settings = tuple(Setting(name=name, value=value, source=where) for name, value, where in _system_proxy.read())
        source = settings[0].source if settings else source
    return Proxy(
        source=source,
        settings=settings,
        no_proxy=entries(settings),
        localhost=_resolve.addresses("localhost", timeout=min(1.0, target.timeout)),
    )


def _running(target: Target, processes: Processes | None) -> ForgeProcess | None:
    """The Forge that is examined: the first that runs. Before a launch, and for a client, none counts."""
    return processes.forges[0] if target.scope == "live" and processes and processes.forges else None


def from_environment(env: Mapping[str, str]) -> tuple[Setting, ...]:
    """The proxy variables in force, by name; an empty lower-case one switches off the same in capitals.

    Source: urllib.request.getproxies_environment.
    """
    named = {name: value for name, value in env.items() if name.lower() in {f"{kind}_proxy" for kind in _KINDS}}
    switched_off = {name for name, value in named.items() if name == name.lower() and not value}
    return tuple(
        Setting(name=name, value=value)
        for name, value in sorted(named.items())
        if value and name.lower() not in switched_off
    )


def entries(settings: Iterable[Setting]) -> tuple[str, ...]:
    """The entries of NO_PROXY, the lower-case variable first choice."""
    found = sorted((one for one in settings if kind_of(one.name) == "no"), key=lambda one: one.name != one.name.lower())
    return tuple(part for part in (entry.strip() for entry in found[0].value.split(",")) if part) if found else ()
