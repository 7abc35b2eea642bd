"""The Proxy fact: which proxy Forge's own calls go through, and which hosts they reach without it."""

from __future__ import annotations

import os
import socket
import sys
import threading
import urllib.request
from types import ModuleType
from typing import Any

import msgspec
import pytest

from forgedoctor.facts._proxy_rules import httpx_bypasses, requests_bypasses
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.facts.proxy import Proxy, Setting, collect, from_environment
from forgedoctor.target import Target

PREFLIGHT = Target(scope="preflight")
LIVE = Target(scope="live")


@pytest.fixture(autouse=True)
def no_proxy_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests decide what is set, whatever the machine has."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def given(**env: str) -> Proxy:
    return collect(Target(scope="preflight", env=env), None)


def names(found: Proxy) -> list[str]:
    return [one.name for one in found.settings]


def test_nothing_is_set() -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("this machine's own settings may say otherwise")
    found = collect(PREFLIGHT, None)
    assert found.settings == ()
    assert found.no_proxy == ()
    assert found.for_url("http") is None
    assert found.bypasses("localhost") is False


def test_the_environment_of_this_process_counts_before_a_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", " localhost , 127.0.0.1,,")
    found = collect(PREFLIGHT, None)
    assert found.source == "environment"
    assert found.for_url("http") == Setting(name="http_proxy", value="http://proxy:3128", source="environment")
    assert found.for_url("https") is None
    assert found.no_proxy == ("localhost", "127.0.0.1")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Proxy) == found


def test_variables_of_the_target_are_laid_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://shell:1")
    found = given(HTTP_PROXY="http://asked:2")
    chosen = found.for_url("http")
    assert chosen is not None
    assert chosen.value == "http://asked:2"


def test_a_password_is_kept_for_the_redactor_to_hide(capsys: pytest.CaptureFixture[str]) -> None:
    found = given(HTTPS_PROXY="http://user:secret@proxy:3128")
    assert found.settings[0].value == "http://user:secret@proxy:3128"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("env", "scheme", "expected"),
    [
        ({"HTTP_PROXY": "a", "http_proxy": "b"}, "http", "b"),
        ({"HTTP_PROXY": "a", "ALL_PROXY": "c"}, "http", "a"),
        ({"ALL_PROXY": "c"}, "http", "c"),
        ({"all_proxy": "socks5://127.0.0.1:1080"}, "https", "socks5://127.0.0.1:1080"),
        ({"HTTPS_PROXY": "a"}, "http", None),
        ({"HTTPS_PROXY": "a"}, "https", "a"),
        ({"HTTP_PROXY": "a", "http_proxy": ""}, "http", None),
        ({"HTTP_PROXY": ""}, "http", None),
        ({"FTP_PROXY": "a", "NO_PROXY": "*"}, "http", None),
    ],
)
def test_which_variable_is_used_for_a_url(env: dict[str, str], scheme: str, expected: str | None) -> None:
    """As urllib.request.getproxies_environment decides: lower case wins, and empty in lower case switches off."""
    chosen = Proxy(settings=from_environment(env)).for_url(scheme)
    assert (chosen.value if chosen else None) == expected
    assert Proxy(settings=from_environment(env)).for_url(f"{scheme}://127.0.0.1:7860/") == chosen


def test_the_lower_case_exceptions_win() -> None:
    found = given(HTTP_PROXY="a", NO_PROXY="upper", no_proxy="lower")
    assert found.no_proxy == ("lower",)


# --- whose environment ------------------------------------------------------------------------------------------


def running(env: dict[str, str] | None) -> Processes:
    return Processes(forges=(ForgeProcess(pid=4242, env=env), ForgeProcess(pid=1, env={"HTTP_PROXY": "other"})))


def test_the_environment_of_the_forge_that_runs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://shell:1")
    found = collect(
        LIVE, running({"NO_PROXY": "localhost", "HTTP_PROXY": "http://forge:2", "COMMANDLINE_ARGS": "--api"})
    )
    assert found.source == "environment of process 4242"
    assert [(one.name, one.value) for one in found.settings] == [
        ("HTTP_PROXY", "http://forge:2"),
        ("NO_PROXY", "localhost"),
    ]


def test_a_forge_started_without_proxy_has_none_whatever_this_shell_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HTTP_PROXY", "http://shell:1")
    assert collect(LIVE, running({})).settings == ()


@pytest.mark.parametrize(("scope", "env"), [("live", None), ("preflight", {}), ("endpoint", {})])
def test_otherwise_the_environment_here_counts(
    monkeypatch: pytest.MonkeyPatch, scope: str, env: dict[str, str] | None
) -> None:
    """Unreadable, or a launch or call that is still to come: then what this shell has is what will be used."""
    monkeypatch.setenv("HTTP_PROXY", "http://shell:1")
    found = collect(Target(scope=scope), running(env))
    assert found.source == "environment"
    assert names(found) == ["HTTP_PROXY"]


# --- the settings of Windows and macOS --------------------------------------------------------------------------


def windows(monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str], override: str | None) -> None:
    class Key:
        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def query(_: Key, name: str) -> tuple[str, int]:
        assert name == "ProxyOverride"
        if override is None:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return override, 1

    registry: Any = ModuleType("winreg")
    registry.HKEY_CURRENT_USER = 1
    registry.OpenKey = lambda *_: Key()
    registry.QueryValueEx = query
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(urllib.request, "getproxies_registry", lambda: proxies, raising=False)


VPN = {"http": "http://127.0.0.1:7890", "https": "http://127.0.0.1:7890", "ftp": "ftp://127.0.0.1:7890"}


def test_a_vpn_client_sets_windows_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    windows(monkeypatch, VPN, "localhost;127.*;192.168.*;<local>")
    found = collect(PREFLIGHT, None)
    assert found.source == "windows settings"
    assert found.for_url("http") == Setting(name="http", value="http://127.0.0.1:7890", source="windows settings")
    assert found.no_proxy == ()
    for host in ("127.0.0.1", "localhost", "nas", "192.168.1.20"):
        assert found.bypasses(host) is False, "httpx does not read Windows' exceptions"
        assert found.bypasses(host, client="requests") is True
    assert found.bypasses("example.com", client="requests") is False


def test_windows_without_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    windows(monkeypatch, VPN, None)
    found = collect(PREFLIGHT, None)
    assert "ProxyOverride" not in names(found)
    assert found.bypasses("localhost", client="requests") is False


def test_one_variable_makes_windows_settings_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is why NO_PROXY alone cures it: urllib reads the registry only where no *_proxy variable is set."""
    windows(monkeypatch, VPN, "<local>")
    found = collect(Target(scope="preflight", env={"NO_PROXY": "localhost"}), None)
    assert found.for_url("http") is None
    assert found.no_proxy == ("localhost",)
    assert collect(Target(scope="preflight", env={"FTP_PROXY": "x"}), None).settings == ()
    assert collect(Target(scope="preflight", env={"NO_PROXY": ""}), None).for_url("http") is not None


def test_macos_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    system: Any = ModuleType("_scproxy")
    system._get_proxy_settings = lambda: {"exclude_simple": True, "exceptions": ["*.local", "169.254/16", None]}
    monkeypatch.setitem(sys.modules, "_scproxy", system)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(
        urllib.request, "getproxies_macosx_sysconf", lambda: {"http": "http://proxy:8080"}, raising=False
    )
    found = collect(PREFLIGHT, None)
    assert [(one.name, one.value, one.source) for one in found.settings] == [
        ("http", "http://proxy:8080", "macos settings"),
        ("ExceptionsList", "*.local,169.254/16,<local>", "macos settings"),
    ]
    assert found.bypasses("forge.local", client="requests") is True
    assert found.bypasses("forge.local") is False


def test_settings_that_cannot_be_read_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(urllib.request, "getproxies_registry", raising=False)
    monkeypatch.setitem(sys.modules, "winreg", None)
    assert collect(PREFLIGHT, None).settings == ()


# --- the name localhost -----------------------------------------------------------------------------------------


def test_localhost_in_the_resolvers_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver(host: str, _port: int, _family: int, kind: int, _proto: int, flags: int) -> list[Any]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        assert host == "localhost"
        six = (socket.AF_INET6, kind, 6, "", ("::1", 0, 0, 0))
        return [six, (socket.AF_INET, kind, 6, "", ("127.0.0.1", 0)), six]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert collect(PREFLIGHT, None).localhost == ("::1", "127.0.0.1")


def test_localhost_that_does_not_resolve_or_hangs_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def resolver(*_: object) -> None:
        if threading.current_thread().name.startswith("lookup"):
            released.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert collect(Target(scope="endpoint", timeout=0.05), None).localhost == ()
    released.set()
    assert collect(PREFLIGHT, None).localhost == ()


def test_localhost_of_this_machine_is_loopback() -> None:
    assert all(one.startswith("127.") or one == "::1" for one in collect(PREFLIGHT, None).localhost)


# --- who goes past the proxy ------------------------------------------------------------------------------------

HOSTS = [
    ("localhost", 7860), ("127.0.0.1", 7860), ("127.0.0.2", 7860), ("192.168.0.0", 7860), ("192.168.1.20", 7860),
    ("::1", 7860), ("example.com", None), ("www.example.com", 7860), ("badexample.com", None), ("forge.local", None),
    ("local", None),
]  # fmt: skip
# Which of the hosts the clients reached without the proxy: httpx 0.24.1 (0.28.1 alike) and requests 2.34.2.
RECORDED = [
    ("localhost", {"localhost"}, {"localhost"}),
    ("LOCALHOST", {"localhost"}, {"localhost"}),
    ("127.0.0.1", {"127.0.0.1"}, {"127.0.0.1"}),
    ("127.0.0.0/8", set(), {"127.0.0.1", "127.0.0.2"}),
    ("192.168.0.0/16", {"192.168.0.0"}, {"192.168.0.0", "192.168.1.20"}),
    ("192.168.1.20/32", {"192.168.1.20"}, {"192.168.1.20"}),
    ("192.168.*", set(), set()),
    ("::1", {"::1"}, {"::1"}),
    ("127.0.0.1:7860", {"127.0.0.1"}, set()),
    ("127.0.0.1:9999", set(), set()),
    ("localhost:7860", {"localhost"}, {"localhost"}),
    ("example.com", {"example.com", "www.example.com"}, {"example.com", "www.example.com"}),
    (".example.com", {"www.example.com"}, {"example.com", "www.example.com"}),
    (".local", {"forge.local"}, {"forge.local", "local"}),
    ("*.example.com", set(), set()),
    ("127.0.0.1, localhost", {"127.0.0.1", "localhost"}, {"127.0.0.1", "localhost"}),
    ("*", {host for host, _ in HOSTS}, {host for host, _ in HOSTS}),
    ("nas, *", {host for host, _ in HOSTS}, set()),
]


@pytest.mark.parametrize(("value", "by_httpx", "by_requests"), RECORDED)
def test_no_proxy_as_each_client_reads_it(value: str, by_httpx: set[str], by_requests: set[str]) -> None:
    found = given(HTTP_PROXY="http://proxy:3128", NO_PROXY=value)
    assert {host for host, port in HOSTS if found.bypasses(host, port)} == by_httpx
    assert {host for host, port in HOSTS if found.bypasses(host, port, client="requests")} == by_requests


def test_the_recorded_rules_are_those_of_the_installed_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    httpx = pytest.importorskip("httpx")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    for value, by_httpx, _ in RECORDED:
        monkeypatch.setenv("NO_PROXY", value)
        client = httpx.Client()
        if not hasattr(client, "_transport_for_url"):
            pytest.skip("this httpx hides how it chooses")
        reached = set()
        for host, port in HOSTS:
            shown = f"[{host}]" if ":" in host else host
            url = httpx.URL(f"http://{shown}:{port}/" if port else f"http://{shown}/")
            if client._transport_for_url(url) is client._transport:
                reached.add(host)
        client.close()
        assert reached == by_httpx, value


@pytest.mark.parametrize("entry", ["[::1]", "", ":", "/", "http://", "a:b:c", "1.2.3.4/99", "."])
def test_odd_entries_cover_nobody_and_break_nothing(entry: str) -> None:
    for host, port in HOSTS:
        assert httpx_bypasses(host, port, (entry,)) is False
        assert requests_bypasses(host, port, (entry,)) is False


def test_a_record_made_by_hand_answers_too() -> None:
    found = Proxy(settings=(Setting(name="HTTP_PROXY", value="http://p:1", source="webui-user.sh"),), no_proxy=("nas",))
    chosen = found.for_url("http")
    assert chosen is not None
    assert chosen.source == "webui-user.sh"
    assert found.bypasses("nas")
    assert found.socks_without_extra is None
