from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import (
    ERROR,
    LIKELY,
    POSSIBLE,
    WARNING,
    Evidence,
    Finding,
    NotApplicable,
    Undecided,
    check,
    plain,
    t,
)
from forgedoctor.facts import Container, Launch, Processes
from forgedoctor.firewall.container import ask, evaluate, leading_to, written
from forgedoctor.firewall.decision import UNDECIDED
from forgedoctor_checks.reach._offered import offered
from forgedoctor_checks.reach._units import Boxed, boxed, called, look, network_note, publish


@check("container-port-not-published", severity=WARNING, group="reach", explains=["endpoint-unreachable"])
def container_port_not_published(
    container: Container, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """Forge runs in a container whose port nobody outside gets to: it is not published.

    What happens: Forge says "Running on local URL", and the host and all other machines are refused.
    Why: EXPOSE in the image and "expose" in a compose file only declare a port. Or another port is published than the
    one that Forge has. From inside a container none of this can be seen.
    Fix: -p 7860:7860, or ports: ["7860:7860"] in the compose file; the container has to be made anew.
    Source: Docker, "Publishing ports"; docker inspect, NetworkSettings.Ports.
    """
    if container.inside:
        _from_inside(container, launch, processes)
    for one in boxed(container, processes):
        decision = evaluate(one.unit, port=one.port)
        if decision.verdict == UNDECIDED:
            raise Undecided(decision.because[0], decision.settle)
        if one.unit.network not in ("host", "none") and not one.loopback and not leading_to(one.unit, one.port):
            yield _finding(one)


def _from_inside(container: Container, launch: Launch | None, processes: Processes | None) -> None:
    offered(launch, processes)
    if container.kind == "kubernetes":
        raise NotApplicable(t("in Kubernetes services decide, not published ports"))
    if container.host_network:
        raise NotApplicable(t("the container uses the network of the host, whose own rules count"))
    raise Undecided(
        t("from inside a container neither its published ports nor the rules of the host can be seen"),
        t("run on the host: docker port CONTAINER; or run forgedoctor there"),
    )


def _finding(one: Boxed) -> Finding:
    unit, confidence = one.unit, one.confidence
    rows = [row for row in unit.published or () if row.protocol == "tcp"]
    summary = t("Forge's container {name} does not publish port {port}.", name=called(unit), port=one.port)
    evidence = []
    if rows:
        others = ", ".join(map(written, rows[:4]))
        evidence.append(Evidence(t("published is only: {ports}", ports=others), unit.engine))
        confidence = max(confidence, LIKELY, key=lambda each: each.rank)
    elif one.port in unit.exposed:
        evidence.append(Evidence(t("port {port} is exposed only, which publishes nothing", port=one.port), unit.engine))
    else:
        evidence.append(Evidence(t("no port is published"), unit.engine))
    if unit.because == "process":
        evidence.append(Evidence(t("pid {pid} runs in it", pid=unit.pids[0]), "/proc"))
    own = network_note(unit)
    if own:
        note = t("containers in the network {network}, such as a reverse proxy, reach it all the same", network=own)
        evidence.append(Evidence(note))
        confidence = max(confidence, POSSIBLE, key=lambda each: each.rank)
    elif unit.because == "name":
        evidence.append(Evidence(plain(unit.image or unit.name), str(ask(unit))))
    return Finding(
        summary,
        evidence=evidence,
        fixes=[publish(unit, one.port), look(unit)],
        severity=ERROR if unit.because == "only" else WARNING,  # who pastes one container asks what is wrong with it
        confidence=confidence,
    )
