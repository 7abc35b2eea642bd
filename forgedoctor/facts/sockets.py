"""Who listens on this machine, and whether Forge would get the port it is going to ask for."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts import _bind, _listeners
from forgedoctor.facts._bind import BindTest
from forgedoctor.facts._listeners import Listener
from forgedoctor.facts.launch import Launch
from forgedoctor.target import Target

__all__ = ["BindTest", "Listener", "Sockets", "collect"]

# Ports that a suggestion had better avoid: other programs' defaults, and some that browsers refuse to open
# (Fetch standard, bad ports).
_KEPT = frozenset({
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 3000, 3128, 3306, 3389, 3659, 4045, 4190, 5000, 5060,
    5061, 5173, 5432, 5900, 5984, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000,
    8000, 8080, 8188, 8443, 8888, 9000, 9090, 9200, 10080, 11211, 11434, 27017,
})  # fmt: skip
_ANY = {"ipv4": "0.0.0.0", "ipv6": "::"}


class Sockets(Fact, frozen=True, kw_only=True):
    """The listening TCP sockets, and bind tests of the port that Forge will ask for.

    ``tests``: in the order tried; empty where Forge runs already, where the launch is not known and for port
    0. ``complete``: all listeners were seen, each with its process; where false, ``hint`` says what would
    help, and an empty ``listeners`` proves nothing.
    """

    listeners: tuple[Listener, ...] = ()
    tests: tuple[BindTest, ...] = ()
    complete: bool = True
    hint: str = ""

    def holders(self, host: str, port: int) -> tuple[Listener, ...]:
        """The listeners whose address overlaps with ``host`` on that port.

        ``host``: an address, ``*`` for every address of both families, or a name: one that was tested stands
        for the addresses it had then, ``localhost`` otherwise for 127.0.0.1 and ::1, another for wildcards
        alone. Same address or either a wildcard of the same family overlaps; an IPv6 wildcard overlaps with
        IPv4 where it is ``dual``. Forge's own IPv6 socket never takes IPv4. Overlap prevents a bind on Linux;
        Windows and macOS may let a wildcard and a specific address coexist, so that what counts is
        :meth:`test`.
        """
        wanted = self._addresses(host)
        return tuple(one for one in self.listeners if one.port == port and any(_overlap(one, a, f) for a, f in wanted))

    def test(self, port: int) -> BindTest | None:
        """The first test of that port that was not free; None where all were, or none was made."""
        return next((one for one in self.tests if one.port == port and one.outcome != "free"), None)

    def next_free(self, after: int) -> int | None:
        """The first port above ``after`` (and above 1023) that nobody is seen to hold, for a suggestion.

        Ports whose bind test failed and well-known ports of other programs are left out.
        """
        avoid = _KEPT | {one.port for one in self.listeners}
        avoid |= {one.port for one in self.tests if one.outcome != "free"}
        return next((port for port in range(max(after + 1, 1024), 65536) if port not in avoid), None)

    def _addresses(self, host: str) -> Sequence[tuple[str, str]]:
        """(address, family) of a host; an empty address for a name that is not known."""
        if host in ("", "*"):
            return [(address, family) for family, address in _ANY.items()]
        literal = _literal(host)
        if literal:
            return [literal]
        tested = [(one.address, one.family) for one in self.tests if one.host == host and one.address]
        if tested:
            return list(dict.fromkeys(tested))
        if host.lower() == "localhost":
            return [("127.0.0.1", "ipv4"), ("::1", "ipv6")]
        return [("", "ipv4"), ("", "ipv6")]


def _literal(host: str) -> tuple[str, str] | None:
    try:
        parsed = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return str(parsed), f"ipv{parsed.version}"


def _overlap(one: Listener, address: str, family: str) -> bool:
    if one.family != family:
        return one.dual and family == "ipv4"
    return one.address == address or one.address == _ANY[family] or address == _ANY[family]


@collector(Sockets, scopes=("live", "preflight"))
def collect(target: Target, launch: Launch | None) -> Sockets:
    """Read the table of listeners and test the port of a launch that does not run yet.

    Raises Unavailable where the table is refused and there was nothing to test; where only the table is, the
    tests are given with ``complete`` false.
    """
    tests = _tests(launch, min(1.0, target.timeout)) if launch and not launch.running else ()
    try:
        table = _listeners.read_table()
    except Unavailable as refused:
        if not tests:
            raise
        hint = str(refused.missing.settle or refused.missing.reason)
        return Sockets(source="bind", tests=tests, complete=False, hint=hint)
    source = "table of TCP sockets, bind" if tests else "table of TCP sockets"
    return Sockets(source=source, listeners=table.listeners, tests=tests, complete=table.complete, hint=table.hint)


def _tests(launch: Launch, timeout: float) -> tuple[BindTest, ...]:
    """What Forge will bind, in its order: a walk over a range where no port is given, else that one port."""
    effective = launch.effective
    if effective.port_range:
        ports: Sequence[int] = range(effective.port_range[0], effective.port_range[1] + 1)
    else:
        port = effective.listens if effective.listens is not None else effective.port
        ports = [port] if port else []
    return _bind.walk(
        ports,
        effective.host,
        webui=effective.mode == "webui",
        gradio_host=launch.env.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        timeout=timeout,
    )
