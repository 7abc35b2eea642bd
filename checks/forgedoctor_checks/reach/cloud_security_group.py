from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, POSSIBLE, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Processes, Surroundings
from forgedoctor_checks.reach._offered import offered


@check("cloud-security-group", severity=INFO, group="reach")
def cloud_security_group(
    surroundings: Surroundings, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """This machine stands in a cloud: its security group decides, and that cannot be seen from inside.

    What happens: Forge listens, no firewall of the machine is in the way, and clients from elsewhere time out.
    Why: the machine has a private address; the public one belongs to the cloud, which lets in only the ports that its
    security group (network security group, firewall rule) names. The machine never sees what is dropped there.
    Fix: allow the TCP port there, for your own address only; or leave it closed and use an SSH tunnel.
    Source: the vendor's mark in the firmware (DMI); this is inferred, not seen.
    """
    port = offered(launch, processes)
    private = [one.address for one in surroundings.placed if one.kind == "private" and ":" not in one.address]
    if not surroundings.cloud or not private or "public" in surroundings.kinds():
        return
    allow = t(
        "In the console of {cloud}, let TCP port {port} in for your own address (never for 0.0.0.0/0 without a login)",
        cloud=surroundings.cloud, port=port,
    )  # fmt: skip
    tunnel = t(
        "Or leave it closed, and take an SSH tunnel on your side: {command}",
        command=f"ssh -L {port}:127.0.0.1:{port} USER@SERVER",
    )
    yield Finding(
        t(
            "From outside, the security group of {cloud} decides about port {port}; it cannot be seen from here.",
            cloud=surroundings.cloud,
            port=port,
        ),
        evidence=[
            Evidence(
                t(
                    "the firmware bears the mark of {cloud}: {mark}",
                    cloud=surroundings.cloud,
                    mark=surroundings.cloud_because,
                ),
                "/sys/class/dmi/id",
            ),
            Evidence(t("its own address is private: {address}; the public one is the cloud's", address=private[0])),
        ],
        fixes=[fixes.advise(allow, undo=t("take that rule out again")), fixes.advise(tunnel)],
        confidence=POSSIBLE,
    )
