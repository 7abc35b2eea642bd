"""What a ruleset really does: a fresh pair of hosts, its rules, real listeners, real connections.

``Bench`` measures several rulesets at once, each in namespaces of its own, since most of the time is waiting for
packets that were dropped.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from forgedoctor import cli
from tests.hosts import loaders
from tests.hosts.netns import CONTAINER, Host, Hosts, number, plain, wire
from tests.hosts.rulesets import Listener, Ruleset

CONTAINER6 = "fd17::2"
TALK = str(Path(__file__).with_name("rulesets_talk.py"))
PATIENCE = 3.6  # longer than a failing neighbour discovery, which takes 3.1 s
AT_ONCE = 12


@dataclass(frozen=True)
class Outcome:
    """What became of one connection: ``verdict`` open, refused or filtered; the client's ``symptom`` and when."""

    verdict: str
    symptom: str
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One ruleset's truth, and what the doctor may know of it: the listings, the host, the probes (files).

    ``before``: what became of the same connections before the rules were loaded.
    """

    before: dict[str, Outcome]
    outcomes: dict[str, Outcome]
    listings: list[Path]
    host: Path
    probes: Path


Said = dict[str, dict[str, object]]


class Bench:
    """Measures rulesets in the background, and asks the program about them; ends with the namespaces gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(2 * AT_ONCE)  # one measures, one waits to ask about that
        self._futures: dict[str, Future[Measured]] = {}
        self._said: dict[str, Future[Said]] = {}

    def begin(self, rulesets: Iterable[Ruleset]) -> None:
        """Start on these; they are taken in that order."""
        for one in rulesets:
            if one.id not in self._futures:
                self._futures[one.id] = self._pool.submit(measure, one, self._folder / one.id)
                self._said[one.id] = self._pool.submit(_evaluate, self._futures[one.id])

    def of(self, ruleset: Ruleset) -> Measured:
        """A ruleset's measurement, waited for. Raises what measuring it raised."""
        self.begin([ruleset])
        return self._futures[ruleset.id].result(timeout=120)

    def parts(self, ruleset: Ruleset) -> list[tuple[str, ...]]:
        """Listings that say by themselves all that is in force, each engine's in one form."""
        names = sorted(path.name for path in self.of(ruleset).listings)
        beside = [name for name in names if "legacy" in name or "ipset" in name]
        made = [(form, *beside) for form in ("nft.txt", "nft.json")]
        saved = [name for name in names if name.endswith("-save.txt")]
        if ruleset.kind in ("iptables", "legacy", "ufw") and "nft add" not in ruleset.path.read_text(encoding="utf-8"):
            made.append(tuple(saved))
        return made

    def evaluated(self, ruleset: Ruleset) -> Said:
        """What the real program says of each probe, from all listings; asked in the background as well."""
        self.of(ruleset)
        return self._said[ruleset.id].result(timeout=120)

    def evaluated_in_part(self, ruleset: Ruleset, part: tuple[str, ...]) -> Said:
        """What it says from some listings only; in this process, since there are many."""
        known = self.of(ruleset)
        listings = [path for path in known.listings if path.name in part]
        done = CliRunner().invoke(cli.cli, _question(known, listings))
        return _said(done.output, f"exit {done.exit_code}, {done.exception!r}")

    def close(self) -> None:
        """What has not begun does not; what has ends its namespaces first."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _evaluate(measuring: Future[Measured]) -> Said:
    known = measuring.result(timeout=120)
    done = subprocess.run(
        [sys.executable, "-m", "forgedoctor", *_question(known, known.listings)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=plain(), check=False,
    )  # fmt: skip
    return _said(done.stdout, f"exit {done.returncode}: {done.stderr.strip()[-2000:]}")


def _question(known: Measured, listings: list[Path]) -> list[str]:
    words = ["firewall", "evaluate", "--format", "json", "--probes", str(known.probes), "--host", str(known.host)]
    return [*words, *(word for path in listings for word in ("--rules", str(path)))]


def _said(answer: str, otherwise: str) -> Said:
    try:
        return {row["name"]: row for row in json.loads(answer)["probes"]}
    except (ValueError, KeyError):
        raise RuntimeError(otherwise) from None


def measure(ruleset: Ruleset, work: Path) -> Measured:
    """Load it, connect from outside, and say what happened. ``work`` is a folder of its own, made here."""
    with Hosts(container=True) as net:
        _furnish(net)
        _listen(net.server, [one for one in ruleset.listeners if not one.container])
        _listen(net.container, [one for one in ruleset.listeners if one.container])
        before = _connect(net.client, ruleset)
        for one in (net.server, net.client, net.container):  # so that each neighbour has to be found anew
            one.ip("neigh", "flush", "all")
        listings = loaders.load(net.server, ruleset, work)
        host, probes = work / "host.json", work / "probes.json"
        host.write_text(json.dumps(_host(net.server, ruleset)))
        probes.write_text(json.dumps([{**vars(probe), "proto": "tcp"} for probe in ruleset.probes]))
        return Measured(before, _connect(net.client, ruleset), listings, host, probes)


def _connect(client: Host, ruleset: Ruleset) -> dict[str, Outcome]:
    ways = json.dumps({probe.name: vars(probe) for probe in ruleset.probes})
    done = client.run([sys.executable, "-S", TALK, "probe", str(PATIENCE)], stdin=ways, check=True)
    return {name: Outcome(_verdict(seen[0]), *seen) for name, seen in json.loads(done.stdout).items()}


def _verdict(symptom: str) -> str:
    return {"open": "open", "ECONNREFUSED": "refused"}.get(symptom, "filtered")


def _furnish(net: Hosts) -> None:
    """A second address and a far one for the client, a second wire, IPv6 for the container, no ICMP rate limits."""
    server, client, container = net.server, net.client, net.container
    for words in ("192.168.50.200/24 dev eth0", "203.0.113.20/32 dev lo", "fd50::200/64 dev eth0 nodad"):
        client.ip("addr", "add", *words.split())
    wire(server, client, here="wlan0", there="wlan0")
    number(server, "192.168.61.10", interface="wlan0")
    number(client, "192.168.61.20", interface="wlan0")
    server.ip("route", "add", "203.0.113.0/24", "via", "192.168.50.20")
    server.ip("addr", "add", "fd17::1/64", "dev", "docker0", "nodad")
    container.ip("addr", "add", f"{CONTAINER6}/64", "dev", "eth0", "nodad")
    container.ip("-6", "route", "add", "default", "via", "fd17::1")
    for interface, net, sources in (
        ("eth0", 50, ("192.168.50.0/24", "203.0.113.20")),
        ("wlan0", 61, ("192.168.61.20",)),
    ):
        client.ip("route", "add", f"192.168.{net}.0/24", "dev", interface, "table", str(net))
        client.ip("route", "add", "default", "via", f"192.168.{net}.10", "dev", interface, "table", str(net))
        for source in sources:  # a packet leaves by the wire of its source, wherever it goes
            client.ip("rule", "add", "from", source, "lookup", str(net))
    client.ip("-6", "route", "add", "fd17::/64", "via", "fd50::10")
    server.sysctl("ipv6/conf/all/forwarding", 1)
    for one in (server, container):
        one.sysctl("ipv4/icmp_ratemask", 0)
        one.sysctl("ipv6/icmp/ratelimit", 0)


def _listen(host: Host, listeners: list[Listener]) -> None:
    if not listeners:
        return
    words = [word for one in listeners for word in (one.addr, str(one.port))]
    process = host.start([sys.executable, "-S", TALK, "listen", *words])
    if not process.stdout or process.stdout.readline() != "ready\n":
        raise RuntimeError(f"nothing could listen on {words}: {process.communicate()[1]}")


def _host(server: Host, ruleset: Ruleset) -> dict[str, object]:
    """What the evaluator may know of the host besides its rules."""

    def asked(*words: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(server.run(["ip", "-j", *words], check=True).stdout or "[]")
        return [row for row in rows if row]

    listeners = []
    for one in ruleset.listeners:
        home = (CONTAINER6 if ":" in one.addr else CONTAINER) if one.container else None
        listeners.append({"addr": one.addr, "port": one.port, "container": home})
    return {
        "addresses": asked("addr"),
        "routes": asked("route") + asked("-6", "route"),
        "ip_forward": True,
        "listeners": listeners,
    }


def sweep() -> None:
    """End the namespaces of test runs that were killed: those named after a process that is no more."""
    for entry in Path("/run/netns").glob("fd-*"):
        owner = re.match(r"fd-(\d+)-", entry.name)
        if owner and not Path("/proc", owner[1]).exists():
            Host(entry.name).close()
