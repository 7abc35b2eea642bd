from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, Evidence, Finding, Message, check, t
from forgedoctor.facts import Interfaces, Launch, Sockets
from forgedoctor_checks.launch._words import shown


@check("bind-address-invalid", severity=ERROR, group="port", explains=["endpoint-unreachable", "server-thread-dead", "port-in-use", "insecure-exposure"])
def bind_address_invalid(launch: Launch, sockets: Sockets | None, interfaces: Interfaces | None) -> Iterator[Finding]:
    """--server-name is not an address of this machine.

    What happens: the web UI tries 100 ports, five seconds each, with "[Errno 99] cannot assign requested address" or
    "[Errno -2] Name or service not known", and ends in a misleading "Cannot find empty port"; with --nowebui the
    server's thread ends. The process stays.
    Why: --server-name is the address to listen on: one of this machine's own. It is no URL, no host:port, not the
    public name of the router, not the name that a proxy serves.
    Fix: --listen, or one of this machine's own addresses.
    Source: recorded starts with foreign, unresolvable and URL-like names.
    """
    it = launch.effective
    name = launch.option("server_name")
    if it.exit is not None or not name:
        return
    shape = _shape(name)
    test = next((one for one in sockets.tests if one.outcome in ("not-local", "unresolvable")), None) if sockets else None
    if not shape and not test:
        return
    evidence = [Evidence(shape)] if shape else []
    if test:
        evidence.append(Evidence(t("binding {host} was tried and refused: {message}", host=test.host, message=test.message)))
    own = interfaces.lan() if interfaces else ()
    if own:
        evidence.append(Evidence(t("this machine's own addresses: {addresses}", addresses=", ".join(own))))
    right = "--listen" if not name.startswith("127.") else "--server-name 127.0.0.1"
    yield Finding(
        t("Forge cannot listen on \"{name}\": it is not an address of this machine.", name=name),
        evidence=[*evidence, shown(launch)],
        fixes=[fixes.change_flags(launch, drop=["--server-name"], add=[right])],
        confidence=CERTAIN if test or shape else LIKELY,
    )


def _shape(name: str) -> Message | None:
    if "://" in name or "/" in name:
        return t("{name} is a URL; an address alone is wanted", name=name)
    if name.count(":") == 1:
        return t("{name} holds a port; the port belongs to --port", name=name)
    return None
