"""The Sockets fact: who listens, and whether Forge would get its port."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.fact import State, Unavailable
from forgedoctor.facts import _bind, _listeners, _psutil, _v6only
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.sockets import BindTest, Listener, Sockets, collect
from forgedoctor.forge.effective import EffectiveLaunch
from forgedoctor.target import Target

TARGET = Target(scope="preflight")
NOBODY = 65534
linux = pytest.mark.skipif(sys.platform != "linux", reason="these are Linux' rules of bind()")
posix = pytest.mark.skipif(os.name != "posix", reason="these are the rules of bind() on POSIX")
as_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")

Open = Callable[..., int]


@pytest.fixture
def hold() -> Iterator[Open]:
    """Open sockets that last as long as the test; gives the port."""
    sockets: list[socket.socket] = []

    def one(address: str, port: int = 0, *, v6only: bool = True, reuse: bool = True, listen: bool = True) -> int:
        six = ":" in address
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        sockets.append(sock)
        if reuse:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
        sock.bind((address, port))
        if listen:
            sock.listen()
        return int(sock.getsockname()[1])

    yield one
    for sock in sockets:
        sock.close()


def launch(
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    ports: tuple[int, int] | None = None,
    listens: int | None = None,
    mode: str = "webui",
    running: bool = False,
    **env: str,
) -> Launch:
    effective = EffectiveLaunch(
        fork="forge", mode=mode, api=True, host=host, port=port, port_range=ports, listens=listens
    )
    return Launch(effective=effective, env=env, running=running)


def outcomes(tests: tuple[BindTest, ...]) -> list[tuple[str, str]]:
    return [(test.address, test.outcome) for test in tests]


# --- the table of listeners -------------------------------------------------------------------------------------


def test_a_listener_is_seen_with_its_process(hold: Open) -> None:
    port = hold("127.0.0.1")
    found = collect(TARGET, None)
    (ours,) = [one for one in found.listeners if one.port == port]
    assert (ours.address, ours.family, ours.pid, ours.dual) == ("127.0.0.1", "ipv4", os.getpid(), False)
    assert "python" in ours.process.lower() or "pytest" in ours.process.lower()
    assert "pytest" in ours.command
    assert ours.started is not None
    assert found.tests == ()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Sockets) == found


def test_a_socket_that_is_bound_and_does_not_listen_is_no_listener(hold: Open) -> None:
    port = hold("127.0.0.1", listen=False)
    assert port not in {one.port for one in collect(TARGET, None).listeners}


@linux
@pytest.mark.parametrize(("v6only", "dual"), [(True, False), (False, True)])
def test_the_kernel_tells_whether_ipv6_takes_ipv4(hold: Open, v6only: bool, dual: bool) -> None:
    port = hold("::", v6only=v6only)
    (ours,) = [one for one in collect(TARGET, None).listeners if one.port == port]
    assert (ours.address, ours.family, ours.dual) == ("::", "ipv6", dual)


@linux
def test_an_ipv4_mapped_address_is_given_as_what_it_is(hold: Open) -> None:
    port = hold("::ffff:127.0.0.1", v6only=False)
    found = collect(TARGET, None)
    (ours,) = [one for one in found.listeners if one.port == port]
    assert (ours.address, ours.family, ours.dual) == ("127.0.0.1", "ipv4", False)
    assert found.holders("127.0.0.1", port) == (ours,)


@linux
def test_netlink_that_is_refused_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    assert _v6only.read() is None


@pytest.mark.parametrize(
    ("platform", "v6only", "beside_ipv4", "dual"),
    [
        ("linux", True, False, False),
        ("linux", False, False, True),
        ("linux", None, False, True),
        ("linux", None, True, False),
        ("darwin", None, False, True),
        ("win32", None, False, False),
        ("win32", None, True, False),
    ],
)
def test_what_is_assumed_of_an_ipv6_wildcard(platform: str, v6only: bool | None, beside_ipv4: bool, dual: bool) -> None:
    assert _listeners.takes_ipv4(platform, v6only, beside_ipv4) is dual


# Eight listeners as psutil showed them to root on a Linux machine, and what ``ss`` said of IPv6-only.
RECORDED = [
    ("0.0.0.0", 7863), ("::", 7863), ("0.0.0.0", 7860), ("::ffff:127.0.0.1", 7866), ("127.0.0.1", 7861),
    ("::", 7862), ("192.168.50.10", 7865), ("::1", 7864),
]  # fmt: skip
RECORDED_V6ONLY = {("::1", 7864): True, ("::ffff:127.0.0.1", 7866): False, ("::", 7863): True, ("::", 7862): False}


class PsutilError(Exception):
    pass


class AccessDenied(PsutilError):
    pass


def denied(*_: object, **__: object) -> Any:
    raise AccessDenied


def rows(listed: list[tuple[str, int]], pid: int | None) -> list[SimpleNamespace]:
    return [SimpleNamespace(laddr=one, pid=pid, status="LISTEN") for one in listed]


def fake(monkeypatch: pytest.MonkeyPatch, listed: Any, processes: list[Any] | None = None) -> SimpleNamespace:
    """A psutil that lists these rows (or refuses), and whose processes are all called python."""
    named = SimpleNamespace(
        name=lambda: "python",
        cmdline=lambda: ["python", "launch.py", "--ckpt-dir", "my models"],
        create_time=lambda: 5.0,
    )
    ps = SimpleNamespace(
        Error=PsutilError,
        AccessDenied=AccessDenied,
        CONN_LISTEN="LISTEN",
        net_connections=listed if callable(listed) else lambda **_: listed,
        process_iter=lambda: iter(processes or []),
        Process=lambda _: named,
    )
    monkeypatch.setattr(_psutil, "load", lambda: ps)
    monkeypatch.setattr(_v6only, "read", lambda: RECORDED_V6ONLY)
    return ps


@linux
def test_a_recorded_table_seen_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, rows(RECORDED, 17921))
    found = collect(TARGET, None)
    assert found.complete
    assert found.hint == ""
    assert [(one.port, one.address, one.dual) for one in found.listeners] == [
        (7860, "0.0.0.0", False),
        (7861, "127.0.0.1", False),
        (7862, "::", True),
        (7863, "0.0.0.0", False),
        (7863, "::", False),
        (7864, "::1", False),
        (7865, "192.168.50.10", False),
        (7866, "127.0.0.1", False),
    ]
    first = found.listeners[0]
    assert first.command == "python launch.py --ckpt-dir 'my models'"
    assert (first.pid, first.process, first.started) == (17921, "python", 5.0)


@posix
def test_a_recorded_table_seen_without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, rows(RECORDED, None))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = collect(TARGET, None)
    assert len(found.listeners) == 8
    assert {one.pid for one in found.listeners} == {None}
    assert not found.complete
    assert found.hint == _listeners.AS_ROOT
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert collect(TARGET, None).hint == _listeners.ELSEWHERE


def test_macos_without_root_shows_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = SimpleNamespace(pid=70, net_connections=lambda **_: rows([("127.0.0.1", 7860)], None))
    others = SimpleNamespace(pid=1, net_connections=denied)
    fake(monkeypatch, denied, [others, mine])
    found = collect(TARGET, None)
    assert [(one.port, one.pid) for one in found.listeners] == [(7860, 70)]
    assert not found.complete
    assert found.hint


@pytest.mark.parametrize(
    "refusal", [PermissionError(13, "Permission denied"), RuntimeError("odd line"), AccessDenied()]
)
def test_without_a_table_the_bind_tests_are_still_there(
    monkeypatch: pytest.MonkeyPatch, hold: Open, refusal: Exception
) -> None:
    def refuse(**_: object) -> None:
        raise refusal

    port = hold("127.0.0.1")
    fake(monkeypatch, refuse)
    found = collect(TARGET, launch(port=port, listens=port))
    assert found.listeners == ()
    assert not found.complete
    assert "root" in found.hint
    assert found.test(port) is not None
    with pytest.raises(Unavailable) as caught:
        collect(TARGET, None)
    assert caught.value.missing.state is State.DENIED
    assert caught.value.missing.settle is not None


def as_nobody(call: Callable[[], Any]) -> Any:
    """What a call returns to a user without rights, made in a forked child."""
    answer, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(told, json.dumps(msgspec.to_builtins(call())).encode())
        finally:
            os._exit(0)
    os.close(told)
    with open(answer, encoding="utf-8") as text:
        said = text.read()
    os.waitpid(child, 0)
    assert said, "the child failed"
    return json.loads(said)


LISTENS = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@as_root
def test_another_user_sees_the_port_and_not_its_owner() -> None:
    roots = subprocess.Popen([sys.executable, "-c", LISTENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert roots.stdout is not None
    port = int(roots.stdout.readline())
    found = as_nobody(lambda: collect(TARGET, None))
    roots.communicate()
    (theirs,) = [one for one in found["listeners"] if one["port"] == port]
    assert (theirs["address"], theirs["pid"]) == ("127.0.0.1", None)
    assert found["complete"] is False
    assert found["hint"] == _listeners.AS_ROOT


# --- bind tests -------------------------------------------------------------------------------------------------


def unused() -> int:
    """A port that nobody has on any address of either family."""
    with socket.socket(socket.AF_INET6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", 0))
        return int(sock.getsockname()[1])


async def _served(host: str, port: int) -> bool:
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, None if host == "*" else host, port)
    except OSError:
        return False
    server.close()
    await server.wait_closed()
    return True


HOLDERS: list[dict[str, Any]] = [
    {"address": "127.0.0.1"},
    {"address": "127.0.0.2"},
    {"address": "0.0.0.0"},
    {"address": "::1"},
    {"address": "::"},
    {"address": "::", "v6only": False},
    {"address": "::ffff:127.0.0.1", "v6only": False},
    {"address": "127.0.0.1", "listen": False},
    {"address": "127.0.0.1", "listen": False, "reuse": False},
    {"address": "0.0.0.0", "reuse": False},
]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "*", "::", "::1", "localhost"])
@pytest.mark.parametrize("holder", [None, *HOLDERS])
def test_the_bind_test_says_what_asyncio_would_have_found(hold: Open, holder: dict[str, Any] | None, host: str) -> None:
    """uvicorn serves through asyncio's create_server: what that can bind is free, and nothing else is."""
    port = unused()
    if holder:
        hold(**{"port": port, **holder})
    tests = _bind.like_uvicorn(host, port)
    serves = asyncio.run(_served(host, port))
    only_bound = holder is not None and not holder.get("listen", True) and holder.get("reuse", True)
    if only_bound:  # both may bind it; who listens first has it, which no test without listening can tell
        assert {test.outcome for test in tests} == {"free"}
    else:
        assert all(test.outcome == "free" for test in tests) == serves


def test_a_taken_port_is_named_with_the_systems_error(hold: Open) -> None:
    port = hold("127.0.0.1")
    (test,) = _bind.like_uvicorn("127.0.0.1", port)
    assert (test.host, test.port, test.family, test.address) == ("127.0.0.1", port, "ipv4", "127.0.0.1")
    assert test.outcome == "in-use"
    assert test.errno == errno.EADDRINUSE
    assert test.message == os.strerror(errno.EADDRINUSE)


@linux
def test_leftovers_of_an_ended_forge_do_not_block() -> None:
    """After a restart the old connections stay in TIME_WAIT; with SO_REUSEADDR, as Forge sets it, that is no matter."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen()
    port = int(server.getsockname()[1])
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    accepted.close()
    client.close()
    server.close()
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind(("127.0.0.1", port))
    assert outcomes(_bind.like_uvicorn("127.0.0.1", port)) == [("127.0.0.1", "free")]


def test_api_only_binds_both_families_apart(hold: Open) -> None:
    port = hold("::1")
    found = collect(TARGET, launch("*", port, listens=port, mode="api-only"))
    assert outcomes(found.tests) == [("0.0.0.0", "free"), ("::", "in-use")]
    assert {test.host for test in found.tests} == {"*"}
    assert found.test(port) == found.tests[1]


def test_nothing_ever_listens_and_the_port_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a bind test must not listen")

    port = unused()
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "listen", never)
        patch.setattr(socket.socket, "connect", never)
        found = collect(TARGET, launch("*", port, listens=port, mode="api-only"))
    assert found.test(port) is None
    assert [test.outcome for test in found.tests] == ["free", "free"]
    assert asyncio.run(_served("*", port))


def test_an_address_of_another_machine() -> None:
    (test,) = _bind.like_uvicorn("192.0.2.77", unused())
    assert test.outcome == "not-local"
    assert test.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "http://127.0.0.1", "[::1]", "a" * 300, "bad\0host", "bücher..de"]
)
def test_a_host_that_is_no_address_and_no_name(host: str) -> None:
    (test,) = _bind.like_uvicorn(host, 7860, timeout=2)
    assert test.outcome == "unresolvable"
    assert test.family == ""
    assert test.message


def test_a_name_server_that_is_silent_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    real = socket.getaddrinfo

    def silent(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        if flags & socket.AI_NUMERICHOST:
            return real(host, port, family, type, proto, flags)
        released.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    (test,) = _bind.like_uvicorn("forge.example", 7860, timeout=0.05)
    released.set()
    assert test.outcome == "unresolvable"
    assert "0.05 s" in test.message


@pytest.mark.parametrize("port", [65536, 70000, -1])
def test_a_port_beyond_the_range(port: int) -> None:
    found = collect(TARGET, launch(port=port))
    assert [test.outcome for test in found.tests] == ["out-of-range"]
    assert found.tests[0].errno is None


@as_root
def test_a_low_port_is_denied_to_a_user() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("every user may open port 80 here")
    found = as_nobody(lambda: _bind.walk([80], "0.0.0.0", webui=True))
    assert [(test["address"], test["outcome"], test["errno"]) for test in found] == [
        ("127.0.0.1", "denied", errno.EACCES)
    ]


@pytest.mark.parametrize(
    ("number", "winerror", "outcome"),
    [
        (10048, 10048, "in-use"),
        (13, 10013, "denied"),
        (10013, 10013, "denied"),
        (10049, 10049, "not-local"),
        (48, None, "in-use"),
        (49, None, "not-local"),
        (22, None, "error"),
    ],
)
def test_the_errors_of_windows_and_macos(
    monkeypatch: pytest.MonkeyPatch, number: int, winerror: int | None, outcome: str
) -> None:
    """Windows gives a localised sentence and a WinError, whose errno may be another number."""

    class RefusedError(OSError):
        pass

    error = RefusedError(number, "以一种访问权限不允许的方式做了一个访问套接字的尝试。")
    if winerror:
        error.winerror = winerror  # type: ignore[attr-defined, unused-ignore]

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "bind", refuse)
    (test,) = _bind.like_uvicorn("127.0.0.1", 7860)
    assert test.outcome == outcome
    assert test.errno == (winerror or number)
    assert test.message.startswith("以一种")


def test_windows_is_asked_with_a_plain_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """SO_REUSEADDR would bind over a listener there: neither is it set, nor gradio's own test repeated."""
    port = unused()
    options: list[int] = []
    monkeypatch.setattr(socket.socket, "setsockopt", lambda _, __, option, ___: options.append(option))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "name", "nt")
    tests = _bind.walk([port], "0.0.0.0", webui=True)
    monkeypatch.undo()
    assert outcomes(tests) == [("0.0.0.0", "free")]
    assert options == []


def test_a_machine_without_ipv6_is_tested_without(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def four_only(family: int = socket.AF_INET, *rest: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *rest)

    port = unused()
    monkeypatch.setattr(socket, "socket", four_only)
    assert outcomes(_bind.like_uvicorn("*", port)) == [("0.0.0.0", "free")]
    assert outcomes(_bind.like_uvicorn("::1", port)) == [("::1", "error")]


# --- which ports are tested -------------------------------------------------------------------------------------


def adjacent() -> int:
    """The first of three ports in a row that nobody has."""
    for start in range(20000, 32000, 7):
        if all(test.outcome == "free" for port in range(start, start + 3) for test in _bind.like_uvicorn("*", port)):
            return start
    raise AssertionError("no three free ports in a row")


def test_a_web_ui_without_port_walks_to_the_first_free_one(hold: Open) -> None:
    first = adjacent()
    hold("127.0.0.1", first)
    hold("0.0.0.0", first + 1)
    found = collect(TARGET, launch(ports=(first, first + 99)))
    assert [(test.port, test.outcome) for test in found.tests] == [
        (first, "in-use"),
        (first + 1, "in-use"),
        (first + 2, "free"),
    ]
    assert found.test(first + 2) is None


def test_the_walk_ends_after_100_ports_and_with_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(host: str, port: int, **_: object) -> tuple[BindTest, ...]:
        return (BindTest(host=host, port=port, outcome="in-use"),)

    monkeypatch.setattr(_bind, "like_uvicorn", taken)
    assert len(collect(TARGET, launch(ports=(7860, 9999))).tests) == 100
    assert [test.port for test in collect(TARGET, launch(ports=(7860, 7862))).tests] == [7860, 7861, 7862]


def test_the_walk_does_not_repeat_a_fault_of_the_host() -> None:
    found = collect(TARGET, launch("192.0.2.77", ports=(7860, 7959)))
    assert [test.outcome for test in found.tests if test.host == "192.0.2.77"] == ["not-local"]


@posix
def test_gradio_looks_at_loopback_first(hold: Open) -> None:
    """With --listen, gradio tries 127.0.0.1 before uvicorn binds 0.0.0.0: a program there moves Forge on."""
    first = adjacent()
    hold("127.0.0.1", first)
    found = collect(TARGET, launch("0.0.0.0", ports=(first, first + 2)))
    assert [(test.port, test.address, test.outcome) for test in found.tests] == [
        (first, "127.0.0.1", "in-use"),
        (first + 1, "127.0.0.1", "free"),
        (first + 1, "0.0.0.0", "free"),
    ]


@posix
def test_gradio_looks_at_the_host_of_its_variable(hold: Open) -> None:
    port = hold("127.0.0.2")
    found = collect(TARGET, launch("127.0.0.1", port, listens=port, GRADIO_SERVER_NAME="127.0.0.2"))
    assert outcomes(found.tests) == [("127.0.0.2", "in-use")]


def test_api_only_is_tested_on_the_port_that_it_really_opens() -> None:
    port = unused()
    found = collect(TARGET, launch("0.0.0.0", port + 65536, listens=port, mode="api-only"))
    assert [(test.port, test.outcome) for test in found.tests] == [(port, "free")]


@pytest.mark.parametrize(
    "given_launch",
    [launch(port=0), launch(), launch(port=7860, listens=7860, running=True), launch(ports=(7860, 7959), running=True)],
)
def test_no_port_is_tested_where_none_is_certain_or_forge_runs(given_launch: Launch) -> None:
    assert collect(TARGET, given_launch).tests == ()


# --- questions to the record ------------------------------------------------------------------------------------


def listener(address: str, port: int = 7860, *, dual: bool = False) -> Listener:
    return Listener(address=address, port=port, family="ipv6" if ":" in address else "ipv4", dual=dual)


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        (listener("127.0.0.1"), {"127.0.0.1", "0.0.0.0", "*", "", "localhost"}),
        (listener("0.0.0.0"), {"127.0.0.1", "127.0.0.2", "0.0.0.0", "192.168.1.20", "*", "", "localhost", "nas"}),
        (listener("192.168.1.20"), {"192.168.1.20", "0.0.0.0", "*", ""}),
        (listener("::1"), {"::1", "[::1]", "::", "*", "", "localhost"}),
        (listener("::"), {"::1", "[::1]", "::", "*", "", "localhost", "nas"}),
        (
            listener("::", dual=True),
            {"::1", "[::1]", "::", "*", "", "localhost", "nas", "127.0.0.1", "127.0.0.2", "0.0.0.0", "192.168.1.20"},
        ),
    ],
)
def test_who_stands_in_the_way(held: Listener, asked: set[str]) -> None:
    known = Sockets(listeners=(held, listener("0.0.0.0", 9)))
    every = {"127.0.0.1", "127.0.0.2", "0.0.0.0", "192.168.1.20", "::1", "[::1]", "::", "*", "", "localhost", "nas"}
    assert {host for host in every if known.holders(host, 7860) == (held,)} == asked
    assert all(known.holders(host, 7861) == () for host in every)


def test_a_name_stands_for_the_addresses_that_were_tested() -> None:
    test = BindTest(host="nas", port=7860, outcome="in-use", family="ipv4", address="192.168.1.20")
    known = Sockets(listeners=(listener("192.168.1.20"), listener("127.0.0.1")), tests=(test,))
    assert known.holders("nas", 7860) == (listener("192.168.1.20"),)


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "*", "::", "::1", "localhost"])
@pytest.mark.parametrize("holder", [one for one in HOLDERS if one.get("listen", True)])
def test_holders_and_bind_tests_agree_on_linux(hold: Open, holder: dict[str, Any], host: str) -> None:
    port = unused()
    hold(**{"port": port, **holder})
    found = collect(TARGET, launch(host, port, listens=port, mode="api-only"))
    assert bool(found.holders(host, port)) == (found.test(port) is not None)


def test_a_suggested_port_is_nobodys() -> None:
    failed = BindTest(host="127.0.0.1", port=7863, outcome="denied")
    free = BindTest(host="127.0.0.1", port=7864, outcome="free")
    known = Sockets(listeners=(listener("::1", 7861), listener("0.0.0.0", 7862)), tests=(failed, free))
    assert known.next_free(7860) == 7864
    assert known.next_free(7999) == 8001, "8000 is a usual port of other programs"
    assert known.next_free(79) == 1024
    assert known.next_free(65535) is None


@given(st.lists(st.integers(1, 65535), max_size=60), st.integers(-5, 70000))
def test_a_suggested_port_is_above_and_free(ports: list[int], after: int) -> None:
    found = Sockets(listeners=tuple(listener("0.0.0.0", port) for port in ports)).next_free(after)
    if after >= 65535:
        assert found is None
    else:
        assert found is None or (found > after and found >= 1024 and found not in ports)
