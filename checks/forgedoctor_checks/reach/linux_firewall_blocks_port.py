from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, WARNING, Evidence, Finding, Fix, Severity, Undecided, check, t
from forgedoctor.facts import Host, Launch, LinuxFirewall, Processes, Sockets
from forgedoctor.firewall.decision import FILTERED, OPEN, REFUSED, UNDECIDED
from forgedoctor_checks.reach._linux import Way, evidence_of, let_in, rulesets_of, ways
from forgedoctor_checks.reach._offered import offered, weight


@check(
    "linux-firewall-blocks-port", severity=ERROR, group="reach", systems=["linux"],
    explains=["firewall-or-antivirus-blocks"],
)  # fmt: skip
def linux_firewall_blocks_port(
    launch: Launch, firewall: LinuxFirewall, host: Host, processes: Processes | None, sockets: Sockets | None
) -> Iterator[Finding]:
    """A firewall rule of this Linux machine keeps others from Forge's port.

    What happens: the page opens on the machine itself, at its own network address too; from other machines it times
    out, is refused, or the host is called unreachable.
    Why: the packet filter (nftables or iptables, kept by ufw, firewalld or by hand) drops or rejects new connections to
    that port. The rules are walked as the kernel walks them for a client of each network of this machine.
    Fix: allow the port for the own network, in the firewall that keeps the rule.
    Source: the listing of the rules; verdicts of the walk were compared with real packets.
    """
    port = offered(launch, processes)
    _readable(firewall, host, port)
    found = ways(firewall, launch, sockets, port)
    shut = [way for way in found if way.decision.verdict in (FILTERED, REFUSED)]
    if shut:
        yield _finding(launch, firewall, found, shut, port)
        return
    doubt = next((way.decision for way in found if way.decision.verdict == UNDECIDED), None)
    if doubt:
        raise Undecided(doubt.because[0], doubt.settle)


def _readable(firewall: LinuxFirewall, host: Host, port: int) -> None:
    """Raises Undecided where the rules were not seen whole."""
    if firewall.readable:
        return
    settle = t(
        "run it once with sudo; or: sudo nft list ruleset | forgedoctor firewall evaluate --rules - --port {port}",
        port=port,
    )
    if firewall.ufw and not host.elevated:
        template = "ufw is switched on here, and only root may read its rules (its default for what comes in: {policy})"
        raise Undecided(t(template, policy=firewall.ufw_input or "?"), settle)
    if any(one.outcome == "denied" for one in firewall.unread) and not host.elevated:
        raise Undecided(t("only root may read the rules of the firewall"), settle)
    if firewall.unread:
        one = firewall.unread[0]
        template = "{command} told nothing of the firewall's rules: {why}"
        raise Undecided(t(template, command=one.command, why=one.said or one.outcome), settle)
    raise Undecided(t("no program is here that lists the firewall's rules (nft, iptables-save)"), settle)


def _finding(launch: Launch, firewall: LinuxFirewall, found: Sequence[Way], shut: Sequence[Way], port: int) -> Finding:
    first = shut[0]
    keeper = first.decision.manager or "nftables"
    if first.decision.verdict == REFUSED:
        summary = t(
            "The firewall ({keeper}) refuses others on port {port}: {network}.",
            keeper=keeper,
            port=port,
            network=first.network,
        )
    else:
        summary = t(
            "The firewall ({keeper}) lets nobody of {network} in to port {port}.",
            keeper=keeper,
            port=port,
            network=first.network,
        )
    evidence = evidence_of(first)
    evidence += [
        Evidence(t("the same for {network} ({interface})", network=way.network, interface=way.interface))
        for way in shut[1:4]
    ]
    open_to = [way.network for way in found if way.decision.verdict == OPEN]
    if open_to:
        evidence.append(Evidence(t("it is open to {networks}", networks=", ".join(open_to[:4]))))
    return Finding(
        summary,
        evidence=evidence,
        fixes=_fixes(firewall, shut, port),
        severity=_severity(launch, found),
        confidence=CERTAIN,
    )


def _fixes(firewall: LinuxFirewall, shut: Sequence[Way], port: int) -> list[Fix]:
    rulesets = rulesets_of(firewall)
    made = [fix for way in shut[:2] if (fix := let_in(way, rulesets, port))]
    if made:
        return made
    decision = shut[0].decision
    if "table arp " in decision.where:
        return [fixes.advise(t("Take out that rule: it hides this machine's address from its neighbours"))]
    if decision.rule:
        template = "Take out or narrow that rule, or put one before it that accepts TCP port {port} from {network}"
        return [fixes.advise(t(template, port=port, network=shut[0].network))]
    template = "One rule is not enough here: accept TCP port {port} from {network} in every chain that drops ({where} is the first), and let the answers out"
    return [fixes.advise(t(template, port=port, network=shut[0].network, where=decision.where))]


def _severity(launch: Launch, found: Sequence[Way]) -> Severity:
    """An error where others are wanted and none gets in."""
    if weight(launch) is INFO:
        return INFO
    return WARNING if any(way.decision.verdict == OPEN for way in found) else ERROR
