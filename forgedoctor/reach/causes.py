"""The causes behind a client's symptom: what each means, and what would settle it.

"There" is the machine that was asked, "here" the one that asks. Sources: connect(2), RFC 1122, RFC 4443; recorded
symptoms of real rules, routes and hung programs between two Linux hosts; Microsoft's and Apple's pages on their
firewalls; Docker's on published ports.
"""

from __future__ import annotations

from forgedoctor.message import Message, t

Words = tuple[Message, Message | None]

_LOOK_THERE = t("look on that machine on which addresses the port is open")
_REACH_THERE = t("run forgedoctor reach on that machine, in place of Forge, and try again from here")
_OTHER_MACHINE = t("try the same from another machine of that network")

CAUSES: dict[str, Words] = {
    "nothing-listens": (
        t("Nothing listens there: Forge is not started, still starting, or has another port (7861 with --nowebui)."),
        _LOOK_THERE,
    ),
    "nothing-listens-here": (
        t("Nothing listens: Forge is not started, still starting, or has another port (7861 with --nowebui)."),
        t('look in Forge\'s log for "Running on local URL" or "Uvicorn running on"'),
    ),
    "loopback-only": (
        t("Forge listens there for that machine itself only: its web UI was started without --listen."),
        _LOOK_THERE,
    ),
    "ipv4-only": (
        t("Forge listens on IPv4 only, as it does with --listen, and this address is IPv6."),
        t("try the IPv4 address"),
    ),
    "container-loopback": (
        t("Forge runs there in a container: bound to the container's own 127.0.0.1, or published for 127.0.0.1 only."),
        t('look on that machine: "docker ps" shows 0.0.0.0:PORT-> for a port that others may use'),
    ),
    "firewall-rejects": (t("A firewall rejects it: its answer looks exactly like a closed port."), _REACH_THERE),
    "own-container": (
        t("127.0.0.1 in a container is that container, not the machine around it."),
        t("use the machine's address, or host.docker.internal"),
    ),
    "own-wsl": (
        t("127.0.0.1 in WSL is WSL itself, not Windows, unless its networking is mirrored."),
        t('ask "wslinfo --networking-mode"; with nat use the address of Windows'),
    ),
    "firewall-drops": (
        t("A firewall drops the packets, on that machine or on the way; Windows' own does so by default."),
        _REACH_THERE,
    ),
    "closed-and-silent": (
        t("Nothing listens there, and its firewall keeps silent about closed ports, as Windows' does."),
        _LOOK_THERE,
    ),
    "machine-away": (
        t("The machine is off or asleep, or has another address now."),
        t("look there for its addresses; wait at least 4 seconds, as a missing machine shows after 3.1"),
    ),
    "queue-full": (
        t("The program there hangs and its queue of connections is full: that looks like a firewall too."),
        t('look there: in "ss -ltn" Recv-Q is above Send-Q; then end the program and start it again'),
    ),
    "local-drop": (
        t("A firewall or VPN on this machine drops what goes there."),
        t("try the same from another machine"),
    ),
    "reply-lost": (
        t("The connection arrives and the reply is dropped on its way back: rules for output, or a route filter."),
        t("run forgedoctor reach there: it shows nothing then, while tcpdump shows the packets arrive"),
    ),
    "not-forwarded": (
        t("A router between the two networks does not pass it on: guest network, VLAN, VPN."),
        _OTHER_MACHINE,
    ),
    "cloud-rules": (
        t("The rules of the cloud (security group) do not let the port in."),
        t("look in the provider's console for the inbound rules"),
    ),
    "no-port-forward": (
        t("The router there does not forward the port, or its provider shares one address among customers (CGNAT)."),
        t("compare the address that the router shows for itself with the one that was asked"),
    ),
    "firewall-forbids": (
        t("A firewall there or on the way answers that it is forbidden, as firewalld and some cloud images do."),
        _REACH_THERE,
    ),
    "firewall-answers": (
        t("A firewall or router answers with an error of its own instead of passing the connection on."),
        _REACH_THERE,
    ),
    "local-rule": (
        t("This machine itself refuses to send there: a route, a rule for output, or a security program."),
        t('look here: "ip route get ADDRESS", and the rules for output; try from another machine'),
    ),
    "security-product": (
        t("A security program on this machine does not let this program out."),
        t("allow this Python in it, or try with another program"),
    ),
    "macos-local-network": (
        t("macOS does not let this program into the local network."),
        t("System Settings, Privacy & Security, Local Network: switch the terminal on; Apple's own curl still works"),
    ),
    "no-neighbour": (
        t("No machine answers at that address: it is off or asleep, or the address is wrong or has changed."),
        t("look there for its addresses (ipconfig, ip address)"),
    ),
    "client-isolation": (
        t("The Wi-Fi keeps its devices apart (guest network, AP isolation)."),
        t("try from a machine on the cable, or another network"),
    ),
    "icmpv6-dropped": (
        t("A firewall there drops ICMPv6, without which no IPv6 neighbour is found."),
        t("try the IPv4 address"),
    ),
    "no-neighbour-far": (
        t("The last router on the way finds no machine at that address: it is off, or the address is wrong."),
        _OTHER_MACHINE,
    ),
    "no-route": (
        t("This machine has no way there: no network, or another one."),
        t('look here for the addresses and routes ("ip route", "route print")'),
    ),
    "no-ipv6": (
        t("This machine has no IPv6 connection, and the address is IPv6."),
        t("use the IPv4 address"),
    ),
    "blackhole": (
        t("A route on this machine swallows everything for that address."),
        t('look here: "ip route get ADDRESS"'),
    ),
    "scope-missing": (
        t("An address that begins with fe80: needs its interface behind it (fe80::1%eth0); browsers cannot use it."),
        t("use another address of that machine"),
    ),
    "family-off": (
        t("This machine has no address of that kind at all: IPv6 is switched off."),
        t("use the IPv4 address, 127.0.0.1 instead of localhost"),
    ),
    "wildcard": (
        t("0.0.0.0 and [::] mean every address to a server; they are nothing to connect to."),
        t("use 127.0.0.1 on the machine itself, its network address from another one"),
    ),
    "program-died": (t("The program there broke it off: it crashed, or it restarts."), t("look at its console or log")),
    "begun-only": (
        t("A firewall lets the connection begin and drops what belongs to it afterwards."),
        t("allow established connections there (ct state established,related accept), both ways"),
    ),
    "cut-on-the-way": (
        t("Something on the way (antivirus, VPN, firewall) cuts connections after they were made."),
        _REACH_THERE,
    ),
    "forwarder-empty": (
        t("A forwarder took it and found nothing behind: a published Docker port, Windows portproxy, a tunnel."),
        t("look whether Forge behind it listens on 0.0.0.0 rather than its own 127.0.0.1, and on that port"),
    ),
    "program-hangs": (
        t("The program there takes connections and does not answer: it hangs, is busy, or is still loading."),
        t("look at its console; ask again with a longer --timeout"),
    ),
    "mac-firewall": (
        t("If that machine is a Mac: its firewall holds back an unsigned Python, which looks just like this."),
        t("System Settings, Network, Firewall, Options: allow the Python of Forge"),
    ),
    "tls-wanted": (t("The port speaks TLS and was asked without."), t("write https:// before the address")),
    "tls-not-wanted": (t("The port speaks plain HTTP and was asked with TLS."), t("write http:// before the address")),
    "other-program": (t("Another program has that port, not Forge."), _LOOK_THERE),
    "proxy-alone": (
        t("A proxy such as nginx answers, and Forge behind it does not: it is down, starting, or bound elsewhere."),
        t("ask Forge itself, on the machine and port that the proxy is told to use"),
    ),
    "name-unknown": (
        t("The name is not known here: misspelt, or only known in its own network."),
        t("use the machine's IP address"),
    ),
    "unknown": (t("The system reports an error that is not known here."), t("try from another machine")),
}

# Which programs have the port open, on the machine that was asked.
LOOK = (
    ("Linux", "ss -ltn 'sport = :{port}'"),
    ("Windows", "Get-NetTCPConnection -State Listen -LocalPort {port}"),
    ("macOS", "lsof -nP -iTCP:{port} -sTCP:LISTEN"),
)
