"""What the packet filter of a Linux machine does with clients of its own networks, and how a client is let in.

The evaluator is imported where there are rules to evaluate: most machines have none, and every start pays for imports.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from forgedoctor.check import Evidence, Fix, plain, shell, t
from forgedoctor.facts import Launch, LinuxFirewall, Sockets
from forgedoctor.firewall.decision import OPEN, Decision
from forgedoctor_checks.reach._urls import loopback

if TYPE_CHECKING:
    from forgedoctor.firewall.model import Chain, Ruleset, Table

# Interfaces of containers, virtual machines and tunnels on this machine: nobody's phone comes in there.
_VIRTUAL = (
    "docker",
    "br-",
    "veth",
    "virbr",
    "lxc",
    "cni",
    "flannel",
    "cali",
    "podman",
    "tun",
    "tap",
    "wg",
    "zt",
    "dummy",
)
_Listings = tuple[tuple[str, str], ...]  # (command, what it printed)
_WHERE = re.compile(r"table (\S+) (\S+), chain (\S+)$")
_ZONE = re.compile(r"^(?:filter_)?IN_(.+?)(?:_(?:pre|log|deny|allow|post))?$")


class Way(NamedTuple):
    """One network of this machine, and what becomes of a client there. ``address`` is this machine's in it."""

    interface: str
    address: str
    network: str
    decision: Decision

    @property
    def family(self) -> str:
        return "ip6" if ":" in self.network else "ip"


def ways(firewall: LinuxFirewall, launch: Launch, sockets: Sockets | None, port: int) -> list[Way]:
    """The networks from which others would come, each with its decision; none where there is no network."""
    places = [one for one in _places(firewall) if _bound(launch, one[1])]
    if firewall.readable and not any(one.text.strip() for one in firewall.listings):
        return [Way(*place, Decision(verdict=OPEN, because=(t("the packet filter has no rules"),))) for place in places]
    host = msgspec.json.encode({
        "addresses": firewall.addresses,
        "routes": firewall.routes,
        "ip_forward": firewall.ip_forward,
        "listeners": _listeners(launch, sockets, port),
    })  # fmt: skip
    decisions = _decided(_texts(firewall), host, tuple(places), port)
    return [Way(*place, decision) for place, decision in zip(places, decisions, strict=True)]


def rulesets_of(firewall: LinuxFirewall) -> list[Ruleset]:
    """The listings, read."""
    return list(_read(_texts(firewall)))


def _texts(firewall: LinuxFirewall) -> _Listings:
    return tuple((one.command, one.text) for one in firewall.listings)


@functools.lru_cache(maxsize=2)  # two checks ask for the same
def _decided(
    listings: _Listings, host: bytes, places: tuple[tuple[str, str, str], ...], port: int
) -> tuple[Decision, ...]:
    from forgedoctor.firewall import host_file
    from forgedoctor.firewall.evaluate import evaluate
    from forgedoctor.firewall.probes import Probe

    probes = [Probe(name=str(n), iif=i, src=net, dst=a, dport=port) for n, (i, a, net) in enumerate(places)]
    view = host_file.read(msgspec.json.decode(host))
    return tuple(answer.decision for answer in evaluate(_read(listings), probes, view))


@functools.lru_cache(maxsize=2)
def _read(listings: _Listings) -> tuple[Ruleset, ...]:
    from forgedoctor.firewall import recognise
    from forgedoctor.firewall.model import Ruleset

    empty = [Ruleset(kind=_kind(command), source=command) for command, text in listings if not text.strip()]
    full = [(command, text) for command, text in listings if text.strip()]
    return (*empty, *recognise.read(full)[0]) if full else tuple(empty)


def _kind(command: str) -> str:
    return "nft-text" if command.startswith("nft") else "ip6tables" if command.startswith("ip6") else "iptables"


def _places(firewall: LinuxFirewall) -> list[tuple[str, str, str]]:
    """(interface, own address, its network) of what others may come in by."""
    found = []
    for row in firewall.addresses:
        name = str(row.get("ifname", ""))
        if name == "lo" or name.startswith(_VIRTUAL) or row.get("operstate") == "DOWN":
            continue
        for info in row.get("addr_info") or ():
            try:
                own = ipaddress.ip_interface(f"{info.get('local')}/{info.get('prefixlen')}")
            except ValueError:
                continue
            if not own.ip.is_link_local and not own.ip.is_loopback:
                found.append((name, str(own.ip), str(own.network)))
    return found


def _bound(launch: Launch, address: str) -> bool:
    """Whether Forge listens on that address."""
    host = launch.effective.host
    if host in ("*", ""):
        return True
    if host in ("0.0.0.0", "::"):
        return (":" in address) == (host == "::")
    return host == address or not re.fullmatch(r"[\d.]+|[\da-f:]+", host)


def _listeners(launch: Launch, sockets: Sockets | None, port: int) -> list[dict[str, object]]:
    """Who takes the connection: the sockets of a Forge that runs, else those that it will open."""
    seen = [one for one in sockets.listeners if one.port == port] if launch.running and sockets else []
    if seen:
        return [{"addr": one.address, "port": port, "v6only": not one.dual} for one in seen]
    host = launch.effective.host
    hosts = ("0.0.0.0", "::") if host in ("*", "") or not re.fullmatch(r"[\d.]+|[\da-f:]+", host) else (host,)
    return [{"addr": one, "port": port, "v6only": True} for one in hosts if not loopback(one)]


# -- letting a client in --------------------------------------------------------------------------------------------


def let_in(way: Way, rulesets: Sequence[Ruleset], port: int) -> Fix | None:
    """The narrowest rule that opens the port to that network, in the words of whoever keeps the deciding rule."""
    makers = {"ufw": _ufw, "firewalld": _firewalld, "nftables": _nftables, "iptables": _iptables}
    maker = makers.get(way.decision.manager)
    return maker(way, rulesets, port) if maker else None


def _fix(commands: Sequence[str], undo: str) -> Fix:
    steps = tuple(shell(command) for command in commands)
    return Fix(title=t("Allow the port for your own network:"), steps=steps, needs_admin=True, undo=plain(undo))


def _ufw(way: Way, rulesets: Sequence[Ruleset], port: int) -> Fix:
    rule = f"allow from {way.network} to any port {port} proto tcp"
    place = "insert 1 " if way.decision.rule and "user" in way.decision.where else ""
    return _fix([f"sudo ufw {place}{rule}"], f"sudo ufw delete {rule}")


def _firewalld(way: Way, rulesets: Sequence[Ruleset], port: int) -> Fix | None:
    found = _WHERE.search(way.decision.where)
    table, chain = (found[2], found[3]) if found else ("", "")
    if table.endswith("policy_drop"):  # the table that drops all while firewalld reloads, or in panic mode
        panic = t("firewalld is in panic mode, which drops everything. Leave it:")
        leave = shell("sudo firewall-cmd --panic-off")
        return Fix(title=panic, steps=(leave,), needs_admin=True, undo=plain("sudo firewall-cmd --panic-on"))
    if chain.endswith("_pre"):
        return None  # a rule with a priority of its own, which another may not beat
    zone = _ZONE.match(chain)
    where = f" --zone={zone[1]}" if zone else ""
    family = "ipv6" if way.family == "ip6" else "ipv4"
    # firewalld puts denying rules before allowing ones; a negative priority comes before both (firewalld.richlanguage).
    first = 'priority="-1" ' if chain.endswith("_deny") else ""
    rich = f'\'rule {first}family="{family}" source address="{way.network}" port port="{port}" protocol="tcp" accept\''
    add = [f"sudo firewall-cmd{kept}{where} --add-rich-rule={rich}" for kept in ("", " --permanent")]
    back = "\n".join(one.replace("--add-rich-rule", "--remove-rich-rule") for one in add)
    return _fix(add, back)


def _nftables(way: Way, rulesets: Sequence[Ruleset], port: int) -> Fix | None:
    found = _WHERE.search(way.decision.where)
    if not found or not _opens(way, rulesets, found, port):
        return None
    family, table, chain = found.groups()
    rule = f"sudo nft insert rule {family} {table} {chain} {way.family} saddr {way.network} tcp dport {port} accept"
    title = t("Let your own network in, until this machine restarts; write it into /etc/nftables.conf to keep it:")
    undo = (
        f"sudo nft -a list chain {family} {table} {chain}\nsudo nft delete rule {family} {table} {chain} handle NUMBER"
    )
    return Fix(title=title, steps=(shell(rule),), needs_admin=True, undo=plain(undo))


def _iptables(way: Way, rulesets: Sequence[Ruleset], port: int) -> Fix | None:
    found = _WHERE.search(way.decision.where)
    if not found or not _opens(way, rulesets, found, port):
        return None
    family, table, chain = found.groups()
    legacy = any(one.engine == "iptables-legacy" and one.name == table for each in rulesets for one in each.tables)
    program = ("ip6tables" if family == "ip6" else "iptables") + ("-legacy" if legacy else "")
    rest = f"-t {table} " if table != "filter" else ""
    rule = f"{chain} {{}}-s {way.network} -p tcp --dport {port} -j ACCEPT"
    title = t(
        "Let your own network in, until this machine restarts; where netfilter-persistent is installed, sudo netfilter-persistent save keeps it:"
    )
    add, drop = (f"sudo {program} {rest}{how} {rule.format(n)}" for how, n in (("-I", "1 "), ("-D", "")))
    return Fix(title=title, steps=(shell(add),), needs_admin=True, undo=plain(drop))


def _opens(way: Way, rulesets: Sequence[Ruleset], place: re.Match[str], port: int) -> bool:
    """Whether that rule would really open the port: tried on the listing."""
    from forgedoctor.firewall.evaluate import evaluate
    from forgedoctor.firewall.probes import Probe

    changed = [_with_rule(one, place, way, port) for one in rulesets]
    probe = Probe(name="after", iif=way.interface, src=way.network, dst=way.address, dport=port)
    return evaluate(changed, [probe])[0].decision.verdict == OPEN


def _with_rule(ruleset: Ruleset, place: re.Match[str], way: Way, port: int) -> Ruleset:
    from forgedoctor.firewall.model import Match, Members, Rule, Verdict

    family, name, chain = place.groups()
    net = ipaddress.ip_network(way.network)
    source = (int(net.network_address), int(net.broadcast_address))
    accept = Rule(
        statements=(
            Match(fields=(f"{way.family} saddr",), members=Members(elements=((source,),))),
            Match(fields=("tcp dport",), members=Members(elements=(((port, port),),))),
            Verdict(kind="accept"),
        )
    )

    def changed(table: Table) -> Table:
        at: Chain | None = table.chains.get(chain)
        if (table.family, table.name) != (family, name) or at is None:
            return table
        return msgspec.structs.replace(
            table, chains={**table.chains, chain: msgspec.structs.replace(at, rules=(accept, *at.rules))}
        )

    return msgspec.structs.replace(ruleset, tables=tuple(changed(table) for table in ruleset.tables))


def evidence_of(way: Way) -> list[Evidence]:
    """The deciding rule, and what it does to whom."""
    decision = way.decision
    found = [Evidence(reason) for reason in decision.because[:2]]
    if decision.rule:
        found.append(Evidence(plain(decision.rule), decision.where))
    elif decision.where:
        found[0] = Evidence(decision.because[0], decision.where)
    return found
