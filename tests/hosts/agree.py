"""Does the evaluator agree with the kernel? Rules are loaded between two namespaces, and real connections are tried.

Used by ``test_agree`` (a few dozen rulesets) and by ``benchmarks/firewall.py --agree`` (as many as one likes).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from forgedoctor.firewall import host_file, recognise
from forgedoctor.firewall.evaluate import Answer, evaluate
from forgedoctor.firewall.model import Ruleset
from forgedoctor.firewall.probes import Probe
from tests.hosts.generate import PORTS, nft
from tests.hosts.generate_iptables import iptables
from tests.hosts.netns import Hosts, wire

HOST = {
    "addresses": [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}, {"local": "::1", "prefixlen": 128}]},
        {"ifname": "eth0", "addr_info": [{"local": "192.168.50.10", "prefixlen": 24}, {"local": "fd50::10", "prefixlen": 64}]},
        {"ifname": "wlan0", "addr_info": [{"local": "192.168.60.10", "prefixlen": 24}]},
        {"ifname": "docker0", "addr_info": [{"local": "172.17.0.1", "prefixlen": 16}]},
    ],
    "routes": [],
    "ip_forward": True,
    "listeners": [
        {"addr": "0.0.0.0", "port": 7860}, {"addr": "::", "port": 7860, "v6only": True}, {"addr": "0.0.0.0", "port": 8080},
        {"addr": "0.0.0.0", "port": 7860, "container": "172.17.0.2"}, {"addr": "127.0.0.1", "port": 8080, "container": "172.17.0.2"},
    ],
}  # fmt: skip
_WAYS = (
    ("eth0", "192.168.50.20", "192.168.50.10"), ("eth0", "192.168.50.200", "192.168.50.10"),
    ("wlan0", "192.168.60.20", "192.168.60.10"), ("eth0", "fd50::20", "fd50::10"),
)  # fmt: skip
PROBES = [
    Probe(name=f"{source} {port}", dport=port, iif=interface, src=source, dst=target)
    for interface, source, target in _WAYS
    for port in PORTS
]
LISTINGS = {
    "nft.txt": ["nft", "list", "ruleset"], "nft.json": ["nft", "-j", "list", "ruleset"],
    "iptables-save": ["iptables-nft-save"], "ip6tables-save": ["ip6tables-nft-save"],
    "iptables-legacy-save": ["iptables-legacy-save"], "ip6tables-legacy-save": ["ip6tables-legacy-save"],
}  # fmt: skip


class Case(NamedTuple):
    """Rules to load, in order: (tool, text)."""

    name: str
    loads: tuple[tuple[tuple[str, ...], str], ...]


class Difference(NamedTuple):
    """A probe whose real end is not the one that was judged."""

    case: Case
    probe: Probe
    real: str
    answer: Answer

    def __str__(self) -> str:
        found = self.answer.decision
        why = "; ".join(map(str, found.because))
        rules = "\n".join(f"# {' '.join(tool)}\n{text}" for tool, text in self.case.loads)
        return f"{self.case.name}: {self.probe.name} is {self.real}, judged {found.verdict}: {why} ({found.rule} {found.where})\n{rules}"


class Result(NamedTuple):
    """What came of one case."""

    probes: int
    undecided: list[Difference]
    wrong: list[Difference]
    refused: str = ""


def case(kind: str, seed: int) -> Case:
    """A random case: ``nft``, ``iptables-nft``, ``iptables-legacy`` or ``mixed``."""
    load = (("nft", "-f", "-"), nft(seed))
    engine = kind.removeprefix("iptables-")
    tables = tuple(
        ((f"{name}-{engine}-restore",), iptables(seed, six)) for name, six in (("iptables", False), ("ip6tables", True))
    )
    if kind == "mixed":
        legacy = (("iptables-legacy-restore",), iptables(seed, False))
        return Case(f"mixed {seed}", (load, legacy))
    return Case(f"{kind} {seed}", (load,) if kind == "nft" else tables)


class Agreement:
    """Two hosts on which many cases are tried, one after the other."""

    def __init__(self) -> None:
        self.net = Hosts(container=True)
        self.legacy: set[str] = set()  # engines that hold rules; nft does not flush these

    def __enter__(self) -> Agreement:
        self.net.__enter__()
        try:
            self._build()
        except BaseException:
            self.net.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.net.__exit__()

    def _build(self) -> None:
        server, client = self.net.server, self.net.client
        wire(server, client, here="wlan0", there="wlan0")
        server.ip("addr", "add", "192.168.60.10/24", "dev", "wlan0")
        client.ip("addr", "add", "192.168.60.20/24", "dev", "wlan0")
        client.ip("addr", "add", "192.168.50.200/24", "dev", "eth0")
        for one in (server, client):
            one.ip("link", "set", "wlan0", "up")
            one.sysctl("ipv4/icmp_ratelimit", 0)
            one.sysctl("ipv6/icmp/ratelimit", 0)
        for name in ("all", "default", "eth0", "wlan0"):
            server.sysctl(f"ipv4/conf/{name}/rp_filter", 0)
        for host, rows in ((server, _LISTENING), (self.net.container, _INSIDE)):
            listener = host.start([sys.executable, "-c", _LISTENERS, json.dumps(rows)])
            assert listener.stdout and listener.stdout.readline() == "ready\n"
        argv = client.argv([sys.executable, "-c", _PROBER])
        self.prober = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        client._started.append(self.prober)

    def compare(self, one: Case, *, seconds: float = 0.4) -> Result:
        """Load the rules, read them back as a user would, judge, connect, compare. What differs is tried again, slower."""
        loaded = self.load(one)
        if isinstance(loaded, str):
            return Result(0, [], [], loaded)
        one = loaded
        rulesets = self.listed(one)
        answers = evaluate(rulesets, PROBES, host_file.read(HOST))
        differing = list(self._differing(one, answers, seconds))
        for _ in range(2):  # a busy machine may be late; what the kernel does stays the same
            if any(each.answer.decision.verdict != "undecided" for each in differing):
                self.load(one)
                differing = list(self._differing(one, answers, 3.5))
        undecided = [each for each in differing if each.answer.decision.verdict == "undecided"]
        return Result(len(PROBES), undecided, [each for each in differing if each not in undecided])

    def load(self, one: Case) -> Case | str:
        """Replace the rules, without the lines that the tool refuses; its words where it takes none."""
        self.flush()
        taken = []
        for tool, text in one.loads:
            if "legacy" in tool[0]:
                self.legacy.add(tool[0])
            words = ""
            for _ in range(8):
                done = self.net.server.run(list(tool), stdin=text)
                if done.returncode == 0:
                    break
                words = done.stderr.strip()
                text = _without(text, {int(number) for number in _LINES.findall(words)})
            else:
                self.flush()
                return words
            taken.append((tool, text))
        return Case(one.name, tuple(taken))

    def flush(self) -> None:
        """No rules and no neighbours known."""
        server = self.net.server
        server.run(["nft", "flush", "ruleset"])
        for tool in self.legacy:
            server.run([tool], stdin=_NOTHING)
        self.legacy.clear()
        for host in (server, self.net.client):
            host.run(["ip", "neigh", "flush", "all"])

    def listed(self, one: Case) -> list[Ruleset]:
        """The listings of the rules in force, read."""
        tools = " ".join(word for tool, _ in one.loads for word in tool)
        names = ["nft.txt", "nft.json"]
        names += [
            name
            for name in LISTINGS
            if "tables" in name and ("legacy" in name) == ("legacy" in tools) and "tables" in tools
        ]
        texts = [(name, self.net.server.run(LISTINGS[name]).stdout) for name in names]
        rulesets, problems = recognise.read([(name, text) for name, text in texts if text.strip()])
        assert not problems, problems
        return rulesets

    def _differing(self, one: Case, answers: Sequence[Answer], seconds: float) -> Iterator[Difference]:
        for probe, answer, real in zip(PROBES, answers, self.probe(seconds), strict=True):
            if real != answer.decision.verdict:
                yield Difference(one, probe, real, answer)

    def probe(self, seconds: float) -> list[str]:
        """The real end of each probe, all tried at once."""
        assert self.prober.stdin and self.prober.stdout
        rows = [[one.src, one.dst, one.dport] for one in PROBES]
        self.prober.stdin.write(json.dumps({"seconds": seconds, "rows": rows}) + "\n")
        self.prober.stdin.flush()
        found: list[str] = json.loads(self.prober.stdout.readline())
        return found


_LINES = re.compile(r"(?:/dev/stdin:|line:? )(\d+)")


def _without(text: str, numbers: set[int]) -> str:
    return "".join(line for number, line in enumerate(text.splitlines(True), 1) if number not in numbers)


_NOTHING = "".join(
    f"*{table}\n" + "".join(f":{hook} ACCEPT [0:0]\n" for hook in hooks) + "COMMIT\n"
    for table, hooks in (
        ("filter", ("INPUT", "FORWARD", "OUTPUT")), ("nat", ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")),
        ("mangle", ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")), ("raw", ("PREROUTING", "OUTPUT")),
    )
)  # fmt: skip
_LISTENING = (("0.0.0.0", 7860), ("::", 7860), ("0.0.0.0", 8080))
_INSIDE = (("0.0.0.0", 7860), ("127.0.0.1", 8080))
_LISTENERS = """
import json, selectors, socket, sys
chosen = selectors.DefaultSelector()
for address, port in json.loads(sys.argv[1]):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((address, port))
    one.listen(256)
    chosen.register(one, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in chosen.select():
        try:
            peer, _ = key.fileobj.accept()
            with peer:
                peer.send(b"hello")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\0" * 8)
        except OSError:
            pass
"""
# Every connection at once; open is a connection on which the server's first bytes arrive.
_PROBER = """
import errno, json, selectors, socket, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    chosen, found = selectors.DefaultSelector(), ["filtered"] * len(asked["rows"])
    for number, (source, target, port) in enumerate(asked["rows"]):
        one = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET)
        one.setblocking(False)
        one.bind((source, 0))
        code = one.connect_ex((target, port))
        if code == errno.ECONNREFUSED:
            found[number] = "refused"
        if code in (0, errno.EINPROGRESS):
            chosen.register(one, selectors.EVENT_WRITE, number)
        else:
            one.close()
    end = time.monotonic() + asked["seconds"]
    while chosen.get_map() and time.monotonic() < end:
        for key, _ in chosen.select(max(0, end - time.monotonic())):
            one, number = key.fileobj, key.data
            done = True
            if key.events == selectors.EVENT_WRITE:
                code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    chosen.modify(one, selectors.EVENT_READ, number)
                    done = False
                elif code in (errno.ECONNREFUSED, errno.ECONNRESET):
                    found[number] = "refused"
            else:
                try:
                    found[number] = "open" if one.recv(5) else "filtered"
                except ConnectionResetError:
                    found[number] = "refused"
                except OSError:
                    pass
            if done:
                chosen.unregister(one)
                one.close()
    for key in list(chosen.get_map().values()):
        key.fileobj.close()
    chosen.close()
    print(json.dumps(found), flush=True)
"""
