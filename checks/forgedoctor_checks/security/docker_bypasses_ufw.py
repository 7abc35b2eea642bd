from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, Fix, check, manual, plain, shell, t
from forgedoctor.facts import Container, LinuxFirewall, Processes
from forgedoctor.firewall.container import EVERYWHERE, leading_to, written
from forgedoctor_checks.reach._units import boxed, called


@check("docker-bypasses-ufw", severity=WARNING, group="security", systems=["linux"])
def docker_bypasses_ufw(
    container: Container, firewall: LinuxFirewall, processes: Processes | None
) -> Iterator[Finding]:
    """ufw does not guard Forge's container: its published port is open to everybody who reaches this machine.

    What happens: ufw denies the port, or knows nothing of it, and other machines get in all the same.
    Why: Docker translates the packets of a published port before ufw's rules, which stand in INPUT, could see them;
    they are forwarded, and Docker accepts them.
    Fix: publish on 127.0.0.1 where a reverse proxy or a tunnel stands in front; or filter in the chain DOCKER-USER,
    which Docker leaves to its users. There the port is the container's own: --ctorigdstport names the published one.
    Source: Docker, "Packet filtering and firewalls"; measured: INPUT with the policy DROP, and the port was open.
    """
    if not firewall.ufw:
        return
    for one in boxed(container, processes):
        rows = [row for row in leading_to(one.unit, one.port) if row.host_ip in EVERYWHERE]
        if one.unit.network == "host" or not rows:
            continue
        summary = t(
            "ufw does not keep anybody from Forge's container {name}: Docker opens port {port} past it.",
            name=called(one.unit),
            port=rows[0].host_port,
        )
        yield Finding(
            summary,
            evidence=[
                Evidence(plain(written(rows[0])), f"{one.unit.engine} inspect"),
                Evidence(plain("ENABLED=yes"), "/etc/ufw/ufw.conf"),
            ],
            fixes=list(_fixes(rows[0].host_port, one.port)),
            confidence=LIKELY,
        )


def _fixes(outside: int, inside: int) -> Iterator[Fix]:
    yield Fix(
        title=t("Publish it on this machine only, for a reverse proxy or a tunnel:"),
        steps=(manual(plain(f"-p 127.0.0.1:{outside}:{inside}")),),
        undo=plain(f"-p {outside}:{inside}"),
    )
    rule = f"-p tcp -m conntrack --ctorigdstport {outside} --ctdir ORIGINAL ! -s NETWORK -j DROP"
    yield Fix(
        title=t("Or let only your own network in (write it for NETWORK, such as 192.168.1.0/24):"),
        steps=(shell(f"sudo iptables -I DOCKER-USER {rule}"),),
        safety="needs-person",
        needs_admin=True,
        undo=plain(f"sudo iptables -D DOCKER-USER {rule}"),
    )
