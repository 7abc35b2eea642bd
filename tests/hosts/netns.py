"""Two hosts on one machine, for tests: network namespaces with a wire between them, gone when the test is.

``with Hosts() as net: net.server.run([...]); net.client.run([...])``. Nothing in the root namespace is touched: each
wire is made inside the new namespaces, and the rules that a test loads die with them. Needs Linux, ``ip`` and root;
:func:`why_not` says in words what is missing.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER, SERVER6 = "192.168.50.10", "fd50::10"
CLIENT, CLIENT6 = "192.168.50.20", "fd50::20"
THIRD, THIRD6 = "192.168.50.30", "fd50::30"
FAR, FAR6 = "192.168.60.20", "fd60::20"  # the client, where a router stands between
CONTAINER, CONTAINER_GATEWAY = "172.17.0.2", "172.17.0.1"
NOBODY, NOBODY6 = "192.168.50.99", "fd50::99"  # of the same network, and no host has them
_count = itertools.count(1)


class Host:
    """One namespace: run commands in it, load rules into it."""

    def __init__(self, name: str, address: str = "", address6: str = "") -> None:
        self.name, self.address, self.address6 = name, address, address6
        self._started: list[subprocess.Popen[str]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, text in and out. ``env`` is added to a plain environment without proxies."""
        return subprocess.run(
            self.argv(argv), input=stdin, capture_output=True, text=True, timeout=timeout, env=plain(env), check=check,
            cwd=ROOT,
        )  # fmt: skip

    def start(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command that goes on; it is ended with the hosts at the latest."""
        process = subprocess.Popen(
            self.argv(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=plain(env), cwd=ROOT,
        )  # fmt: skip
        self._started.append(process)
        return process

    def argv(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs another one here."""
        return ["ip", "netns", "exec", self.name, *argv]

    def python(self, code: str, *words: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a piece of Python with the interpreter of the tests, the checkout on its path."""
        return self.run([sys.executable, "-c", code, *words], timeout=timeout)

    def doctor(
        self, *words: str, timeout: float = 60.0, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the real program."""
        return self.run([sys.executable, "-m", "forgedoctor", *words], timeout=timeout, env=env)

    def ip(self, *words: str) -> None:
        """``ip -n NAME WORDS``; raises where it fails."""
        _ip("-n", self.name, *words)

    def nft(self, rules: str) -> None:
        """Load a ruleset. nft 1.0.6 wants ``;`` or a new line before every closing brace."""
        self._load(["nft", "-f", "-"], rules)

    def iptables_restore(self, rules: str, tool: str = "iptables-nft-restore") -> None:
        """Load rules with one of the restore tools (``ip6tables-legacy-restore`` …)."""
        self._load([tool], rules)

    def sysctl(self, name: str, value: object) -> None:
        """Set a value below ``net`` (``ipv4/ip_forward``) of this namespace alone."""
        self.run(["sh", "-c", f"echo {value} > /proc/sys/net/{name}"], check=True)

    def listen(self, address: str, port: int, *, backlog: int = 16) -> subprocess.Popen[str]:
        """Something that takes TCP connections at an address until the end, answers HTTP and says who asked."""
        process = self.start([sys.executable, "-c", _LISTENER, address, str(port), str(backlog)])
        assert process.stdout and process.stdout.readline() == "ready\n"
        return process

    def try_connect(self, address: str, port: int, *, timeout: float = 4.0) -> str:
        """What a plain connect from here comes to: open, timeout, or the name of the errno."""
        return self.python(_CONNECT, address, str(port), str(timeout), timeout=timeout + 20).stdout.strip()

    def _load(self, argv: Sequence[str], text: str) -> None:
        done = self.run(argv, stdin=text)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")

    def close(self) -> None:
        """End what runs here, then the namespace."""
        for process in self._started:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        _end_processes(self.name)
        with contextlib.suppress(RuntimeError):
            _ip("netns", "del", self.name)


class Hosts:
    """A server and a client, each with an ``eth0``: 192.168.50.10 and .20, fd50::10 and ::20.

    ``third``: a third host at .30 and ::30, all on one switch (``third``, ``switch``). ``router``: the client is in
    another network (192.168.60.20, fd60::20) behind ``router``. ``container``: a namespace behind a bridge ``docker0``
    of the server (172.17.0.1), with the address 172.17.0.2 and the server as its way out.
    ``settled``: wait (about a second) until every interface counts as running; packets pass before that.
    """

    def __init__(
        self, *, third: bool = False, router: bool = False, container: bool = False, settled: bool = True
    ) -> None:
        self._settled = settled
        self._mark = f"fd-{os.getpid()}-{next(_count)}"
        self._all: list[Host] = []
        self._want = (third, router, container)
        self.third: Host
        self.switch: Host
        self.router: Host
        self.container: Host

    def __enter__(self) -> Hosts:
        third, router, container = self._want
        try:
            self.server = self.host("server", SERVER, SERVER6)
            self.client = self.host("client", *((FAR, FAR6) if router else (CLIENT, CLIENT6)))
            if router:
                self._route()
            elif third:
                self._switch()
            else:
                wire(self.server, self.client)
                self._number(self.server, self.client)
            if container:
                self._contain()
            for one in self._all if self._settled else ():
                _until_running(one)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        while self._all:
            self._all.pop().close()

    def host(self, role: str, address: str = "", address6: str = "") -> Host:
        """A further namespace with only a loopback; ended with the others."""
        one = Host(f"{self._mark}-{role}", address, address6)
        _ip("netns", "add", one.name)
        self._all.append(one)
        one.sysctl("ipv6/conf/default/accept_dad", 0)  # a new IPv6 address works at once
        one.ip("link", "set", "lo", "up")
        return one

    def _number(self, *hosts: Host) -> None:
        for one in hosts:
            number(one, one.address, one.address6)

    def _switch(self) -> None:
        self.third = self.host("third", THIRD, THIRD6)
        self.switch = self.host("switch")
        self.switch.ip("link", "add", "br0", "type", "bridge")
        self.switch.ip("link", "set", "br0", "up")
        for place, one in enumerate((self.server, self.client, self.third)):
            wire(one, self.switch, there=f"port{place}")
            self.switch.ip("link", "set", f"port{place}", "master", "br0", "up")
            self._number(one)

    def _route(self) -> None:
        self.router = self.host("router", "192.168.50.1", "fd50::1")
        wire(self.server, self.router)
        wire(self.client, self.router, there="eth1")
        self._number(self.server, self.client, self.router)
        number(self.router, "192.168.60.1", "fd60::1", "eth1")
        self.router.sysctl("ipv4/ip_forward", 1)
        self.router.sysctl("ipv6/conf/all/forwarding", 1)
        for one, net in ((self.server, 50), (self.client, 60)):
            one.ip("route", "add", "default", "via", f"192.168.{net}.1")
            one.ip("-6", "route", "add", "default", "via", f"fd{net}::1")

    def _contain(self) -> None:
        self.container = self.host("container", CONTAINER)
        self.server.ip("link", "add", "docker0", "type", "bridge")
        self.server.ip("addr", "add", f"{CONTAINER_GATEWAY}/16", "dev", "docker0")
        self.server.ip("link", "set", "docker0", "up")
        wire(self.container, self.server, there="veth0")
        self.server.ip("link", "set", "veth0", "master", "docker0", "up")
        self.container.ip("addr", "add", f"{CONTAINER}/16", "dev", "eth0")
        self.container.ip("link", "set", "eth0", "up")
        self.container.ip("route", "add", "default", "via", CONTAINER_GATEWAY)
        self.server.sysctl("ipv4/ip_forward", 1)


def wire(one: Host, other: Host, *, here: str = "eth0", there: str = "eth0") -> None:
    """A cable between two hosts: an interface in each, not yet up."""
    one.ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", other.name)


def number(one: Host, address: str, address6: str = "", interface: str = "eth0") -> None:
    """Give an interface its addresses (/24 and /64) and bring it up."""
    one.ip("addr", "add", f"{address}/24", "dev", interface)
    if address6:
        one.ip("addr", "add", f"{address6}/64", "dev", interface, "nodad")
    one.ip("link", "set", interface, "up")


def _until_running(host: Host) -> None:
    """Wait until a new interface counts as running, which the kernel settles up to a second later."""
    for _ in range(300):
        shown = host.run(["ip", "-o", "link", "show", "up"]).stdout.splitlines()
        if all("LOWER_UP" in line and "state DOWN" not in line for line in shown if " lo: " not in line):
            return
        time.sleep(0.02)


@functools.cache
def why_not() -> str:
    """Why namespaces cannot be made here, in one sentence; empty where they can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are a thing of Linux"
    if not shutil.which("ip"):
        return "the command ip (iproute2) is not installed"
    try:
        with Hosts(settled=False):
            return ""
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return f"network namespaces cannot be made here: {error}"


def plain(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without proxies and launch variables, in English, with ``env`` on top."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "COMMANDLINE_ARGS"}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **(env or {})}


def _ip(*words: str) -> None:
    done = subprocess.run(
        ["ip", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _end_processes(name: str) -> None:
    """End what a test left running in a namespace that it made itself."""
    for _ in range(50):
        listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
        pids = [int(word) for word in listed.stdout.split()]
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


_LISTENER = """
import socket, sys
address, port, backlog = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family) as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    server.listen(backlog)
    print("ready", flush=True)
    while True:
        peer, who = server.accept()
        with peer:
            peer.settimeout(2)
            try:
                peer.recv(4096)
                text = f"you are {who[0]}\\n".encode()
                peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(text) + text)
            except OSError:
                pass
"""
_CONNECT = """
import errno, socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("open")
except TimeoutError:
    print("timeout")
except OSError as error:
    print(errno.errorcode.get(error.errno, str(error)))
"""
