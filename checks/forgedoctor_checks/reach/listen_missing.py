from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import (
    CERTAIN,
    ERROR,
    INFO,
    LIKELY,
    WARNING,
    Evidence,
    Finding,
    Fix,
    NotApplicable,
    Severity,
    check,
    plain,
    t,
)
from forgedoctor.facts import Container, Exchanges, Host, Interfaces, Launch, LaunchFiles, Transcript
from forgedoctor.facts.container import Unit
from forgedoctor.firewall.container import written
from forgedoctor_checks.reach._urls import host_of, loopback, private


@check("listen-missing", severity=INFO, group="reach", explains=["endpoint-unreachable"])
def listen_missing(
    launch: Launch | None,
    host: Host | None,
    interfaces: Interfaces | None,
    transcript: Transcript | None,
    exchanges: Exchanges | None,
    files: LaunchFiles | None,
    container: Container | None,
) -> Iterator[Finding]:
    """Only this machine can reach Forge: it listens on 127.0.0.1.

    What happens: other machines are refused, or time out. In a container nobody at all can reach it, not even through
    a published port.
    Why: without --listen the web UI binds the loopback address. (With --nowebui it is the other way round: that one
    listens on all addresses.)
    Fix: --listen, or --server-name with one of this machine's addresses; then give it a login.
    Source: modules/initialize_util.py gradio_server_name; recorded starts.
    """
    refused = _refused_elsewhere(exchanges)
    answered = bool(exchanges and any(one.status for one in exchanges.exchanges))
    unit = container.of(launch.pid) if container and launch else None
    kind = "" if answered else _kind(host, container, unit)
    address = _address(launch, transcript)
    if launch is None and not address:
        sealed = _sealed(container)
        if not sealed:
            raise NotApplicable(t("no command line was seen"))
        yield _in_vain(sealed)
        return
    if not address or (not kind and not refused and (transcript or not _worth_saying(launch))):
        return  # a pasted command line alone does not say who wants in
    evidence = [Evidence(t("it listens on {address}", address=address), launch.origin if launch else "")]
    if kind:
        nobody = t("it runs in a container ({kind}), whose 127.0.0.1 nobody outside has", kind=kind)
        evidence.append(Evidence(nobody))
        evidence += _ports(unit)
    evidence += [*_other_devices(launch, interfaces), *([Evidence(plain(refused))] if refused else [])]
    yield Finding(
        t("Only this machine can reach Forge: it listens on {address}.", address=address),
        evidence=evidence,
        fixes=[_fix(launch, files)],
        severity=_severity(kind, bool(refused or (unit and unit.published)), transcript),
        confidence=CERTAIN if launch and launch.seen else LIKELY,
    )


def _kind(host: Host | None, container: Container | None, unit: Unit | None) -> str:
    """The container that it is in; one with the host's network has the host's 127.0.0.1, and counts as none."""
    if unit:
        return "" if unit.network == "host" else unit.engine
    return "" if host is None or (container and container.host_network) else host.container


def _sealed(container: Container | None) -> Unit | None:
    """A container whose port is published, and whose command line keeps Forge on 127.0.0.1 inside."""
    units = container.forges() if container else ()
    return next((one for one in units if one.loopback and one.published and one.network != "host"), None)


def _in_vain(unit: Unit) -> Finding:
    name = unit.name or unit.id
    return Finding(
        t(
            "Forge's container {name} publishes a port that nobody answers: Forge listens on 127.0.0.1 inside.",
            name=name,
        ),
        evidence=[*_ports(unit), Evidence(t("its command line has neither --listen nor --server-name"), name)],
        fixes=[fixes.advise(t("Start Forge with --listen, and with --api-auth {login}", login=fixes.LOGIN))],
        severity=ERROR,
        confidence=LIKELY,
    )


def _ports(unit: Unit | None) -> list[Evidence]:
    """What is published in vain: a connection to it is reset, or closed without an answer."""
    rows = ", ".join(written(one) for one in unit.published or ()) if unit else ""
    return [Evidence(t("published in vain: {ports}", ports=rows))] if rows else []


def _severity(kind: str, refused: bool, transcript: Transcript | None) -> Severity:
    """In a container it is most likely a fault; yet one with the host's network, or a client inside, does well so."""
    if refused or (kind and transcript):
        return ERROR
    return WARNING if kind else INFO


def _address(launch: Launch | None, transcript: Transcript | None) -> str:
    """The loopback address that it listens on: of its flags, else what it printed; empty where others reach it."""
    if launch:
        open_to_others = not launch.loopback or (launch.given("share", "ngrok") and launch.effective.mode == "webui")
        no_server = launch.effective.exit is not None or launch.effective.fails is not None
        return "" if no_server or open_to_others else launch.listens_on
    printed = transcript.listening[-1] if transcript and transcript.listening else ""
    return printed if loopback(host_of(printed)) else ""


def _worth_saying(launch: Launch | None) -> bool:
    """Somebody who names 127.0.0.1 knows."""
    return bool(launch and launch.seen and not launch.given("server_name"))


def _other_devices(launch: Launch | None, interfaces: Interfaces | None) -> Iterator[Evidence]:
    own = interfaces.lan() if interfaces else ()
    if launch and own:
        port = launch.effective.listens or launch.effective.port or 7860
        scheme = "https" if launch.tls else "http"
        template = "{scheme}://{address}:{port} is refused for your other devices"
        yield Evidence(t(template, scheme=scheme, address=own[0], port=port))


def _fix(launch: Launch | None, files: LaunchFiles | None) -> Fix:
    if launch is None:
        return fixes.advise(t("Start Forge with --listen, and with --api-auth {login}", login=fixes.LOGIN))
    add = ["--listen"]
    if launch.effective.api and not launch.given("api_auth"):
        add.append(f"--api-auth {fixes.LOGIN}")
    drop = ["--server-name"] if launch.given("server_name") else []
    return fixes.change_flags(launch, add=add, drop=drop, files=files)


def _refused_elsewhere(exchanges: Exchanges | None) -> str:
    """What a client on another machine was told."""
    for one in exchanges.exchanges if exchanges else ():
        if one.error in ("refused", "timeout") and private(host_of(one.url)):
            return one.detail or f"{one.url}: {one.error}"
    return ""
