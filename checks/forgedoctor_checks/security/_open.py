"""What several exposure checks share: is this launch open to others, and which logins does it ask for."""

from __future__ import annotations

from forgedoctor.check import Evidence, t
from forgedoctor.facts import Launch


def starts(launch: Launch) -> bool:
    """Whether this launch leads to a server at all."""
    return launch.seen and launch.effective.exit is None


def exposed(launch: Launch) -> bool:
    """Whether others than this machine can reach it: the bind address, or a tunnel."""
    return starts(launch) and (not launch.loopback or tunnelled(launch))


def tunnelled(launch: Launch) -> bool:
    """Whether --share or --ngrok carries it to the internet.

    --share belongs to the web UI. --ngrok opens a tunnel to --port or 7860 in both modes (modules/ngrok.py), so beside
    --nowebui, whose own port is 7861, only where that is the port.
    """
    if launch.effective.mode == "webui":
        return launch.given("share", "ngrok")
    return launch.given("ngrok") and launch.effective.listens in (launch.effective.options.get("port"), 7860)


def why(launch: Launch) -> Evidence:
    """Why it counts as open."""
    if tunnelled(launch):
        return Evidence(t("--share and --ngrok give it an address on the internet"), launch.origin)
    if launch.effective.host == "*" and not launch.given("listen", "server_name"):
        return Evidence(t("--nowebui without --server-name listens on all addresses, IPv4 and IPv6"), launch.origin)
    return Evidence(t("it listens on {address}", address=launch.listens_on), launch.origin)
