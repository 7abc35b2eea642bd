from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import INFO, POSSIBLE, WARNING, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Launch, Processes, Surroundings
from forgedoctor_checks.reach._offered import offered

_STRICT = 1


@check("reverse-path-filter", severity=INFO, group="reach", systems=["linux"])
def reverse_path_filter(
    surroundings: Surroundings, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """Linux drops what comes in by one network and would be answered by another (rp_filter).

    What happens: with two networks (two cards, Wi-Fi and cable, a VPN) clients behind a router time out on one of the
    addresses, and no firewall rule says why.
    Why: with rp_filter=1 a packet is dropped in silence unless its sender would be answered by the same interface.
    Fix: rp_filter=2 on that interface, which asks only that the sender can be reached somehow.
    Source: Linux, ip-sysctl; the counter IPReversePathFilter in /proc/net/netstat.
    """
    offered(launch, processes)
    names = list(dict.fromkeys(one.interface for one in surroundings.uplinks))
    strict = [name for name in names[1:] if surroundings.reverse_path.get(name) == _STRICT]
    if len(names) < 2 or not strict:
        return
    drops = surroundings.reverse_path_drops
    evidence = [
        Evidence(t("default routes lead over {names}; the first is used", names=", ".join(names)), "/proc/net/route"),
        Evidence(plain(f"rp_filter = 1: {', '.join(strict)}"), "/proc/sys/net/ipv4/conf"),
    ]
    if drops:
        evidence.append(
            Evidence(t("{number} packets were dropped so since the start", number=drops), "/proc/net/netstat")
        )
    key = f"net.ipv4.conf.{strict[0].replace('.', '/')}.rp_filter"
    yield Finding(
        t(
            "Clients that come in over {name} from behind a router may be dropped in silence (rp_filter).",
            name=strict[0],
        ),
        evidence=evidence,
        fixes=[
            Fix(
                title=t("Ask only that the sender can be reached somehow (until the next start):"),
                steps=(shell(f"sudo sysctl -w {key}=2"),),
                needs_admin=True,
                undo=plain(f"sudo sysctl -w {key}=1"),
            )
        ],
        severity=WARNING if drops else INFO,
        confidence=POSSIBLE,
    )
