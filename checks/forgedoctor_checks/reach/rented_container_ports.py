from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, POSSIBLE, Evidence, Finding, check, t
from forgedoctor.facts import Launch, Processes, Surroundings
from forgedoctor_checks.reach._offered import offered

_SHOWN = {"AutoDL": (6006, 6008)}  # ports that the platform shows by itself. Source: its help pages


@check("rented-container-ports", severity=INFO, group="reach")
def rented_container_ports(
    surroundings: Surroundings, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """This is a rented container: the platform shows only the ports that were chosen there.

    What happens: Forge listens on 7860, and the platform's address does not lead to it.
    Why: RunPod and Vast.ai map the ports that the template names, each to another number outside; AutoDL shows 6006
    (and 6008); Colab and Kaggle show none.
    Fix: name the port in the platform's settings, start Forge on the one that is shown, or use an SSH tunnel.
    Source: the platforms' pages; they are recognised by an environment variable.
    """
    port = offered(launch, processes)
    platform = surroundings.platform
    outside = dict(surroundings.mapped).get(port)
    shown = _SHOWN.get(platform, ())
    if not platform or outside or port in shown:
        return
    evidence = [Evidence(t("the variable {name} is set", name=surroundings.platform_because))]
    if surroundings.mapped:
        listed = ", ".join(f"{inside} -> {out}" for inside, out in surroundings.mapped[:6])
        evidence.append(Evidence(t("the platform maps: {ports}", ports=listed)))
    advice = t("Add {port} to the ports in the settings of the platform, and use the address that it shows", port=port)
    if shown:
        advice = t("Start Forge with --port {port}, which {platform} shows by itself", port=shown[0], platform=platform)
    tunnel = t("Or take an SSH tunnel on your side: {command}", command=f"ssh -L {port}:127.0.0.1:{port} USER@SERVER")
    yield Finding(
        t(
            "This is a container of {platform}: port {port} is reachable from outside only if it is shown there.",
            platform=platform,
            port=port,
        ),
        evidence=evidence,
        fixes=[fixes.advise(advice), fixes.advise(tunnel)],
        confidence=POSSIBLE,
    )
