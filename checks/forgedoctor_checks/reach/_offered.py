"""Whether Forge is offered to other machines at all, and on which port: else nothing beyond this machine matters."""

from __future__ import annotations

from forgedoctor.check import INFO, WARNING, NotApplicable, Severity, t
from forgedoctor.facts import ForgeProcess, Launch, Processes
from forgedoctor_checks.reach._urls import loopback


def offered(launch: Launch | None, processes: Processes | None = None) -> int:
    """The port that others may use, now or after the start. Raises NotApplicable where only this machine is meant."""
    port = _listening(_running(launch, processes))
    if port is None:
        port = _planned(launch)
    if not port:
        raise NotApplicable(t("Forge is not open to other machines"))
    return port


def weight(launch: Launch | None) -> Severity:
    """How bad it is if others cannot reach it: somebody who asked for --listen wants them to."""
    return WARNING if launch and launch.given("listen", "server_name") else INFO


def _running(launch: Launch | None, processes: Processes | None) -> ForgeProcess | None:
    forges = processes.forges if processes else ()
    pid = launch.pid if launch else None
    return next((one for one in forges if pid is None or one.pid == pid), None)


def _listening(forge: ForgeProcess | None) -> int | None:
    """The port of a Forge that runs: 0 where it keeps to this machine, None where it is not seen to listen."""
    if forge is None or not forge.ports:
        return None
    outside = sorted(port for address, port in forge.ports if not loopback(address))
    return outside[0] if outside else 0


def _planned(launch: Launch | None) -> int | None:
    if launch is None or launch.effective.exit is not None or launch.effective.fails is not None or launch.loopback:
        return None
    it = launch.effective
    return it.listens or it.port or (it.port_range[0] if it.port_range else None)
