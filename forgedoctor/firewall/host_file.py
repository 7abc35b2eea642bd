"""Read the host's description: ``ip -j addr``, ``ip -j route`` and the listeners, in one JSON object."""

from __future__ import annotations

import ipaddress
from typing import Any

from forgedoctor.firewall.host_view import HostView, Listener, Network, parse_address

KEYS = ("addresses", "routes", "ip_forward", "listeners")


def read(data: Any) -> HostView:
    """The view of a host; what is missing or malformed stays unknown. Raises ValueError where it is no object."""
    if not isinstance(data, dict):
        raise ValueError(f"a JSON object with the keys {', '.join(KEYS)} is wanted")
    rows = data.get("addresses")
    listeners = data.get("listeners")
    forwards = data.get("ip_forward")
    return HostView(
        addresses=_addresses(rows) if isinstance(rows, list) else None,
        routes=_routes(data.get("routes")),
        forwards=None if forwards is None else str(forwards).lower() not in ("0", "false", ""),
        listeners=[one for row in listeners for one in _listeners(row)] if isinstance(listeners, list) else None,
        ports_of_names={str(row["ifname"]): str(row["master"]) for row in _dicts(rows) if row.get("master")},
    )


def _dicts(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _addresses(rows: Any) -> dict[str, list[tuple[str, int, int]]]:
    found: dict[str, list[tuple[str, int, int]]] = {}
    for row in _dicts(rows):
        own = found.setdefault(str(row.get("ifname", "")), [])
        for each in _dicts(row.get("addr_info")):
            parsed, length = parse_address(each.get("local")), each.get("prefixlen")
            if parsed and isinstance(length, int) and 0 <= length <= (32 if parsed[0] == "ip" else 128):
                own.append((*parsed, length))
    return found


def _routes(rows: Any) -> list[Network]:
    found = []
    for row in _dicts(rows):
        gateway = row.get("gateway") or row.get("via")
        target = str(row.get("dst", ""))
        if target == "default":
            target = "::/0" if ":" in str(gateway) else "0.0.0.0/0"
        try:
            network = ipaddress.ip_network(target, strict=False)
        except ValueError:
            continue
        if not row.get("dev") or row.get("type", "unicast") != "unicast":
            continue
        first = int(network.network_address)
        metric = row.get("metric", 0)
        found.append(
            Network(
                "ip" if network.version == 4 else "ip6", first, int(network.broadcast_address), str(row["dev"]),
                bool(gateway), metric if isinstance(metric, int) else 0,
            )
        )  # fmt: skip
    return found


def _listeners(row: Any) -> list[Listener]:
    """The sockets of one row. ``::`` may take IPv4 too unless ``v6only`` says; ``*`` does."""
    port = row.get("port") if isinstance(row, dict) else None
    if not isinstance(port, int):
        return []
    where, only = str(row.get("addr", "")).strip("[]"), row.get("v6only")
    inside = parse_address(row.get("container"))
    container = inside[1] if inside else None
    if where in ("*", ""):
        return [Listener("*", None, port, container)]
    parsed = parse_address(where)
    if not parsed:
        return []
    family, address = parsed
    if address == 0:
        kind = family if family == "ip" or only is True else "*" if only is False else "::"
        return [Listener(kind, None, port, container)]
    return [Listener(family, address, port, container)]
