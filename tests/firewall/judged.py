"""What the evaluator says of listings, in one line a question, for the tests beside it."""

from __future__ import annotations

from typing import Any

from forgedoctor.firewall import host_file, recognise
from forgedoctor.firewall.decision import Decision
from forgedoctor.firewall.evaluate import evaluate
from forgedoctor.firewall.probes import Probe

HOST: dict[str, Any] = {
    "addresses": [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}, {"local": "::1", "prefixlen": 128}]},
        {"ifname": "eth0", "addr_info": [{"local": "192.168.50.10", "prefixlen": 24}, {"local": "fd50::10", "prefixlen": 64}]},
        {"ifname": "wlan0", "addr_info": [{"local": "192.168.60.10", "prefixlen": 24}]},
        {"ifname": "docker0", "addr_info": [{"local": "172.17.0.1", "prefixlen": 16}]},
    ],
    "routes": [{"dst": "203.0.113.0/24", "gateway": "192.168.50.1", "dev": "eth0"}],
    "ip_forward": True,
    "listeners": [{"addr": "0.0.0.0", "port": 7860}, {"addr": "::", "port": 7860, "v6only": True}],
}  # fmt: skip
CLIENT, CLIENT6, WIFI, FAR = "192.168.50.20", "fd50::20", "192.168.60.20", "203.0.113.20"
_WAYS = {CLIENT6: ("eth0", "fd50::10"), WIFI: ("wlan0", "192.168.60.10")}


def judged(*listings: str | tuple[str, str], src: str = CLIENT, port: int = 7860, **changes: Any) -> Decision:
    """The decision for a client; ``iif``, ``dst`` as of a probe, ``host`` instead of (or None) HOST, or its keys."""
    texts = [one if isinstance(one, tuple) else (f"file{number}", one) for number, one in enumerate(listings)]
    rulesets, problems = recognise.read(texts)
    assert not problems, problems
    interface, target = _WAYS.get(src, ("eth0", "192.168.50.10"))
    probe = Probe(name="x", src=src, dport=port, iif=changes.pop("iif", interface), dst=changes.pop("dst", target))
    facts = changes.pop("host", HOST)
    host = None if facts is None else host_file.read({**facts, **changes})
    return evaluate(rulesets, [probe], host)[0].decision


def chain(*rules: str, hook: str = "input", priority: int = 0, policy: str = "accept", extra: str = "") -> str:
    """A listing of nft with one base chain."""
    lines = "\n".join(f"\t\t{rule}" for rule in rules)
    head = f"\t\ttype filter hook {hook} priority {priority}; policy {policy};"
    return f"table inet t {{\n{extra}\tchain {hook} {{\n{head}\n{lines}\n\t}}\n}}\n"


def verdict(*listings: str | tuple[str, str], **how: Any) -> str:
    """Only its verdict."""
    return judged(*listings, **how).verdict
