"""A rule of nftables' JSON as it would stand in a listing, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forgedoctor.firewall.nft_json_values import MALFORMED

_LONGEST = 12  # elements of a set that are shown


def shown(nodes: Sequence[Any], comment: Any = None) -> str:
    """The rule in nftables' own words; where it has none for something, the name of that."""
    parts = [_statement(node) for node in nodes]
    if isinstance(comment, str):
        parts.append(f'comment "{comment}"')
    return " ".join(part for part in parts if part)


def _statement(node: Any) -> str:
    if not isinstance(node, dict) or len(node) != 1:
        return " ".join(str(node).split())
    ((name, inner),) = node.items()
    try:
        return _known(name, inner)
    except MALFORMED:
        return str(name)


def _known(name: str, inner: Any) -> str:
    if name == "match":
        op = "" if inner["op"] in ("==", "in") else f"{inner['op']} "
        return f"{_expression(inner['left'])} {op}{_expression(inner['right'])}"
    if name in ("jump", "goto"):
        return f"{name} {inner['target']}"
    if name == "vmap":
        return f"{_expression(inner['key'])} vmap {_expression(inner['data'])}"
    if name == "mangle":
        return f"{_expression(inner['key'])} set {_expression(inner['value'])}"
    if name == "xt":
        return f"xt {inner['type']} {inner['name']}" if isinstance(inner, dict) else name
    if name == "reject":
        return " ".join(["reject", *(["with", inner["type"], str(inner.get("expr", ""))] if inner else [])]).strip()
    if name in ("dnat", "snat", "masquerade", "redirect", "tproxy"):
        return _nat(name, inner)
    if name in ("set", "map"):
        return f"{inner['op']} {inner[name]} {{ {_expression(inner['elem'])} }}"
    if name == "limit" and isinstance(inner, dict) and "rate" in inner:
        return f"limit rate {'over ' if inner.get('inv') else ''}{inner['rate']}/{inner['per']}"
    return f'{name} "{inner}"' if isinstance(inner, str) else name


def _nat(name: str, inner: Any) -> str:
    if not isinstance(inner, dict) or not ("addr" in inner or "port" in inner):
        return name
    address = _expression(inner["addr"]) if "addr" in inner else ""
    port = f":{_expression(inner['port'])}" if "port" in inner else ""
    address = f"[{address}]" if port and ":" in address else address
    family = f"{inner['family']} " if "family" in inner else ""
    return f"{name} {family}to {address}{port}"


def _expression(node: Any) -> str:
    if isinstance(node, bool):
        return "exists" if node else "missing"
    if isinstance(node, (str, int)):
        return str(node)
    if isinstance(node, list):
        return ",".join(_expression(one) for one in node)
    ((name, inner),) = node.items()
    if name == "payload":
        return (
            f"{inner['protocol']} {inner['field']}"
            if "field" in inner
            else f"@{inner['base']},{inner['offset']},{inner['len']}"
        )
    if name == "meta":
        key = str(inner["key"])
        return key if key in ("iif", "oif", "iifname", "oifname") else f"meta {key}"
    if name == "ct":
        return " ".join(str(one) for one in ("ct", inner.get("dir"), inner.get("family"), inner["key"]) if one)
    if name == "fib":
        return f"fib {' . '.join(inner['flags'])} {inner['result']}"
    if name == "prefix":
        return f"{_expression(inner['addr'])}/{inner['len']}"
    if name == "range":
        return f"{_expression(inner[0])}-{_expression(inner[1])}"
    if name == "concat":
        return " . ".join(_expression(one) for one in inner)
    if name == "set":
        return _set(inner if isinstance(inner, list) else [inner])
    if name in ("&", "|", "^", "<<", ">>"):
        return f" {name} ".join(_expression(one) for one in inner)
    if name == "map":
        return f"{_expression(inner['key'])} map {_expression(inner['data'])}"
    if name == "elem":
        return _expression(inner["val"])
    words = [str(one) for one in inner.values() if isinstance(one, (str, int))] if isinstance(inner, dict) else []
    return " ".join([str(name), *words])


def _set(nodes: Sequence[Any]) -> str:
    parts = [_element(one) for one in nodes[:_LONGEST]]
    return "{ " + ", ".join(parts) + (", … }" if len(nodes) > _LONGEST else " }")


def _element(node: Any) -> str:
    if isinstance(node, list) and len(node) == 2:  # a map's
        given = node[1]
        verdict = isinstance(given, dict) and "concat" not in given
        return f"{_expression(node[0])} : {_statement(given) if verdict else _expression(given)}"
    return _expression(node)
