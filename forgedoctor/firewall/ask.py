"""The probes to make where none were given: somebody on the same network connects to the port."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from forgedoctor.firewall.host_view import HostView, parse_address
from forgedoctor.firewall.probes import Probe

# Interfaces that lead to containers and virtual machines on the host, not to other machines.
_INNER = ("lo", "docker", "br-", "veth", "virbr", "cni", "podman", "lxcbr", "flannel", "cali")


def probes(
    port: int, host: HostView | None, *, source: str = "", target: str = "", interface: str = "", six: bool = True
) -> list[Probe]:
    """Probes of that port, one for each address of the host that others see; ``six``: of IPv6 too."""
    given = parse_address(target) or parse_address(source)
    families = [given[0]] if given else ["ip", "ip6"] if six else ["ip"]
    if target or host is None or host.addresses is None:
        return [
            Probe(name=_NAMES[family], dport=port, iif=interface, src=source, dst=target, family=family)
            for family in families
        ]
    found = [one for family in families for one in _own(port, host, family, source, interface)]
    return found or [Probe(name=_NAMES[families[0]], dport=port, iif=interface, src=source, family=families[0])]


_NAMES = {"ip": "ipv4", "ip6": "ipv6"}


def _own(port: int, host: HostView, family: str, source: str, interface: str) -> Iterator[Probe]:
    assert host.addresses is not None
    for name, rows in host.addresses.items():
        if (interface and name != interface) or (not interface and name.startswith(_INNER)):
            continue
        for kind, address, length in rows:
            own = ipaddress.ip_address(address) if kind == "ip" else ipaddress.IPv6Address(address)
            if kind != family or own.is_link_local or own.is_loopback:
                continue
            network = source or str(ipaddress.ip_network(f"{own}/{length}", strict=False))
            yield Probe(name=f"{_NAMES[family]} {name}", dport=port, iif=name, src=network, dst=str(own))
            break
