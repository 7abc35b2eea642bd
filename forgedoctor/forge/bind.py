"""Which address and port a launch opens, and what keeps its server from coming up.

Sources: ``webui.py`` (webui_worker, api_only_worker) and ``modules/initialize_util.py`` of the forks; of gradio 4.40.0
``http_server.py``, of gradio 3.41.2 ``networking.py``; uvicorn's ``server.py``, asyncio's create_server. The odd cases
(ports 70000, 0, -1, brackets) were run with the real uvicorn or recorded from a real Forge, on Linux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from forgedoctor.forge.effective import Exit, Failure
from forgedoctor.forge.flags import API_ONLY_PORT, WEBUI_PORT

GRADIO_4 = frozenset({"forge", "neo"})  # the others have gradio 3
IN_MAIN_THREAD = frozenset({"a1111"})  # where the server's end is the program's end
HIGHEST_PORT = 65535
LOOPBACK = "127.0.0.1"
_HOST = re.compile(r"[^\s/,;?#@\\]+")


class Bind(msgspec.Struct, frozen=True, kw_only=True):
    """Where a launch listens. ``env``: the variables that decided, by the option they stand in for."""

    host: str
    port: int | None
    port_range: tuple[int, int] | None
    listens: int | None
    fails: Failure | None
    env: dict[str, str] = {}


def gradio_import_error(fork: str, env: Mapping[str, str]) -> Exit | None:
    """The end of a program with gradio 3 that reads a number from GRADIO_SERVER_PORT while it is imported."""
    problem = None if fork in GRADIO_4 else _not_a_number(env)
    return Exit(code=1, stage="late", message=problem) if problem else None


def bind(fork: str, mode: str, options: Mapping[str, Any], env: Mapping[str, str], *, api: bool) -> Bind:
    """Where a launch listens and why its server does not come up, from its options and the GRADIO_ variables."""
    found = _api_only(options) if mode == "api-only" else _webui(fork, options, env, api)
    if found.fails and fork in IN_MAIN_THREAD:
        fails = msgspec.structs.replace(found.fails, process_stays=False)
        return msgspec.structs.replace(found, fails=fails, listens=None)
    return found


def _api_only(options: Mapping[str, Any]) -> Bind:
    name = _text(options, "server_name")
    host = name or ("0.0.0.0" if options.get("listen") else "*")
    port = options.get("port") or API_ONLY_PORT
    fails = _first(_api_auth(options), _tls_api_only(options), _name(name, brackets=False), _port_api_only(host, port))
    listens = None if fails else port & HIGHEST_PORT or None
    return Bind(host=host, port=port, port_range=None, listens=listens, fails=fails)


def _webui(fork: str, options: Mapping[str, Any], env: Mapping[str, str], api: bool) -> Bind:
    name = _text(options, "server_name")
    chosen = name or ("0.0.0.0" if options.get("listen") else "")
    from_env = env.get("GRADIO_SERVER_NAME")
    local = LOOPBACK if from_env is None else from_env
    host = chosen or local
    decided = {"server_name": "GRADIO_SERVER_NAME"} if from_env is not None and not chosen else {}
    port, ports = options.get("port"), None
    if port is None and (ports := _range(env)) and "GRADIO_SERVER_PORT" in env:
        decided["port"] = "GRADIO_SERVER_PORT"
    unheard = _first(
        _gradio_auth(options), _gradio_env(fork, env), _tls_webui(options), _ports_webui(port, ports),
        _probe_address(from_env), _name(host, brackets=True),
    )  # fmt: skip
    half = _first(_self_check(host, port, ports), _api_auth(options) if api else None)
    return Bind(
        host=host[1:-1] if host.startswith("[") and host.endswith("]") else host or "*",
        port=port,
        port_range=ports,
        listens=None if unheard else port or None,
        fails=unheard or half,
        env=decided,
    )


def _range(env: Mapping[str, str]) -> tuple[int, int] | None:
    try:
        first = int(env.get("GRADIO_SERVER_PORT", WEBUI_PORT))
        return first, first + int(env.get("GRADIO_NUM_PORTS", 100)) - 1
    except ValueError:
        return None


def _text(options: Mapping[str, Any], dest: str) -> str:
    value = options.get(dest)
    return value if isinstance(value, str) else ""


def _first(*failures: Failure | None) -> Failure | None:
    return next((failure for failure in failures if failure), None)


def _not_a_number(env: Mapping[str, str]) -> str | None:
    for name in ("GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"):
        try:
            int(env.get(name, "0"))
        except ValueError:
            return f"ValueError: invalid literal for int() with base 10: {env[name]!r} ({name})"
    return None


def _gradio_env(fork: str, env: Mapping[str, str]) -> Failure | None:
    problem = _not_a_number(env) if fork in GRADIO_4 else None  # read when the server starts, even with --port
    return Failure(kind="gradio-port-not-a-number", message=problem) if problem else None


def _accounts(text: str) -> Iterator[str]:
    for part in text.split(","):
        if part.strip():
            yield part.strip()


def _gradio_auth(options: Mapping[str, Any]) -> Failure | None:
    if all(":" in account for account in _accounts(_text(options, "gradio_auth"))):
        return None
    return Failure(
        kind="gradio-auth-no-colon", message="IndexError: tuple index out of range (--gradio-auth wants USER:PASSWORD)"
    )


def _api_auth(options: Mapping[str, Any]) -> Failure | None:
    text = _text(options, "api_auth")
    for account in text.split(",") if text else ():
        parts = account.count(":") + 1
        if parts == 1:
            message = "ValueError: not enough values to unpack (--api-auth wants USER:PASSWORD)"
            return Failure(kind="api-auth-no-colon", message=message)
        if parts > 2:
            message = "ValueError: too many values to unpack (--api-auth allows no colon in a password)"
            return Failure(kind="api-auth-extra-colon", message=message)
    return None


def _tls_webui(options: Mapping[str, Any]) -> Failure | None:
    key, certificate = "tls_keyfile" in options, "tls_certfile" in options
    if key and not certificate:
        message = "ValueError: ssl_certfile must be provided if ssl_keyfile is provided."
        return Failure(kind="tls-keyfile-without-certfile", message=message)
    if certificate and not key:
        # Should the file hold the key too, the launch would still call its https server with http.
        return Failure(kind="tls-certfile-without-keyfile", message="--tls-certfile needs --tls-keyfile")
    return None


def _tls_api_only(options: Mapping[str, Any]) -> Failure | None:
    if not options.get("tls_keyfile") or options.get("tls_certfile"):
        return None
    return Failure(kind="tls-keyfile-without-certfile", message="AssertionError (--tls-keyfile needs --tls-certfile)")


def _name(host: str, *, brackets: bool) -> Failure | None:
    """A host that cannot be one. ``brackets``: whether [IPv6] is understood. Names are not looked up here."""
    if not host:
        return None
    if "://" in host:
        return Failure(kind="server-name-is-url", message=f"{host} is a URL, not an address or name")
    bracketed = host.startswith("[") and host.endswith("]")
    if _ip(host.strip("[]")) is None and re.search(r":\d*$", host):
        return Failure(kind="server-name-has-port", message=f"{host} holds a port, which belongs to --port")
    if bracketed and not brackets:
        return Failure(kind="server-name-brackets", message=f"{host}: an IPv6 address goes without brackets here")
    if not _HOST.fullmatch(host) or (":" in host and _ip(host.strip("[]")) is None):
        return Failure(kind="server-name-invalid", message=f"{host!r} is no address and no name")
    return None


def _ip(host: str) -> int | None:
    import ipaddress  # costs as much as all of this module, and few command lines name an address

    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


def _port_api_only(host: str, port: Any) -> Failure | None:
    """asyncio binds an address with the port as it is; for a name or none at all, the C library cuts it to 16 bits."""
    if not isinstance(port, int) or 0 <= port <= HIGHEST_PORT:
        return None
    if port > 0 and port < 2**63 and _ip(host) is None:
        return None
    message = "OverflowError: bind(): port must be 0-65535."
    if port < 0 and _ip(host) is None:
        message = "[Errno -8] Servname not supported for ai_socktype"
    return Failure(kind="port-out-of-range", message=message)


def _ports_webui(port: Any, ports: tuple[int, int] | None) -> Failure | None:
    if ports and ports[1] < ports[0]:
        return Failure(kind="gradio-no-ports", message="ValueError: min() arg is an empty sequence (GRADIO_NUM_PORTS)")
    first = port if port is not None else ports[0] if ports else WEBUI_PORT
    if isinstance(first, int) and 0 <= first <= HIGHEST_PORT:
        return None
    return Failure(kind="port-out-of-range", message="OverflowError: bind(): port must be 0-65535.")


def _probe_address(from_env: str | None) -> Failure | None:
    """gradio tests every port on GRADIO_SERVER_NAME with an IPv4 socket, whatever --server-name says."""
    if not from_env or not (":" in from_env or _name(from_env, brackets=False)):
        return None
    message = f"GRADIO_SERVER_NAME={from_env} is no IPv4 address: OSError: Cannot find empty port in range"
    return Failure(kind="gradio-host-not-ipv4", message=message)


def _self_check(host: str, port: int | None, ports: tuple[int, int] | None) -> Failure | None:
    """The launch calls its own server; where its address makes no URL, the socket stays and nothing else comes."""
    if port == 0 or (port is None and ports and ports[0] == 0):
        return Failure(kind="port-zero", message="a random port is opened, then port 0 is called: Connection refused")
    if not host:
        return Failure(kind="gradio-host-empty", message="GRADIO_SERVER_NAME is empty, so the launch calls no host")
    if ":" in host and not host.startswith("["):
        return Failure(kind="server-name-ipv6-bare", message=f"InvalidURL: write [{host}] for the web UI")
    return None
