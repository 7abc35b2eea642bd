"""Load a ruleset into a namespace and list it, in one process of ``ip netns exec``, and nowhere else.

``ip netns exec`` gives that process a mount namespace of its own: copies of ``/etc/ufw`` and ``/etc/firewalld`` are
mounted there, and an empty ``/run``, all gone with the process. A guard at the top of the script compares the network
namespace it finds itself in with the one it was made for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.hosts.capture import CAPTURE
from tests.hosts.netns import Host, plain
from tests.hosts.rulesets import Ruleset

TOOLS = {
    "nft": ("nft",),
    "iptables": ("nft", "iptables-nft", "ip6tables-nft", "ipset"),
    "legacy": ("nft", "iptables-legacy", "ip6tables-legacy", "iptables-nft", "ipset"),
    "ufw": ("nft", "iptables", "ufw"),
    "firewalld": ("nft", "iptables", "firewalld", "firewall-cmd", "dbus-daemon", "dbus-send"),
}

GUARD = """
set -e
if [ "$(readlink /proc/self/ns/net)" != "$TEST_NAMESPACE" ]; then
    echo "refused: $(readlink /proc/self/ns/net) is not the namespace of this test" >&2
    exit 97
fi
mount -t tmpfs -o mode=755 tmpfs /run
"""

UFW = """
mkdir "$WORK/ufw" "$WORK/ufw/applications.d"
cp /etc/ufw/*.init /etc/ufw/sysctl.conf /usr/share/ufw/ufw.conf /usr/share/ufw/iptables/*.rules "$WORK/ufw/"
cat >"$WORK/default-ufw" <<'END'
IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
IPT_SYSCTL=/etc/ufw/sysctl.conf
IPT_MODULES=""
END
mount --bind "$WORK/ufw" /etc/ufw
mount --bind "$WORK/default-ufw" /etc/default/ufw
"""

FIREWALLD = """
mkdir "$WORK/firewalld" /run/dbus
cat >"$WORK/firewalld/firewalld.conf" <<'END'
DefaultZone=public
CleanupOnExit=no
FirewallBackend=nftables
IPv6_rpfilter=yes
LogDenied=off
END
mount --bind "$WORK/firewalld" /etc/firewalld
dbus-daemon --system --nofork --nopidfile >/dev/null 2>&1 & bus=$!
firewalld --nofork --nopid >"$WORK/firewalld.log" 2>&1 & daemon=$!
trap 'kill -9 $daemon $bus' EXIT
until dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \\
        string:org.fedoraproject.FirewallD1 2>/dev/null | grep -q true; do
    kill -0 $daemon
    sleep 0.05
done
"""

SETUP = {"nft": "", "iptables": "", "legacy": "", "ufw": UFW, "firewalld": FIREWALLD}


class Refused(RuntimeError):
    """The rules were not loaded: the namespace is not one that was made for a test, or a tool says no."""


def missing(kind: str) -> list[str]:
    """The programs that this kind of ruleset needs and that are not installed."""
    return [tool for tool in TOOLS[kind] if not shutil.which(tool)]


def load(host: Host, ruleset: Ruleset, work: Path) -> list[Path]:
    """Load a ruleset into a host's namespace. Returns the listings, as the doctor would read them; they are in ``work``.

    Raises Refused, with what the tools said.
    """
    listings = work / "listings"
    listings.mkdir(parents=True)
    loading = 'nft -f "$RULESET"\n' if ruleset.kind == "nft" else '. "$RULESET"\n'
    script = GUARD + SETUP[ruleset.kind] + loading + CAPTURE[ruleset.kind]
    environment = {
        "TEST_NAMESPACE": namespace(host),
        "WORK": str(work),
        "LISTINGS": str(listings),
        "RULESET": str(ruleset.path),
    }
    done = subprocess.run(
        host.argv(["sh", "-c", script]), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        env=plain(environment), check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"{ruleset.id}: {done.stderr.strip()[-2000:]}")
    return sorted(listings.iterdir())


def namespace(host: Host) -> str:
    """The identity of a host's network namespace. Raises Refused where it is the machine's own, or this process's."""
    name = f"net:[{Path('/run/netns', host.name).stat().st_ino}]"
    for process in ("self", "1"):
        with contextlib.suppress(PermissionError):  # the first process is not always ours to ask
            if name == os.readlink(f"/proc/{process}/ns/net"):
                raise Refused(f"{host.name} is the network namespace of this machine: no rule is loaded there")
    return name
