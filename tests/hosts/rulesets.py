"""The rulesets whose effect is measured with real packets: one file each below ``rulesets/``.

The folder says who loads it: ``nft/*.nft`` is fed to ``nft -f``; ``iptables``, ``legacy``, ``ufw`` and ``firewalld``
hold shell commands. The file begins with comment lines; none of them says what will happen, packets do that:

``# shows:``        why the ruleset is here, in one line (required)
``# listen:``       where something listens, ``0.0.0.0:7860 [::]:7860`` unless told; ``container=`` before an address
                    puts it into the container (172.17.0.2, fd17::2 behind ``docker0``); ``nothing`` for none
``# probes:``       who connects and where to: ``lan4`` (port 7860), ``lan4:80``, ``lan4>172.17.0.2:7860``
``# undecidable:``  what the rules leave open, as the program must name it; without it every probe must be decided
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("rulesets")
KINDS = ("nft", "iptables", "legacy", "ufw", "firewalld")
FORGE = 7860


@dataclass(frozen=True)
class Client:
    """Where a probe comes from: the interface it arrives on, its address, and which of ours it connects to."""

    iif: str
    src: str
    dst: str


CLIENTS = {
    "lan4": Client("eth0", "192.168.50.20", "192.168.50.10"),
    "lan4b": Client("eth0", "192.168.50.200", "192.168.50.10"),
    "far4": Client("eth0", "203.0.113.20", "192.168.50.10"),
    "wifi4": Client("wlan0", "192.168.61.20", "192.168.61.10"),
    "lan6": Client("eth0", "fd50::20", "fd50::10"),
    "lan6b": Client("eth0", "fd50::200", "fd50::10"),
}


@dataclass(frozen=True)
class Listener:
    """A listening socket, on the host or in the container."""

    addr: str
    port: int
    container: bool = False


@dataclass(frozen=True)
class Probe:
    """One connection that is tried."""

    name: str
    iif: str
    src: str
    dst: str
    dport: int


@dataclass(frozen=True)
class Ruleset:
    """One file of ``rulesets/``."""

    kind: str
    path: Path
    shows: str
    listeners: tuple[Listener, ...]
    probes: tuple[Probe, ...]
    undecidable: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.path.stem}"


def every() -> list[Ruleset]:
    """All rulesets, in the order of their ids."""
    return [read(path) for kind in KINDS for path in sorted((FOLDER / kind).iterdir())]


def read(path: Path) -> Ruleset:
    """One file's header. Raises ValueError where it is not as described above."""
    header = {"listen": f"0.0.0.0:{FORGE} [::]:{FORGE}", "probes": "lan4 lan4b far4 wifi4 lan6", "undecidable": ""}
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(r"# (shows|listen|probes|undecidable): (.+)", line)
        if not found:
            break
        header[found[1]] = found[2]
    if "shows" not in header:
        raise ValueError(f"{path}: begins without '# shows: …'")
    return Ruleset(
        kind=path.parent.name,
        path=path,
        shows=header["shows"],
        listeners=tuple(_listener(word) for word in header["listen"].split() if word != "nothing"),
        probes=tuple(_probe(word) for word in header["probes"].split()),
        undecidable=header["undecidable"],
    )


def _listener(word: str) -> Listener:
    where, _, socket = word.rpartition("=")
    address, port = _socket(socket)
    return Listener(address, port, container=where == "container")


def _probe(word: str) -> Probe:
    who, _, target = word.partition(">")
    who, _, port = who.partition(":")
    client = CLIENTS[who]
    address, number = _socket(target) if target else (client.dst, int(port or FORGE))
    return Probe(word, client.iif, client.src, address, number)


def _socket(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)
