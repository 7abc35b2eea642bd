from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import INFO, POSSIBLE, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Container, Launch, Processes
from forgedoctor_checks.reach._offered import offered


@check("kubernetes-service-missing", severity=INFO, group="reach")
def kubernetes_service_missing(
    container: Container, launch: Launch | None, processes: Processes | None
) -> Iterator[Finding]:
    """Forge runs in Kubernetes, and no service with its port is seen: a service decides who reaches it.

    What happens: the pod answers on its own address, which changes; clients are refused, or get 503 from the ingress.
    Why: other pods come in through a Service, everybody else through a NodePort, a LoadBalancer or an Ingress. A pod
    whose readiness probe fails is taken out of its service.
    Fix: kubectl expose; for a first try kubectl port-forward.
    Source: Kubernetes, "Service". The environment names only services that were there when the pod started, by their
    own port, which may differ from Forge's.
    """
    port = offered(launch, processes)
    if not container.inside or container.kind != "kubernetes":
        return
    if any(port in one.ports or {80, 443} & set(one.ports) for one in container.services):
        return
    listed = ", ".join(f"{one.name}:{'/'.join(map(str, one.ports))}" for one in container.services[:8])
    seen = t("services that the environment names: {services}", services=listed)
    yield Finding(
        t("Forge runs in Kubernetes, and no service for port {port} is seen from here.", port=port),
        evidence=[Evidence(seen if listed else t("the environment names no service but Kubernetes itself"))],
        fixes=[
            Fix(
                title=t("For a first try, where kubectl is set up (POD is the name of this pod):"),
                steps=(shell(f"kubectl port-forward pod/POD {port}:{port}"),),
                safety="safe",
            ),
            Fix(
                title=t("To keep (NodePort opens it on every node; an Ingress or LoadBalancer is the other way):"),
                steps=(shell(f"kubectl expose pod POD --name forge --port {port} --type NodePort"),),
                safety="needs-person",
                undo=plain("kubectl delete service forge"),
            ),
        ],
        confidence=POSSIBLE,
    )
