from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from forgedoctor.check import INFO, Evidence, Message, NotApplicable, Verdict, check, plain, t
from forgedoctor.facts import (
    Container,
    Host,
    Interfaces,
    Launch,
    LinuxFirewall,
    MacNetwork,
    Processes,
    Sockets,
    Surroundings,
    WindowsNetwork,
    Wsl,
)
from forgedoctor.firewall import macos
from forgedoctor.firewall import wsl as behind_windows
from forgedoctor.firewall.decision import OPEN, UNDECIDED, Decision
from forgedoctor_checks.reach import _linux, _windows
from forgedoctor_checks.reach._offered import offered

QUESTION = "other-devices"
PROVE = t("run forgedoctor reach here before Forge runs, and open the address that it shows on the other device")
PROVE_RUNNING = t("on the other device: forgedoctor reach --to {url}, or open {url} in a browser")


class Path(NamedTuple):
    """A way in, and what the last gate before Forge does with a client there. ``by``: the check that tells of it."""

    url: str
    interface: str
    decision: Decision
    by: str


@check("other-devices", severity=INFO, group="reach")
def other_devices(
    launch: Launch,
    host: Host,
    interfaces: Interfaces,
    processes: Processes | None,
    sockets: Sockets | None,
    linux: LinuxFirewall | None,
    windows: WindowsNetwork | None,
    mac: MacNetwork | None,
    wsl: Wsl | None,
    container: Container | None,
    surroundings: Surroundings | None,
) -> Iterator[Verdict]:
    """Will a phone or another computer of the network reach this Forge?

    What happens: the report answers with yes, no, partly or unknown, and names the one thing in the way: the address
    that Forge listens on, a firewall rule, the kind of network in Windows, WSL or a container.
    Why: each of them can be seen from this machine. What cannot: a guest Wi-Fi that keeps its devices apart, a router
    between two networks, a cloud's security group, the firewall of the other side.
    Fix: what the check named behind the answer says. To prove it: forgedoctor reach.
    Source: the launch, the sockets, the rules; a probe of the own address from this machine proves nothing and is not
    made.
    """
    if not launch.seen or not (launch.effective.exit is None and launch.effective.fails is None):
        raise NotApplicable(t("no server comes of this launch"))
    try:
        port = offered(launch, processes)
    except NotApplicable:
        yield _no(
            t("Other devices cannot reach it: Forge listens on {address} only.", address=launch.listens_on),
            "listen-missing",
        )
        return
    url = f"{'https' if launch.tls else 'http'}://{{}}:{port}"
    if host.wsl and wsl:
        decision = behind_windows.evaluate(wsl, port=port)
        paths = [Path(url.format("WINDOWS-ADDRESS"), "WSL", decision, "wsl-lan-needs-portproxy")]
    elif linux:
        paths = list(_on_linux(launch, linux, sockets, port, url))
    elif windows:
        paths = list(_on_windows(launch, windows, interfaces, port, url))
    else:
        paths = list(_on_others(mac, interfaces, port, url))
    yield _verdict(launch, paths, _unseen(container, surroundings))


def _on_linux(launch: Launch, linux: LinuxFirewall, sockets: Sockets | None, port: int, url: str) -> Iterator[Path]:
    unseen = Decision(
        verdict=UNDECIDED,
        because=(t("the rules of this machine's firewall were not seen"),),
        settle=t("run it once with sudo"),
    )
    for way in _linux.ways(linux, launch, sockets, port):
        address = f"[{way.address}]" if ":" in way.address else way.address
        decision = way.decision if linux.readable else unseen
        yield Path(url.format(address), way.interface, decision, "linux-firewall-blocks-port")


def _on_windows(launch: Launch, windows: WindowsNetwork, interfaces: Interfaces, port: int, url: str) -> Iterator[Path]:
    third = next((one.name for one in windows.products or () if one.on), "")
    for way in _windows.ways(launch, windows, interfaces, port):
        name = way.network.interface
        own = [a.address for a in interfaces.addresses if a.interface.lower() == name.lower() and a.family == "ipv4"]
        decision, by = way.decision, "windows-firewall-block-rule" if way.decision.rule else "windows-firewall-no-rule"
        if third:
            because = (t("{product} is in charge of the firewall", product=third),)
            decision, by = Decision(verdict=UNDECIDED, because=because), "windows-third-party-firewall"
        for address in own or interfaces.lan()[:1]:
            yield Path(url.format(address), name, decision, by)


def _on_others(mac: MacNetwork | None, interfaces: Interfaces, port: int, url: str) -> Iterator[Path]:
    """macOS decides by program, for all its networks alike; of other systems nothing is known."""
    decision, by = Decision(verdict=UNDECIDED), ""
    if mac:
        decision, by = macos.evaluate(mac, program=mac.python, port=port), "macos-firewall-blocks-python"
    for address in interfaces.lan():
        yield Path(url.format(address), "", decision, by)


def _unseen(container: Container | None, surroundings: Surroundings | None) -> tuple[Message, str] | None:
    """What decides too and cannot be seen from here, and the check that tells of it."""
    if container and container.inside and not container.host_network:
        why = t("from inside a container neither its published ports nor the rules of the host can be seen")
        return why, "kubernetes-service-missing" if container.kind == "kubernetes" else "container-port-not-published"
    if surroundings and surroundings.cloud and "public" not in surroundings.kinds():
        return t(
            "the security group of {cloud} cannot be seen from here", cloud=surroundings.cloud
        ), "cloud-security-group"
    return None


def _verdict(launch: Launch, paths: list[Path], unseen: tuple[Message, str] | None) -> Verdict:
    if not paths:
        return _unknown(t("this machine has no address in a network"), None)
    opened = [one for one in paths if one.decision.verdict == OPEN]
    doubtful = [one for one in paths if one.decision.verdict == UNDECIDED]
    shut = [one for one in paths if one not in opened and one not in doubtful]
    evidence = [_shown(one) for one in [*opened, *shut, *doubtful][:6]]
    settle = _prove(launch, (opened or paths)[0].url)
    if opened and unseen:
        summary = t("Other devices: nothing on this machine keeps them out, but {why}.", why=unseen[0])
        return Verdict(
            question=QUESTION, answer="unknown", summary=summary, evidence=evidence, by=unseen[1], settle=settle
        )
    if opened and not shut:
        summary = t("Other devices of the same network can reach it, as far as this machine decides.")
        return Verdict(question=QUESTION, answer="yes", summary=summary, evidence=evidence, settle=settle)
    if opened:
        summary = t("Other devices can reach it at some of its addresses only.")
        return Verdict(
            question=QUESTION, answer="partly", summary=summary, evidence=evidence, by=shut[0].by, settle=settle
        )
    if shut and not doubtful:
        summary = t("Other devices cannot reach it: {keeper} keeps them out.", keeper=_keeper(shut[0].decision))
        return _no(summary, shut[0].by, evidence)
    first = doubtful[0].decision
    why = first.because[0] if first.because else t("the rules of this machine's firewall were not seen")
    return _unknown(why, first.settle or settle, evidence)


def _keeper(decision: Decision) -> Message:
    """Who keeps others out, in words."""
    if decision.manager in ("wsl", "docker", "podman"):
        return plain({"wsl": "WSL"}.get(decision.manager, decision.manager))
    name = {"windows": "Windows", "macos": "macOS"}.get(decision.manager, decision.manager)
    return t("the firewall ({name})", name=name) if name else t("the firewall")


def _shown(one: Path) -> Evidence:
    words = {OPEN: t("open"), UNDECIDED: t("not known")}.get(one.decision.verdict, t("closed"))
    return Evidence(t("{url}: {state}", url=one.url, state=words), one.interface)


def _prove(launch: Launch, url: str) -> Message:
    return Message(PROVE_RUNNING.template, {"url": url}) if launch.running else PROVE


def _no(summary: Message, by: str, evidence: list[Evidence] | None = None) -> Verdict:
    return Verdict(question=QUESTION, answer="no", summary=summary, by=by, evidence=evidence or ())


def _unknown(why: Message, settle: Message | None, evidence: list[Evidence] | None = None) -> Verdict:
    summary = t("Whether other devices can reach it is not known: {why}", why=why)
    return Verdict(
        question=QUESTION, answer="unknown", summary=summary, evidence=evidence or (), settle=settle or PROVE
    )
