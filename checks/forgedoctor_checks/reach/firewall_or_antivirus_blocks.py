from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, Fix, check, plain, shell, t
from forgedoctor.facts import Exchange, Exchanges, Host, Launch, Transcript
from forgedoctor_checks.reach import _windows
from forgedoctor_checks.reach._urls import host_of, loopback, port_of, private


@check("firewall-or-antivirus-blocks", severity=ERROR, group="reach", explains=["endpoint-unreachable"])
def firewall_or_antivirus_blocks(
    exchanges: Exchanges, transcript: Transcript | None, launch: Launch | None, host: Host | None
) -> Iterator[Finding]:
    """Forge listens on the network, and a client there gets no answer at all: something drops its packets.

    What happens: the page opens on the machine itself; from another one it times out (it is not refused).
    Why: mostly the firewall of the machine that runs Forge, on Windows often two block rules for python.exe that a
    "Cancel" in the first prompt left behind; else an antivirus on either side, or a Wi-Fi that keeps its guests apart.
    Fix: allow the port for the own network. To tell the causes apart run the doctor on the machine that runs Forge, or
    `forgedoctor reach` there and open the address it shows from the other one.
    Source: measured: a dropped SYN times out, a closed port is refused (RFC 9293).
    """
    listens = _listens_on_the_network(transcript, launch)
    for one in exchanges.exchanges:
        if listens and one.error == "timeout" and private(host_of(one.url)):
            yield _finding(one, listens, host)
            return


def _listens_on_the_network(transcript: Transcript | None, launch: Launch | None) -> str:
    """The address that others can use, as it was printed or as the flags say; empty where there is none."""
    if transcript and transcript.listening:
        printed = transcript.listening[-1]
        return "" if loopback(host_of(printed)) else printed
    if launch and launch.seen and launch.effective.exit is None and not launch.loopback:
        return launch.listens_on
    return ""


def _finding(one: Exchange, listens: str, host: Host | None) -> Finding:
    template = "Most likely a firewall or a security program drops the connection: Forge listens on {address}, and the client gets no answer."
    return Finding(
        t(template, address=listens),
        evidence=[Evidence(plain(one.detail or one.url), one.where)],
        fixes=[*_allow(port_of(one.url), host), fixes.advise(_PROVE)],
        confidence=LIKELY,
    )


_PROVE = t(
    "To see which it is, run on the machine of Forge: forgedoctor triage. And forgedoctor reach, whose address the other one opens"
)


def _allow(port: int, host: Host | None) -> Iterator[Fix]:
    system = host.system if host else ""
    if system == "windows":
        yield Fix(
            title=t("Look for block rules of python.exe: they beat every allow rule"),
            steps=(
                shell(
                    "Get-NetFirewallRule -Direction Inbound -Action Block -Enabled True | Where-Object DisplayName -match python",
                    "powershell",
                ),
            ),
            safety="safe",
        )
        yield _windows.allow_port(port, "private", t("Allow the port for your own network:"))
    elif system == "linux":
        yield Fix(
            title=t("Look which firewall is at work, and what it says of the port:"),
            steps=(shell("sudo ufw status verbose; sudo firewall-cmd --list-all-zones; sudo nft list ruleset"),),
            safety="safe",
        )
    else:
        yield fixes.advise(t("Allow TCP port {port} in the firewall of the machine that runs Forge", port=port))
